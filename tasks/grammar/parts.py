"""Lines of a stage -> its small parts: bullets, names, vectors, fields, words; the forms of the trajectory grammar."""

from __future__ import annotations

import re

from schemas.plans import Named

_LETTER = r"A-Za-z0-9À-ÖØ-öø-ÿĀ-ſ"
_TAG_MARK = r"&'\"`´/().:+—–“”‘’…\-"
_TEXT_MARK = _TAG_MARK + ",;!?"
_LONE = r"[&—–“”‘’…]"
TEXT_WORD = re.compile(rf"[{_TEXT_MARK}]?[{_LETTER}][{_LETTER}{_TEXT_MARK}]*|{_LONE}")
TAG_WORD = re.compile(rf"[{_TAG_MARK}]?[{_LETTER}][{_LETTER}{_TAG_MARK}]*|{_LONE}")

BULLET = re.compile(r"- (.{1,300})")
NAME_BULLET = re.compile(r"- (.{1,120})")
HEADING_3 = re.compile(r"### (.{1,120})")
HEADING_4 = re.compile(r"#### (.{1,120})")
ARC = re.compile(r"### Arc ([1-9][0-9]*): (.{1,120})")
SCENE = re.compile(r"#### Scene ([1-9]|1[0-2]): (.{1,120})")
CHAPTER_COUNT = re.compile(r"\* ([1-9][0-9]?)")
PARAGRAPH = re.compile(r".+")
_FOCUS = r"[^\s;](?:[^;]{0,63}[^\s;])?"
_SCORES = ("action", "dialog", "world_building", "exposition", "romantic", "erotic", "pacing")
_VECTOR = ", ".join(rf"{name}: (?:0|[1-9][0-9]?)" for name in _SCORES)
# Rounded: two digits to 10s, three to 50s, four to 100s, five to 500s; none begins with 0.
_COUNT = "[1-9](?:0|[05]0|[0-9]00|[0-9][05]00)"
VECTOR_LINE = re.compile(rf"({_VECTOR})")
WORD_COUNT_LINE = re.compile(rf"({_COUNT})")
_FIELDS = {
    "Word Count": re.compile(rf"\*\*Word Count:\*\* ({_COUNT})"),
    "Embedding Space": re.compile(rf"\*\*Embedding Space:\*\* ({_VECTOR})"),
    "Narrative Focuses": re.compile(rf"\*\*Narrative Focuses:\*\* ({_FOCUS}(?:; {_FOCUS}){{0,6}})"),
    "Narrative Focus": re.compile(rf"\*\*Narrative Focus:\*\* ({_FOCUS}(?:; {_FOCUS}){{0,6}})"),
    "Narrative Perspective": re.compile(r"\*\*Narrative Perspective:\*\* (.{1,200})"),
}


class GrammarError(ValueError):
    """A text that is no stage of the grammar; the message says what was expected on which line."""


class StageReader:
    """A stage's lines and the place of the next one; every method takes a form or raises GrammarError."""

    def __init__(self, text: str) -> None:
        self.lines, self.at = text.split("\n"), 0

    def fail(self, expected: str) -> GrammarError:
        """Return the error of a line that is not what the grammar wants."""
        found = repr(self.lines[self.at][:60]) if self.at < len(self.lines) else "the end"
        return GrammarError(f"line {self.at + 1}: {expected} expected, {found} found")

    def sees(self, pattern: re.Pattern[str]) -> bool:
        """Whether the next line has this form."""
        return self.at < len(self.lines) and pattern.fullmatch(self.lines[self.at]) is not None

    def match(self, pattern: re.Pattern[str], expected: str) -> re.Match[str]:
        """Take a line of this form."""
        found = pattern.fullmatch(self.lines[self.at]) if self.at < len(self.lines) else None
        if found is None:
            raise self.fail(expected)
        self.at += 1
        return found

    def line(self, text: str) -> None:
        """Take exactly this line."""
        if self.at >= len(self.lines) or self.lines[self.at] != text:
            raise self.fail(repr(text))
        self.at += 1

    def blank_before(self, pattern: re.Pattern[str]) -> bool:
        """Take a blank line if a line of this form follows it."""
        following = self.lines[self.at : self.at + 2]
        if len(following) < 2 or following[0] or not pattern.fullmatch(following[1]):
            return False
        self.at += 1
        return True

    def field(self, name: str) -> str:
        """Take '**Name:** value' and return the value."""
        return self.match(_FIELDS[name], f"**{name}:** and its value")[1]

    def bullets(self, most: int, pattern: re.Pattern[str] = BULLET) -> tuple[str, ...]:
        """Take 1 to `most` bullets."""
        items = [self.match(pattern, "a bullet")[1]]
        while self.sees(pattern):
            items.append(self.match(pattern, "a bullet")[1])
        self.check_number(len(items), most, "bullets")
        return tuple(items)

    def named(self, heading: re.Pattern[str], most: int, most_bullets: int) -> tuple[Named, ...]:
        """Take 1 to `most` headings, each with its bullets."""
        items: list[Named] = []
        while not items or self.sees(heading):
            name = self.match(heading, "a heading with a name")[1]
            items.append(Named(name, self.bullets(most_bullets)))
        self.check_number(len(items), most, "names")
        return tuple(items)

    def paragraph(self, header: str, least: int, most: int) -> str:
        """Take a header and the paragraph of the preview under it."""
        self.line(header)
        text = self.match(PARAGRAPH, "a paragraph")[0]
        self.check_words(text, TEXT_WORD, least, most)
        return text

    def check_words(self, text: str, pattern: re.Pattern[str], least: int, most: int) -> None:
        """Hold the words of the line before against the preview's alphabet."""
        words = text.split(" ")
        for word in words:
            if not pattern.fullmatch(word):
                raise GrammarError(f"line {self.at}: {word[:40]!r} is no word of the preview")
        if not least <= len(words) <= most:
            raise GrammarError(f"line {self.at}: {len(words)} words, {least} to {most} expected")

    def check_number(self, number: int, most: int, what: str) -> None:
        """Refuse a list that is too long."""
        if number > most:
            raise GrammarError(f"line {self.at}: {number} {what}, at most {most} allowed")

    def end(self) -> None:
        """Refuse lines that are left over."""
        if self.at < len(self.lines):
            raise self.fail("the end")
