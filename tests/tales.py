"""Invented stories that share no phrases: a build holds them for different works."""

from __future__ import annotations

import random

PLACES = ("harbour", "hill", "river", "winter", "northern", "salt", "copper", "glass", "orchard", "tidal", "broken")
THINGS = ("wall", "lamp", "ledger", "boat", "gate", "bell", "road", "kiln", "mill", "letter", "bridge", "coat", "well")
DEEDS = ("watched", "mended", "sold", "left", "found", "carried", "painted", "lost", "hidden", "built", "burned")
ASIDES = (
    "He looked at her across the {0} and said nothing of the {1}.",
    "She was not afraid of him beside the {0}, and he knew it by the {1}.",
    "I went home with him past the {0}, and we never spoke of the {1} again.",
    "Then the {0} was opened, and in out of the rain came a {1}.",
    "It was late at the {0}, and they were tired of the {1}.",
    "He had thought of the {0} all day, but by the {1} he could not find the words.",
    "She laughed at the {0}, and turned away from the {1}.",
    "They heard the dog at the {0}, and after it, from the {1}, a voice.",
)
SAID = ("he told her, and she", "said her brother, who", "he called after her; then she", "they read, and the widow")
NAMES = ("Mara", "Tomas", "Oddy", "Reve", "Quill", "Hale", "Bram", "Ilse")


def tell_aside(rng, places):
    """A sentence that hardly comes again: a text that loops is refused."""
    return rng.choice(ASIDES).format(rng.choice(places), rng.choice(places))


def tale(seed, num_chapters=3):
    """An invented story of some 4,000 words; another seed makes another text."""
    rng = random.Random(seed)
    places = [f"{rng.choice(PLACES)} {rng.choice(PLACES)} {rng.choice(THINGS)}" for _ in range(400)]
    chapters = []
    for number in range(1, num_chapters + 1):
        paragraphs = [
            f"{rng.choice(NAMES)} had {rng.choice(DEEDS)} the {rng.choice(places)} and {rng.choice(DEEDS)} the "
            f'{rng.choice(places)}. "{rng.choice(NAMES)} {rng.choice(DEEDS)} the {rng.choice(places)}," {rng.choice(SAID)} '
            f"{rng.choice(DEEDS)} the {rng.choice(places)} while they {rng.choice(DEEDS)} the {rng.choice(places)}. "
            f"{tell_aside(rng, places)} {tell_aside(rng, places)}"
            for _ in range(40)
        ]
        chapters.append("\n\n\n".join([f"CHAPTER {number}", "\n\n".join(paragraphs)]))
    title = " ".join(places[0].split()).title()
    return f"Title: The {title}\n\nAuthor: Ann Invented\n\n\n\n" + "\n\n\n\n".join(chapters) + "\n"
