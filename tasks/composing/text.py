"""What a model wrote -> what the grammar takes: white space folded, foreign characters dropped, upper bounds cut.

Nothing is ever padded: a text under a minimum is None, and the layout that needs it is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

from schemas.scaffold import (
    NOT_STATED,
    Archetype,
    Bullet,
    ChapterScaffold,
    Character,
    Preview,
    Scaffold,
    SceneScaffold,
    UserPrompt,
)
from tasks.grammar.parser import CONTROL_TOKENS
from tasks.grammar.parts import TAG_WORD, TEXT_WORD

MAX_BULLET, MAX_NAME, MAX_FOCUS, MAX_PERSPECTIVE = 300, 120, 65, 200
_CONTROL_TOKEN = re.compile("|".join(re.escape(token) for token in CONTROL_TOKENS))
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\ud800-\udfff]")
_BULLET_MARK = re.compile(r"(?:[-*•]\s+)+")
_SUBTITLE = re.compile(r"\s*\n\s*|\s*[:;]\s+|\s+[—–-]+\s+|,\s+or,?\s+|\s+\(", re.IGNORECASE)
# Characters outside the preview's alphabet that have a meaning inside it.
_PREVIEW_SPELLING = str.maketrans(
    {"―": "—", "‒": "–", "‐": "-", "‑": "-", "−": "-", "„": "“", "‟": "“", "‚": "‘", "‛": "‘", "′": "'", "″": '"'}
    | {
        "«": "“",
        "»": "”",
        "‹": "‘",
        "›": "’",
        "[": "(",
        "]": ")",
        "{": "(",
        "}": ")",
        "%": " percent",
        "*": None,
        "_": " ",
    }
)


def fold(text: str) -> str:
    """Return a text on one line: white space folded, control characters and tokens dropped; '' for a placeholder."""
    text = " ".join(_INVISIBLE.sub("", text).split())
    while _CONTROL_TOKEN.search(text):  # what is left may form a token anew
        text = " ".join(_CONTROL_TOKEN.sub("", text).split())
    return "" if text == NOT_STATED else text


def fold_lines(text: str) -> str:
    """Return a text of several lines, as `fold` but with its line ends."""
    return "\n".join(fold(line) for line in text.strip().split("\n")).strip()


def cut_text(text: str, most: int) -> str:
    """Return the beginning of a text, ended at a word where it has more than `most` characters."""
    if len(text) <= most:
        return text
    head = text[: most + 1]
    place = max(head.rfind(" "), head.rfind("\n"))
    return head[: place if place > 0 else most].rstrip()


def fit_bullet(text: str) -> str:
    """Return a text as the grammar takes a bullet, without a mark of its own; '' where nothing is left."""
    return cut_text(fold(_BULLET_MARK.sub("", fold(text), count=1)), MAX_BULLET)


def fit_words(text: str, pattern: re.Pattern[str], least: int, most: int) -> str | None:
    """Return a text in the preview's alphabet, cut to `most` words, or None if it has fewer than `least`."""
    spelled = unicodedata.normalize("NFC", fold(text)).translate(_PREVIEW_SPELLING)
    words = [word for word in (_fit_word(word, pattern) for word in spelled.split()) if word]
    return " ".join(words[:most]) if len(words) >= least else None


def fit_title(title: str) -> str | None:
    """Return a title of at most 8 words: cut at its subtitle if need be, then at the eighth word."""
    if len(title.split()) > 8:
        title = next(filter(None, _SUBTITLE.split(title.strip())), "")
    return fit_words(title, TEXT_WORD, 1, 8)


def fit_preview(preview: Preview) -> tuple[Preview | None, str]:
    """Return the preview inside the grammar, or None and which part is too short."""
    title = fit_title(preview.title)
    highlight = fit_words(preview.highlight, TEXT_WORD, 55, 140)
    archetype = fit_words(preview.archetype, TEXT_WORD, 45, 190)
    tags = [fit_words(tag, TAG_WORD, 1, 8) for tag in preview.tags]
    kept = tuple(tag for tag in tags if tag)
    if title is None:
        return None, "the title has no word"
    if highlight is None:
        return None, f"the highlight has {len(preview.highlight.split())} words, at least 55 needed"
    if archetype is None:
        return None, f"the archetype has {len(preview.archetype.split())} words, at least 45 needed"
    if len(kept) < 7:
        return None, f"{len(kept)} tags have a word, 7 needed"
    return Preview(highlight=highlight, title=title, tags=kept, archetype=archetype), ""


class Empty(NamedTuple):
    """What has nothing in it although it was answered: how many texts, and in which chapters."""

    num_texts: int
    chapters: frozenset[int]


