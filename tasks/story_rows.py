"""Outcome of a block of stories -> its rows of the three tables."""

from __future__ import annotations

import json

from schemas.outcomes import Outcome
from schemas.runs import ShardKind
from schemas.stories import BlockSigns, PairedBlock, PairedStory, Sign, Story
from schemas.trajectories import Refusal
from tasks.tables import SCHEMAS, Row, rejected_row, trajectory_row
from tasks.work import Work

SIGNED, PAIRED = "sign_stories", "pair_stories"  # the stages whose values an outcome of a block names
_EMPTY_BOOK = dict.fromkeys(SCHEMAS["books"].names)
_EMPTY_REJECTED = dict.fromkeys(SCHEMAS["rejected"].names)


def is_block(outcome: Outcome) -> bool:
    """Tell whether an outcome is that of a block of stories."""
    return PAIRED in outcome.values


def rows_of_stories(outcome: Outcome, work: Work) -> dict[ShardKind, list[Row]]:
    """Return the rows of a block and of the stories in it, by table.

    Raises:
        FileNotFoundError: its value is gone from the work store.
    """
    paired, signed = work.load(PairedBlock, outcome.values[PAIRED]), work.load(BlockSigns, outcome.values[SIGNED])
    if paired is None or signed is None:
        raise FileNotFoundError(outcome.values[SIGNED if paired else PAIRED])
    signs = {sign.story_id: sign for sign in signed.signs}
    rejected = [rejected_row("work", one.rejection, one.title, outcome.book_id) for one in paired.refused]
    if outcome.rejection is not None:
        rejected.append(rejected_row("book", outcome.rejection, outcome.entry.title))
    notes = [_note_row(one.story, note, outcome.book_id) for one in paired.stories for note in one.notes]
    return {
        "trajectories": [trajectory_row(one.row) for one in paired.stories],
        "books": [_story_row(one, signs[one.story.story_id], outcome.book_id) for one in paired.stories],
        "rejected": [*rejected, *notes],
    }


def _story_row(one: PairedStory, sign: Sign, block_id: str) -> Row:
    story, row = one.story, one.row
    shown = {"all": one.tags, "label": story.label}
    return {
        **_EMPTY_BOOK,
        "kind": "story",
        "book_id": story.story_id,
        "parent_id": block_id,
        "title": story.prompt,
        "authors": [],
        "languages": [],
        "subjects": [],
        "split": row.split,
        "num_words": len(story.text.split()),
        "num_chapters": 1,
        "text": story.text,
        "divisions": [],
        "signature": sign.model_copy(update={"side": row.split}).model_dump_json(),
        "source_sha256": story.source_sha256,
        "provenance": row.provenance,
        "tags": json.dumps(shown, ensure_ascii=False) if one.tags else None,
    }


def _note_row(story: Story, note: Refusal, block_id: str) -> Row:
    whose = {"book_id": story.story_id, "parent_id": block_id, "title": story.prompt, "stage": "compose"}
    return {**_EMPTY_REJECTED, **whose, "level": "note", **note.model_dump()}
