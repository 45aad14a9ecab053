"""The reference scaffolds of the shared corpus as ours, on the books that clean and segment make."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from schemas.answer_parts import LevelAnswer
from schemas.answers import LEVELS, ReadAnswer
from schemas.books import CatalogueEntry, Division, RawBook, SegmentedBook
from schemas.corpus_settings import CleanSettings, SegmentSettings
from schemas.scaffold import (
    Arc,
    Archetype,
    Bullet,
    ChapterScaffold,
    Character,
    Preview,
    Scaffold,
    SceneScaffold,
    UserPrompt,
    Vector,
)
from tasks.chunk import list_pieces
from tasks.clean import clean_book
from tasks.segment import segment_book

SHARED = Path(__file__).resolve().parents[2] / "shared"
MISSING = not (SHARED / "gold").is_dir()
REASON = "the shared test corpus is not beside the checkout"
TEXTS = {
    "43": "mirror/4/43/43-0.txt",
    "35": "mirror/3/35/35-0.txt",
    "1952": "mirror/1/9/5/1952/1952-0.txt",
    "68283": "mirror/cache/epub/68283/pg68283.txt",
}


class Gold(NamedTuple):
    """A book and its reference scaffold."""

    book: SegmentedBook
    scaffold: Scaffold


@cache
def load_gold(book_id: str) -> Gold:
    """Return a reference scaffold and its book, the scenes found in their chapters by their openings."""
    gold = json.loads((SHARED / "gold" / f"{book_id}.json").read_text("utf-8"))
    book = _read_book(book_id, gold["title"])
    divisions = book.chapters()
    assert len(divisions) == len(gold["chapters"])
    chapters = tuple(_plan_chapter(*pair, book.text) for pair in zip(divisions, gold["chapters"], strict=True))
    people = {side: tuple(Character(**person) for person in gold["characters"][side]) for side in ("main", "side")}
    return Gold(
        book,
        Scaffold(
            book_id=book_id,
            title=gold["title"],
            num_words=sum(chapter.num_words for chapter in chapters),
            prompts=tuple(UserPrompt(**prompt) for prompt in gold["prompts"]),
            preview=Preview(**gold["preview"]),
            world_rules=tuple(gold["world_rules"]),
            writing_style=tuple(gold["writing_style"]),
            arcs=tuple(Arc(**arc) for arc in gold["arcs"]),
            archetypes=tuple(Archetype(**archetype) for archetype in gold["archetypes"]),
            main_characters=people["main"],
            side_characters=people["side"],
            chapters=chapters,
            summarizer="hand",
            trainable=True,
        ),
    )


def answer_for(chapter: ChapterScaffold) -> ReadAnswer:
    """Return a chapter's plan as the answer to a read call on the whole chapter."""

    def bullets(items: tuple[Bullet, ...]) -> list[dict[str, Any]]:
        return [{"text": item.text[:280], "paragraphs": item.paragraphs[:8]} for item in items]

    scenes = [
        {
            "first_paragraph": scene.first_paragraph,
            "opening": scene.opening,
            "title": scene.title,
            "focuses": scene.focuses,
            "perspective": scene.perspective[:160],
            "bullets": bullets(scene.bullets),
        }
        for scene in chapter.scenes
    ]
    return ReadAnswer.model_validate(
        {
            "continues": False,
            "scenes": scenes,
            "bullets": bullets(chapter.bullets),
            "focuses": chapter.focuses,
            "chapter_title": chapter.name,
            "people": [],
        }
    )


def _read_book(book_id: str, title: str) -> SegmentedBook:
    file = TEXTS[book_id]
    data = (SHARED / "gutenberg" / file).read_bytes()
    entry = CatalogueEntry(book_id=book_id, title=title)
    raw = RawBook(entry=entry, file=file, source_sha256=hashlib.sha256(data).hexdigest(), data=data)
    return segment_book(clean_book(raw, CleanSettings()), SegmentSettings())


def _plan_chapter(division: Division, gold: dict[str, Any], text: str) -> ChapterScaffold:
    pieces = list_pieces(division)
    starts: list[int] = []
    for scene in gold["scenes"]:
        after = starts[-1] + 1 if starts else 0
        opening = _flatten(scene["opening"])
        starts.append(next(p.paragraph for p in pieces[after:] if _flatten(text[p.start : p.end]).startswith(opening)))
    scenes = tuple(
        _plan_scene(scene, first, stop, text[pieces[first].start : pieces[stop - 1].end], pieces[first].start)
        for scene, first, stop in zip(gold["scenes"], starts, [*starts[1:], len(pieces)], strict=True)
    )
    share = len(pieces) / len(gold["summary"])
    return ChapterScaffold(
        number=gold["number"],
        name=gold["name"],
        start=scenes[0].start,
        end=scenes[-1].end,
        num_words=sum(scene.num_words for scene in scenes),
        focuses=tuple(gold["focuses"]),
        vector=Vector(**gold["vector"]),
        bullets=tuple(
            Bullet(text=line, paragraphs=(int(share * index),)) for index, line in enumerate(gold["summary"])
        ),
        scenes=scenes,
    )


def _plan_scene(gold: dict[str, Any], first: int, stop: int, prose: str, start: int) -> SceneScaffold:
    body = prose.rstrip()
    return SceneScaffold(
        title=gold["title"],
        start=start,
        end=start + len(body),
        first_paragraph=first,
        opening=gold["opening"],
        num_words=len(body.split()),
        focuses=tuple(gold["focuses"]),
        perspective=gold["perspective"],
        vector=Vector(**gold["vector"]),
        bullets=tuple(Bullet(text=line, paragraphs=tuple(range(first, stop))[:8]) for line in gold["summary"]),
    )


def _flatten(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"[’'_]", "", text.lower())).strip()


def answers_about_book(scaffold: Scaffold) -> dict[str, LevelAnswer]:
    """Return a scaffold's book level as answers to the calls, cut to their bounds."""

    def lines(items: tuple[str, ...], most: int) -> list[str]:
        return [item[:280] for item in items[:most]]

    def person(one: Character) -> dict[str, Any]:
        return {"name": one.name[:80], "aliases": one.aliases[:6], "bullets": lines(one.bullets, 8)}

    arcs = [
        {**arc.model_dump(), "short": lines(arc.short, 5), "medium": lines(arc.medium, 10), "long": lines(arc.long, 20)}
        for arc in scaffold.arcs
    ]
    texts = {prompt.style: prompt.text.rsplit("|>", 1)[-1].strip() for prompt in scaffold.prompts}
    kinds = dict.fromkeys(("genre", "tone", "setting", "pov", "theme"), "dark")
    answers = {
        "people": {
            "main": [person(one) for one in scaffold.main_characters[:7]],
            "side": [person(one) for one in scaffold.side_characters[:14]],
            "archetypes": [{"name": one.name, "bullets": lines(one.bullets, 4)} for one in scaffold.archetypes[:8]],
        },
        "arcs": {"arcs": arcs},
        "world": {"rules": lines(scaffold.world_rules, 18)},
        "style": {"rules": lines(scaffold.writing_style, 15)},
        "preview": scaffold.preview.model_dump(exclude={"title"}),
        "prompts": {**texts, **kinds},
    }
    return {call: LEVELS[call].model_validate(answer) for call, answer in answers.items()}