def clean_scaffold(scaffold: Scaffold) -> tuple[Scaffold, Empty]:
    """Return the scaffold with every text of its plans inside the grammar, and which had nothing in them.

    Quarantined chapters keep their placeholders: they are the target of no layout.
    """
    cleaner = _Cleaner()
    clean = scaffold.model_copy(
        update={
            "title": cut_text(fold(scaffold.title), MAX_BULLET) or scaffold.book_id,
            "prompts": cleaner.prompts(scaffold.prompts),
            "world_rules": cleaner.bullets(scaffold.world_rules),
            "writing_style": cleaner.bullets(scaffold.writing_style),
            "arcs": tuple(
                arc.model_copy(
                    update={
                        "name": cleaner.line(arc.name, MAX_NAME),
                        "short": cleaner.bullets(arc.short),
                        "medium": cleaner.bullets(arc.medium),
                        "long": cleaner.bullets(arc.long),
                    }
                )
                for arc in scaffold.arcs
            ),
            "archetypes": cleaner.named(scaffold.archetypes),
            "main_characters": cleaner.named(scaffold.main_characters),
            "side_characters": cleaner.named(scaffold.side_characters),
            "chapters": tuple(cleaner.chapter(chapter) for chapter in scaffold.chapters),
        }
    )
    return clean, Empty(cleaner.num_empty, frozenset(cleaner.chapters))


class _Cleaner:
    """Puts texts inside the grammar and counts those that had nothing in them."""

    def __init__(self) -> None:
        self.num_empty = 0
        self.chapters: set[int] = set()

    def line(self, text: str, most: int) -> str:
        """A text on one line; a stand-in where nothing is left."""
        kept = cut_text(fold(text), most)
        self.num_empty += not kept
        return kept or NOT_STATED

    def bullets(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Bullets without those that have nothing in them; at least one."""
        kept = tuple(filter(None, map(fit_bullet, texts)))
        self.num_empty += not kept
        return kept or (NOT_STATED,)

    def rested(self, bullets: Iterable[Bullet]) -> tuple[Bullet, ...]:
        """The same for bullets that rest on paragraphs."""
        kept = tuple(
            bullet.model_copy(update={"text": fit_bullet(bullet.text)}) for bullet in bullets if fit_bullet(bullet.text)
        )
        self.num_empty += not kept
        return kept or (Bullet(text=NOT_STATED),)

    def focuses(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Focuses without `;`, each once; at least one."""
        folded = (cut_text(fold(text.replace(";", ",")), MAX_FOCUS) for text in texts)
        kept = tuple(dict.fromkeys(filter(None, folded)))
        self.num_empty += not kept
        return kept or (NOT_STATED,)

    def prompts(self, prompts: Iterable[UserPrompt]) -> tuple[UserPrompt, ...]:
        """The user prompts that say something."""
        folded = [(prompt, fold_lines(prompt.text)) for prompt in prompts]
        kept = tuple(prompt.model_copy(update={"text": text}) for prompt, text in folded if text)
        self.num_empty += not kept
        return kept

    def named(self, items: Iterable[Archetype | Character]) -> tuple[object, ...]:
        """People and types with their bullets."""
        return tuple(
            item.model_copy(update={"name": self.line(item.name, MAX_NAME), "bullets": self.bullets(item.bullets)})
            for item in items
        )

    def chapter(self, chapter: ChapterScaffold) -> ChapterScaffold:
        """A chapter and its scenes; a name is computed, so its label or number is as good."""
        name = cut_text(fold(chapter.name) or fold(chapter.label), MAX_NAME) or f"Chapter {chapter.number}"
        if chapter.quarantined:
            return chapter.model_copy(update={"name": name})
        num_before = self.num_empty
        texts = {
            "focuses": self.focuses(chapter.focuses),
            "bullets": self.rested(chapter.bullets),
            "scenes": tuple(self._scene(scene) for scene in chapter.scenes),
        }
        if self.num_empty > num_before:
            self.chapters.add(chapter.number)
        return chapter.model_copy(update={"name": name, **texts})

    def _scene(self, scene: SceneScaffold) -> SceneScaffold:
        return scene.model_copy(
            update={
                "title": self.line(scene.title, MAX_NAME),
                "focuses": self.focuses(scene.focuses),
                "perspective": self.line(scene.perspective, MAX_PERSPECTIVE),
                "bullets": self.rested(scene.bullets),
            }
        )


def shorten_until(text: str, fits: Callable[[str], bool]) -> str:
    """Return the text, cut at words to three quarters again and again until it fits; one character at the least."""
    most = len(text)
    while not fits(text) and most > 1:
        most = most * 3 // 4
        text = cut_text(text, most)
    return text


def _fit_word(word: str, pattern: re.Pattern[str]) -> str:
    """Return what the preview's alphabet has of a word, or '' if that is no word."""
    kept = "".join(_fit_char(char, pattern) for char in word)
    while kept and not pattern.fullmatch(kept):
        kept = kept[1:]  # a word may begin with one mark only
    return kept


def _fit_char(char: str, pattern: re.Pattern[str]) -> str:
    if pattern.fullmatch(f"a{char}"):
        return char
    bare = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    return bare if pattern.fullmatch(f"a{bare}") else ""
