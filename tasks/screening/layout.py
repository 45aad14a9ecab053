"""Paragraphs and lines of a text -> shares of it that are speeches under names, verse, or lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

WORD = r"[^\W\d_a-z][^\W_]*(?:['’.-][^\W_]+)*\.?"
SPEAKER = re.compile(  # HELMER (_rising_). / _Nora._ / FIRST LORD: / Ham. / _Memmo_.--And so / a name that stands alone
    rf"[\W_]{{0,3}}({WORD}(?: (?:{WORD}|of|the|and|de|\d)){{0,3}})[_*=]?"
    r"(?:,? ?(?:[\[(][^\])]{0,160}[\])]|_[^_]{0,160}_))?"
    r"(?:[.:]?[_*=]*(?:—|--)(?=\S)|[.:][_*=]*(?=\s|$)|(?<=\.)[_*=]?(?=\s|$)|[_*=]*$)"
)
SPEAKER_CHARS = 240  # a name and its stage direction stand within
MIN_SPEECHES = 5  # of one name, before it counts as a speaker's
MAX_TURNS = 0.6  # share of all speeches that one speaker may hold: INGREDIENTS and FIG. talk to themselves
TALK = re.compile(r"\b(?:I|me|my|you|your|we|us|our|thou|thee|thy)\b|[?!]")
MIN_TALKING = (
    0.2  # share of speeches and names in which somebody talks to somebody: recipes under two headings have none
)
LONGEST_TURN = 1_500  # characters of text for each speech: in plays 100 to 1,000, between letters 2,000 and more
HONORIFICS = frozenset({"mr", "mrs", "ms", "dr", "st", "messrs", "mme", "mlle", "rev", "prof", "no", "vol"})
NUMERAL = re.compile(r"[IVXLCDM]+")

COLUMNS = re.compile(r"\S {3,}\S")
LIST_WORDS = 3.5  # words in a line: lists have fewer, verse more
VERSE_CHARS = 15, 65  # of a mean line: shorter ones are lists, longer ones prose
VERSE_UPPER = 0.7  # share of its lines that begin with a capital
VERSE_JOINT = re.compile(  # a capital that neither a sentence end nor a name explains: a line of verse began here
    r"[a-z,;][’'\"”]?\s+(?:And|The|That|With|In|Of|To|But|Which|For|When|As|From|Upon|So|Or|By|Nor|Then|Where|Who|If)\b"
)

HEAD_WORD = re.compile(r"\W{0,4}([^\W\d_]{2,})")


def speech_share(texts: Sequence[str]) -> float:
    """Return the share of characters in paragraphs under the names of people who speak in turns."""
    labels = [find_speakers(text) for text in texts]
    speakers = find_turns(Counter(name for names in labels for name in names), sum(map(len, texts)))
    if not speakers:
        return 0.0
    speeches, follows = [], False
    for text, names in zip(texts, labels, strict=True):
        is_headed = any(name in speakers for name in names)
        if is_headed or follows:
            speeches.append(text)
        follows = is_headed and len(text) < SPEAKER_CHARS and is_name_alone(text)
    num_talking = sum(TALK.search(text) is not None for text in speeches)
    if num_talking < MIN_TALKING * len(speeches):
        return 0.0
    return sum(map(len, speeches)) / sum(map(len, texts))


def find_turns(labels: Counter[str], num_chars: int) -> frozenset[str]:
    """Return the labels that are speakers': they recur, there are several, none holds most turns, turns are short."""
    speakers = {name: num for name, num in labels.items() if num >= MIN_SPEECHES}
    total = sum(speakers.values())
    if total == 0 or max(speakers.values()) > MAX_TURNS * total or total < num_chars / LONGEST_TURN:
        return frozenset()
    return frozenset(speakers)


def find_speakers(text: str) -> list[str]:
    """Return the names that head a paragraph, or the lines of one whose lines were kept."""
    lines = text.split("\n") if "\n" in text else (text,)
    names = []
    for line in lines:
        found = SPEAKER.match(line[:SPEAKER_CHARS])
        if found and is_speaker(found[1]):
            names.append(found[1].rstrip(".").casefold())
    return names


def is_speaker(name: str) -> bool:
    """Return whether a label can be a speaker's: no title before a name, no number of a chapter."""
    bare = name.rstrip(".")
    return len(bare) > 1 and bare.casefold() not in HONORIFICS and NUMERAL.fullmatch(bare) is None


def is_name_alone(text: str) -> bool:
    """Return whether a paragraph is a speaker's name and no speech."""
    found = SPEAKER.match(text)
    return found is not None and found.end() >= len(text.rstrip())


def is_verse(text: str) -> bool:
    """Return whether lines that were kept are verse: of a verse's length, most of them with a capital, no table."""
    lines = [line.strip() for line in text.split("\n")]
    size = sum(map(len, lines)) / len(lines)
    if not VERSE_CHARS[0] <= size <= VERSE_CHARS[1] or is_table(text):
        return False
    num_upper = sum(line.lstrip("\"“'‘(_[—-")[:1].isupper() for line in lines)
    return num_upper >= VERSE_UPPER * len(lines)


def is_table(text: str) -> bool:
    """Return whether most lines have a gap within; verse with numbers in its margin has one in every fifth."""
    return 2 * len(COLUMNS.findall(text)) > text.count("\n") + 1


def is_list(text: str) -> bool:
    """Return whether lines that were kept are a table, or a list with few words in each line."""
    return is_table(text) or len(text.split()) < LIST_WORDS * (text.count("\n") + 1)


def alphabetical_share(texts: Sequence[str]) -> float:
    """Return the share of characters in paragraphs that follow the one before in the alphabet, under one letter."""
    before, num_chars = "", 0
    for text in texts:
        found = HEAD_WORD.match(text)
        if found is None or NUMERAL.fullmatch(found[1]):
            continue
        word = found[1].casefold()
        if before < word and before[:1] == word[0]:
            num_chars += len(text)
        before = word
    return num_chars / max(1, sum(map(len, texts)))
