"""CleanBook -> Traits: what a text is like, each measured once and only when a rule asks for it."""

from __future__ import annotations

import re
from functools import cached_property

import py3langid

from schemas.books import CatalogueEntry, CleanBook
from tasks.screening.endings import find_breaks
from tasks.screening.layout import VERSE_JOINT, alphabetical_share, is_list, is_verse, speech_share
from tasks.screening.style import YEAR, Style, measure_style

NUM_SAMPLES, SAMPLE_CHARS = 160, 500  # 14,000 words: the score of the whole text lies within 0.4 in most books
NUM_LANGUAGE_SAMPLES, LANGUAGE_CHARS = 7, 800  # spread over the text: a foreign motto decides nothing
QUOTES = "\"“‘'—„«"
ODD = re.compile(  # first what UTF-8 looks like when it was read as windows-1252
    r"[ÃÂ][\u0080-\u00bf‘-„†-•…‰‹›€™ŒœŠšŽžŸˆ˜]|â€."
    r"|[^\w\s.,;:!?'\"()\-–—‘’“”*…\[\]&/£$°´`½¼¾§†‡=+#|<>{}«»„]"
)
CATALOGUED_FICTION = re.compile(r"fiction|stories|tales", re.IGNORECASE)
LITERATURE = "P"  # the class of the Library of Congress


class Traits:
    """The measures of one book; shares are of its characters unless they say otherwise."""

    def __init__(self, book: CleanBook) -> None:
        self.book = book
        self.texts = [book.text[block.start : block.end] for block in book.blocks]
        self._kept = [text for text in self.texts if "\n" in text]
        self._num_chars = max(1, sum(map(len, self.texts)))

    def count_words(self, most: int) -> int:
        """Return the number of words, or `most` of a text that has more: a long one is not read to its end."""
        return min(most, len(self.book.text.split(None, most)))

    @cached_property
    def samples(self) -> list[str]:
        """Passages from all over the text, or the whole of a short one."""
        return take_samples(self.book.text, NUM_SAMPLES, SAMPLE_CHARS)

    @cached_property
    def languages(self) -> list[str]:
        """The ISO 639-1 code that each of some passages seems to be in."""
        samples = take_samples(self.book.text, NUM_LANGUAGE_SAMPLES, LANGUAGE_CHARS)
        return [str(py3langid.classify(sample)[0]) for sample in samples]

    @cached_property
    def speech_share(self) -> float:
        """Share under the names of recurring speakers."""
        return speech_share(self.texts)

    @cached_property
    def verse_share(self) -> float:
        """Share in lines that were kept as lines and read as verse."""
        return sum(len(text) for text in self._kept if is_verse(text)) / self._num_chars

    @cached_property
    def verse_joints(self) -> float:
        """Lines of verse that begin in mid-sentence, per 1000 words of the samples: also where they were joined."""
        text = "\n".join(self.samples)
        return 1000 * len(VERSE_JOINT.findall(text)) / max(1, len(text.split()))

    @cached_property
    def list_share(self) -> float:
        """Share in tables and lists."""
        return sum(len(text) for text in self._kept if is_list(text) and not is_verse(text)) / self._num_chars

    @cached_property
    def alphabetical_share(self) -> float:
        """Share in paragraphs in the order of the alphabet."""
        return alphabetical_share(self.texts)

    @cached_property
    def dialogue_share(self) -> float:
        """Share of paragraphs that begin with speech."""
        return sum(text[0] in QUOTES for text in self.texts) / max(1, len(self.texts))

    @cached_property
    def odd_share(self) -> float:
        """Share of the samples' characters that prose has no use for, wrongly decoded ones among them."""
        text = "\n".join(self.samples)
        return sum(map(len, ODD.findall(text))) / max(1, len(text))

    @cached_property
    def style(self) -> Style:
        """How much it tells like a story."""
        years = 1000 * len(YEAR.findall(self.book.text)) / max(1, len(self.book.text))
        return measure_style(self.samples, self.dialogue_share, years)

    @cached_property
    def breaks(self) -> list[str]:
        """What tells that the text breaks off."""
        return find_breaks(self.book, self.texts)

    @cached_property
    def catalogued_as_fiction(self) -> bool | None:
        """Whether the catalogue calls it fiction; None where it is silent."""
        return is_fiction(self.book.entry)


def take_samples(text: str, num: int, size: int) -> list[str]:
    """Return passages of one size, evenly spread from the first character to the last."""
    if len(text) <= num * size:
        return [text[at : at + size] for at in range(0, len(text), size)]
    step = (len(text) - size) / (num - 1)
    return [text[int(index * step) : int(index * step) + size] for index in range(num)]


def is_fiction(entry: CatalogueEntry) -> bool | None:
    """Return what subjects and LoCC say: a subject decides, then a class outside literature; None for neither."""
    if any(CATALOGUED_FICTION.search(subject) for subject in entry.subjects):
        return True
    if entry.locc and not any(code.startswith(LITERATURE) for code in entry.locc):
        return False
    return None
