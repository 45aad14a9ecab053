"""Files -> README.md: what `datasets` and the Hub need to find each config, and what a person needs to know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from schemas.exports import Contents, ExportedFile
from tasks.pages import open_templates

MARK = "---\n"
OWN_KEYS = ("configs", "dataset_info")  # of a snapshot's card: they are about its own files
PLAIN = {
    "license": "other",
    "license_name": "public-domain",
    "language": ["en"],
    "task_categories": ["text-generation"],
}


def render_card(contents: Contents, snapshot_card: str | None) -> str:
    """Return the card of an export.

    Args:
        contents: what the export holds.
        snapshot_card: the card that lies beside the snapshot, of which licence, tags and the like are taken over; None
            where it is of another snapshot.
    """
    facts = _read_front(snapshot_card) if snapshot_card is not None else {}
    kept = {name: value for name, value in facts.items() if name not in OWN_KEYS}
    front = {**(kept or PLAIN), "configs": _list_configs(contents.files)}
    body = (
        open_templates(autoescape=False)
        .get_template("export.md")
        .render(contents=contents, has_card=snapshot_card is not None)
    )
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=120)
    return f"{MARK}{head}{MARK}\n{body}"


def _list_configs(files: Iterable[ExportedFile]) -> list[dict[str, Any]]:
    """Return every config with its files one by one, the first as the default."""
    configs: dict[str, dict[str, list[str]]] = {}
    for file in files:
        configs.setdefault(file.config, {}).setdefault(file.split, []).append(file.path)
    listed: list[dict[str, Any]] = []
    for name, splits in configs.items():
        data_files = [{"split": split, "path": paths} for split, paths in splits.items()]
        default = {} if listed else {"default": True}
        listed.append({"config_name": name, **default, "data_files": data_files})
    return listed


def _read_front(card: str) -> dict[str, Any]:
    """Return the YAML that a card begins with; nothing where it has none."""
    if not card.startswith(MARK) or MARK not in card[len(MARK) :]:
        return {}
    found = yaml.safe_load(card[len(MARK) : card.index(f"\n{MARK}", len(MARK))])
    return found if isinstance(found, dict) else {}
