"""Books for a crowd: the novels of the reference folder, each work once, then invented ones of a novel's length."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from benchmarks.scoring.reference import first_of_works, load_reference
from schemas.errors import ConfigError

NUM_CHAPTERS, NUM_PARAGRAPHS = 36, 34  # of some 80 words each: about 100,000 words
_PLACES = [
    "harbour",
    "hill",
    "river",
    "winter",
    "northern",
    "salt",
    "copper",
    "glass",
    "orchard",
    "tidal",
    "broken",
    "lower",
    "distant",
    "grey",
]
_THINGS = [
    "wall",
    "lamp",
    "ledger",
    "boat",
    "gate",
    "bell",
    "road",
    "kiln",
    "mill",
    "letter",
    "bridge",
    "coat",
    "well",
    "stair",
    "wheel",
    "garden",
]
_DEEDS = [
    "watched",
    "mended",
    "sold",
    "left",
    "found",
    "carried",
    "painted",
    "lost",
    "hidden",
    "built",
    "burned",
    "counted",
]
_NAMES = ["Mara", "Tomas", "Oddy", "Reve", "Quill", "Hale", "Bram", "Ilse", "Corwen", "Dalby"]
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
    try:
        files = [file for file in first_of_works(load_reference(reference)) if file.reason is None]
    except ConfigError:
        files = []
    real = [file for file in files if file.path.suffix == ".txt"][:num_books]
    for file in real:
        shutil.copyfile(file.path, folder / f"{file.book_id}.txt")
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
