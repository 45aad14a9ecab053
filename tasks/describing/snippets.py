"""Manifest -> how this snapshot is read and trained on with other people's tools; the tests run what the card shows."""

from __future__ import annotations

from typing import NamedTuple

from schemas.runs import Manifest
from tasks.describing.front import list_files
from tasks.describing.statistics import Rung, list_rungs, sum_counts
from tasks.pages import open_templates

READING = {  # name of the snippet -> its template, and the language that a code block is marked with
    "datasets": ("read_datasets.py.j2", "python"),
    "files": ("read_files.py.j2", "python"),
}
TRAINING = {
    "rung": ("take_rung.py.j2", "python"),
    "trl": ("train_trl.py.j2", "python"),
    "axolotl": ("axolotl.yaml.j2", "yaml"),
    "dataset_info": ("dataset_info.json.j2", "json"),
    "llamafactory": ("llamafactory.yaml.j2", "yaml"),
}


class Snippet(NamedTuple):
    """A file that works as it stands, in the folder of the data set."""

    language: str
    text: str


def choose_rung(manifest: Manifest) -> Rung | None:
    """Return the rows that the snippets train on: the smallest rung of chapter-window, otherwise the fullest layout."""
    rungs = list_rungs(manifest)
    ladder = [rung for rung in rungs if rung.layout == "chapter-window"]
    return ladder[0] if ladder else max(rungs, key=lambda rung: rung.rows, default=None)


def render_snippets(manifest: Manifest) -> dict[str, Snippet]:
    """Return every snippet by name; those for training only where the rungs are known, none where there are no rows.

    Where no row of the snapshot is meant for training, the snippets do not ask for it: they show the way, no more.
    """
    files, rung = list_files(manifest), choose_rung(manifest)
    if "trajectories" not in files:
        return {}
    told: dict[str, object] = {"split": next(iter(files["trajectories"]))}
    if rung:
        trainable_only = sum_counts(manifest, "trajectories", "trainable").keys() != {"no"}
        told |= {"rung": rung, "file": f"{rung.name.replace(' ', '-')}.parquet", "trainable_only": trainable_only}
    templates = open_templates(autoescape=False)
    return {
        name: Snippet(language, templates.get_template(template).render(told).rstrip("\n"))
        for name, (template, language) in (READING | TRAINING if rung else READING).items()
    }
