"""Invented stories that share no phrases: a build holds them for different works."""

from __future__ import annotations

import random

PLACES = ("harbour", "hill", "river", "winter", "northern", "salt", "copper", "glass", "orchard", "tidal", "broken")
THINGS = ("wall", "lamp", "ledger", "boat", "gate", "bell", "road", "kiln", "mill", "letter", "bridge", "coat", "well")
DEEDS = ("watched", "mended", "sold", "left", "found", "carried", "painted", "lost", "hidden", "built", "burned")
ASIDES = (
    "He looked at her and said nothing.",
    "She was not afraid of him, and he knew it.",
    "I went home with him that night, and we never spoke of it again.",
    "Then the door was opened, and an old man came in out of the rain.",
    "It was late, and they were tired, and nobody would begin.",
    "He had thought of it all day, but now that he saw her he could not find the words.",
    "She laughed at that, and turned away from the window.",
    "They heard the dog at the gate, and after it a voice that they did not know.",
)
NAMES = ("Mara", "Tomas", "Oddy", "Reve", "Quill", "Hale", "Bram", "Ilse")


def tale(seed, num_chapters=3):
    """An invented story of some 4,000 words; another seed makes another text."""
    rng = random.Random(seed)
    places = [f"{rng.choice(PLACES)} {rng.choice(THINGS)}" for _ in range(40)]
    chapters = []
    for number in range(1, num_chapters + 1):
        paragraphs = [
            f"{rng.choice(NAMES)} had {rng.choice(DEEDS)} the {rng.choice(places)} and {rng.choice(DEEDS)} the "
            f'{rng.choice(places)}. "{rng.choice(NAMES)} {rng.choice(DEEDS)} the {rng.choice(places)}," he told her, '
            f"and she {rng.choice(DEEDS)} the {rng.choice(places)} while they {rng.choice(DEEDS)} the {rng.choice(places)}. "
            f"{rng.choice(ASIDES)} {rng.choice(ASIDES)}"
            for _ in range(40)
        ]
        chapters.append("\n\n\n".join([f"CHAPTER {number}", "\n\n".join(paragraphs)]))
    title = " ".join(places[0].split()).title()
    return f"Title: The {title}\n\nAuthor: Ann Invented\n\n\n\n" + "\n\n\n\n".join(chapters) + "\n"
