"""Books for a crowd: the novels of the reference folder, each work once, then invented ones of a novel's length.

Collections are left out: their stories are made one after the other, so they would wait long after the others.
"""

from __future__ import annotations

import csv
import random
import re
import shutil
from pathlib import Path

FORMS = ("novel", "novella")
NUM_CHAPTERS, NUM_PARAGRAPHS = 36, 34  # of some 80 words each: about 100,000 words
_WORD = re.compile(r"\w+")
_PLACES = _WORD.findall("harbour hill river winter northern salt copper glass orchard tidal broken lower distant grey")
_THINGS = _WORD.findall("wall lamp ledger boat gate bell road kiln mill letter bridge coat well stair wheel garden")
_DEEDS = _WORD.findall("watched mended sold left found carried painted lost hidden built burned counted")
_NAMES = _WORD.findall("Mara Tomas Oddy Reve Quill Hale Bram Ilse Corwen Dalby")
_ASIDES = (
    "He looked at her and said nothing.",
    "She was not afraid of him, and he knew it.",
    "I went home with him that night, and we never spoke of it again.",
    "Then the door was opened, and an old man came in out of the rain.",
    "It was late, and they were tired, and nobody would begin.",
    "He had thought of it all day, but now that he saw her he could not find the words.",
    "They heard the dog at the gate, and after it a voice that they did not know.",
)


def gather_books(folder: Path, reference: Path, num_books: int) -> int:
    """Fill a folder with so many books and return how many of them are real."""
    index = reference / "INDEX.csv"
    rows = list(csv.DictReader(index.read_text(encoding="utf-8").splitlines())) if index.exists() else []
    files = {row["id"]: row["file"] for row in reversed(rows) if row["form"] in FORMS and row["language"] == "en"}
    real = sorted(files)[:num_books]
    for book_id in real:
        shutil.copyfile(reference / files[book_id], folder / f"{book_id}{Path(files[book_id]).suffix}")
    for seed in range(num_books - len(real)):
        (folder / f"invented{seed}.txt").write_text(invent_novel(seed), encoding="utf-8")
    return len(real)


def invent_novel(seed: int) -> str:
    """Return a novel that shares no phrases of any length with those of other seeds."""
    rng = random.Random(seed)
    places = [f"{rng.choice(_PLACES)} {rng.choice(_THINGS)} of {rng.choice(_NAMES)}" for _ in range(60)]

    def clause() -> str:
        return f"{rng.choice(_DEEDS)} the {rng.choice(places)}"

    def paragraph() -> str:
        return (
            f"{rng.choice(_NAMES)} had {clause()} and {clause()}, and she {clause()} while they {clause()}. "
            f'"{rng.choice(_NAMES)} {clause()}," he told her. "We {clause()} before {rng.choice(_NAMES)} {clause()}." '
            f"{rng.choice(_ASIDES)} {rng.choice(_ASIDES)}"
        )

    chapters = [
        f"CHAPTER {number}\n\n\n" + "\n\n".join(paragraph() for _ in range(NUM_PARAGRAPHS))
        for number in range(1, NUM_CHAPTERS + 1)
    ]
    return f"Title: The {places[0].title()}\n\nAuthor: Ann Invented\n\n\n\n" + "\n\n\n\n".join(chapters) + "\n"
