"""A village of sixteen matters, and a good plan of it: prose and statements for tests of the checks."""

from __future__ import annotations

# sixteen paragraphs of about 80 words, each with a matter of its own
MATTERS = (
    ("lantern", "kettle", "oilcloth", "wick"),
    ("ferry", "rope", "pulley", "mooring"),
    ("orchard", "ladder", "basket", "wasp"),
    ("ledger", "ink", "column", "debt"),
    ("chapel", "bell", "sexton", "candle"),
    ("goose", "gander", "feather", "nest"),
    ("quarry", "chisel", "slate", "wagon"),
    ("violin", "bow", "rosin", "string"),
    ("fever", "blanket", "broth", "nurse"),
    ("poacher", "snare", "hare", "keeper"),
    ("thimble", "needle", "seam", "velvet"),
    ("sermon", "pulpit", "hymn", "vicar"),
    ("anvil", "bellows", "forge", "horseshoe"),
    ("widow", "veil", "coffin", "grave"),
    ("parrot", "cage", "perch", "seed"),
    ("comet", "telescope", "night", "star"),
)
PEOPLE = ("Anna", "Harding", "Marl")


def write_paragraph(index):
    one, two, three, four = MATTERS[index]
    return " ".join(
        f"{name} said that the {one} and the {two} were wanted, for {name} had seen the {three} beside the {four}."
        for name in (*PEOPLE, PEOPLE[index % 3])
    )


GOOD = (
    "A lantern needs its wick, and Anna asks for it.",
    "Harding weighs the debt in his ledger against the slate quarry.",
    "While a fever keeps the nurse busy, Marl follows the poacher and his snare.",
    "Harding takes up the anvil again after the widow leaves the grave.",
    "Anna shows Marl a comet through the telescope.",
)
