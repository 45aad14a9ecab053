"""Manifest -> README.md and what it shows: the data set's card, its plots, its rights, and Croissant for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from schemas.runs import Manifest
from schemas.settings import Recipe
from tasks.counts import tally_findings
from tasks.describing.columns import list_columns
from tasks.describing.croissant import describe_croissant
from tasks.describing.front import LICENCE_FILE, SPLITS, list_files, list_languages, render_front
from tasks.describing.plots import Plot, draw_plots
from tasks.describing.snippets import Snippet, render_snippets
from tasks.describing.statistics import list_refusals, list_rungs, sum_counts
from tasks.describing.words import WORDS, cite
from tasks.pages import open_templates
from tasks.protocols import Store
from tasks.rights import AS_OF, DOUBT

STORIES = ("tagged-story", "title-to-story")  # recipes whose texts come from no catalogue
SHOWN = (  # groups of settings that shape values; places and servers are nobody else's business
    *("select", "fetch", "clean", "screen", "sign", "duplicates", "segment", "chunk", "summarize", "verify", "compose"),
    "shard",
)
SHOWN_OF: dict[Recipe, tuple[str, ...]] = {
    "prompt-to-book": SHOWN,
    "outline-to-text": (*SHOWN, "outline"),
    "tagged-story": ("stories", "shard"),
    "title-to-story": ("stories", "shard"),
}


def write_card(manifest: Manifest, store: Store) -> None:
    """Write the card of a snapshot and the files that it shows or names."""
    for path, data in describe_snapshot(manifest).items():
        store.put(path, data)


def describe_snapshot(manifest: Manifest) -> dict[str, bytes]:
    """Return the card and its files by path; no shard is read, and equal manifests make equal bytes."""
    words = WORDS[manifest.recipe]
    plots = draw_plots(manifest)
    return {
        **{plot.path: plot.svg for plot in plots},
        LICENCE_FILE: f"# Rights\n\n{_render_rights(manifest)}".encode(),
        "croissant.json": describe_croissant(manifest, words, list_languages(manifest)),
        "README.md": render_card(manifest, plots).encode(),
    }


def render_card(manifest: Manifest, plots: Sequence[Plot]) -> str:
    """Return the card: Hugging Face's YAML with this snapshot's files one by one, then words, tables and plots."""
    words, rungs, files = WORDS[manifest.recipe], list_rungs(manifest), list_files(manifest)
    template = open_templates(autoescape=False).get_template("card.md")
    return template.render(
        manifest=manifest,
        front=render_front(manifest, words),
        words=words,
        noun="stories" if manifest.recipe in STORIES else "books",
        stories=manifest.recipe in STORIES,
        untrainable=sum_counts(manifest, "trajectories", "trainable")["no"],
        rungs=rungs,
        num_told=sum(rung.rows for rung in rungs),
        num_rows=sum(shard.rows for splits in files.get("trajectories", {}).values() for shard in splits),
        splits=[split for split in SPLITS if any(rows.get(split) for rows in manifest.trajectories.values())],
        decontaminated=_find_decontamination(manifest),
        plots=plots,
        settings=_list_settings(manifest),
        findings=tally_findings(manifest),
        refusals=list_refusals(manifest),
        tables={kind: list_columns(kind) for kind in files},
        snippets=render_snippets(manifest),
        rights=_render_rights(manifest),
        citation=cite(manifest, words),
        number=lambda value: f"{value:,}",
        code=_fence,
    )


def _render_rights(manifest: Manifest) -> str:
    template = open_templates(autoescape=False).get_template("rights.md")
    works = sum_counts(manifest, "books", "public_domain")
    public_domain = sorted(works.items(), key=lambda one: (one[0] == "unknown", one[0]))
    stories = manifest.recipe in STORIES
    return template.render(public_domain=public_domain, as_of=AS_OF, doubt=DOUBT, stories=stories)


def _list_settings(manifest: Manifest) -> str:
    """Return the settings that shape the values, a group a line."""
    told = {name: manifest.settings[name] for name in SHOWN_OF[manifest.recipe] if name in manifest.settings}
    return "\n".join(f"{name}: {json.dumps(group, ensure_ascii=False)}" for name, group in told.items())


def _find_decontamination(manifest: Manifest) -> dict[str, Any] | None:
    """Return its settings, where texts were given."""
    found = manifest.settings.get("decontaminate")
    return found if isinstance(found, dict) and found.get("texts") else None


def _fence(snippet: Snippet) -> str:
    return f"```{snippet.language}\n{snippet.text}\n```\n"
