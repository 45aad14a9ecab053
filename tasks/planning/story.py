"""Chapter scaffolds + people -> what is asked about the whole book: people, arcs, world, style, preview, prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from schemas.answers import (
    ArcsAnswer,
    LevelAnswer,
    PartAnswer,
    PeopleAnswer,
    PreviewAnswer,
    PromptsAnswer,
    StyleAnswer,
    WorldAnswer,
)
from schemas.books import SegmentedBook
from schemas.questions import BookInputs, ChapterDigest, Facts, PartInputs, PersonDigest, StoryInputs
from schemas.scaffold import Arc, Archetype, ChapterScaffold, Character, PartScaffold, Preview, UserPrompt
from schemas.settings import SummarizeSettings
from schemas.value import Value
from tasks.extraction.measure import measure_voice
from tasks.planning.ask import Ask, Node, ask_all, make_request
from tasks.planning.assemble import NOTHING, mean_vector
from tasks.planning.assemble_book import (
    build_archetypes,
    build_characters,
    build_preview,
    build_prompts,
    partition_arcs,
)
from tasks.planning.tree import Part, describe_book, find_parts
from tasks.planning.views import show_book, show_part, show_story
from tasks.planning.wording import clean_line, clean_lines
from tasks.protocols import LLM, Tokenizer

A = TypeVar("A", bound=LevelAnswer)
PASSAGE_WORDS = 150  # of each of the three passages that show the style


@dataclass(frozen=True)
class Asker:
    """Who answers, and how long a context may be, in the reader's tokens."""

    llm: LLM
    reader: Tokenizer
    budget: int


@dataclass(frozen=True)
class Story:
    """A scaffold without its chapters."""

    facts: Facts
    prompts: tuple[UserPrompt, ...]
    preview: Preview
    world_rules: tuple[str, ...]
    writing_style: tuple[str, ...]
    arcs: tuple[Arc, ...]
    archetypes: tuple[Archetype, ...]
    main_characters: tuple[Character, ...]
    side_characters: tuple[Character, ...]
    parts: tuple[PartScaffold, ...]


def tell_story(
    book: SegmentedBook,
    chapters: Sequence[ChapterScaffold],
    people: tuple[PersonDigest, ...],
    settings: SummarizeSettings,
    asker: Asker,
) -> Story:
    """Ask about the book in two batches: what follows from its chapters, then what follows from that."""
    inputs = _gather_book(book, chapters, people)
    parts = find_parts(book, [chapter.start for chapter in chapters])
    asks = [_ask_book(call, book, inputs, asker, asker.budget) for call in ("people", "arcs", "world", "style")]
    asks += [_ask_part(part, book, inputs.chapters, asker, asker.budget) for part in parts]
    register, arcs, world, style, *told = _first_samples(asks, asker.llm)
    story = StoryInputs(
        facts=inputs.facts,
        people=cast(PeopleAnswer, register),
        arcs=partition_arcs(cast(ArcsAnswer, arcs), len(chapters)),
        world_rules=clean_lines(cast(WorldAnswer, world).rules, 300, 40, NOTHING),
        writing_style=clean_lines(cast(StyleAnswer, style).rules, 300, 40, NOTHING),
        vector=mean_vector([(chapter.vector, chapter.num_words) for chapter in chapters]),
    )
    asks = [_ask_story(call, book, story, asker, asker.budget) for call in ("preview", "prompts")]
    preview, prompts = _first_samples(asks, asker.llm)
    return Story(
        facts=inputs.facts,
        prompts=build_prompts(cast(PromptsAnswer, prompts), story, settings.max_prompt_words),
        preview=build_preview(cast(PreviewAnswer, preview), inputs.facts.title),
        world_rules=story.world_rules,
        writing_style=story.writing_style,
        arcs=story.arcs,
        archetypes=build_archetypes(story.people),
        main_characters=build_characters(story.people.main),
        side_characters=build_characters(story.people.side),
        parts=tuple(_build_part(part, cast(PartAnswer, answer)) for part, answer in zip(parts, told, strict=True)),
    )


def _first_samples(asks: Sequence[Ask[None]], llm: LLM) -> list[Value]:
    return [answered[0][1].samples[0] for answered in ask_all(llm, asks)]


def _gather_book(
    book: SegmentedBook, chapters: Sequence[ChapterScaffold], people: tuple[PersonDigest, ...]
) -> BookInputs:
    text = "\n\n".join(book.text[chapter.start : chapter.end] for chapter in chapters)
    facts = Facts(
        title=clean_line(": ".join((book.entry.title or f"Book {book.book_id}").splitlines()), 300),
        author=clean_line("; ".join(book.entry.authors), 300),
        num_words=sum(chapter.num_words for chapter in chapters),
        num_chapters=len(chapters),
        **measure_voice(text)._asdict(),
    )
    digests = tuple(
        ChapterDigest(
            number=chapter.number,
            name=chapter.name,
            num_words=chapter.num_words,
            vector=chapter.vector,
            bullets=tuple(bullet.text for bullet in chapter.bullets),
        )
        for chapter in chapters
    )
    return BookInputs(facts=facts, chapters=digests, people=people, passages=_sample_passages(book.text, chapters))


def _sample_passages(text: str, chapters: Sequence[ChapterScaffold]) -> tuple[str, ...]:
    """Return the beginning of the first, of the middle and of the last scene of the book."""
    scenes = [scene for chapter in chapters for scene in chapter.scenes]
    chosen = sorted({0, len(scenes) // 2, len(scenes) - 1})
    beginnings = (text[scenes[index].start : scenes[index].end].split() for index in chosen)
    return tuple(" ".join(words[:PASSAGE_WORDS]) for words in beginnings)


def _ask_book(call: str, book: SegmentedBook, inputs: BookInputs, asker: Asker, budget: int) -> Ask[None]:
    context = show_book(inputs, describe_book(book), budget, asker.reader)
    request = make_request(call, Node(book.book_id, "book"), context, inputs)
    return Ask(None, request, lambda: [_ask_book(call, book, inputs, asker, budget // 2)])


def _ask_part(
    part: Part, book: SegmentedBook, chapters: Sequence[ChapterDigest], asker: Asker, budget: int
) -> Ask[None]:
    label = ": ".join(filter(None, (part.label, part.title)))
    inside = tuple(chapter for chapter in chapters if part.first_chapter <= chapter.number <= part.last_chapter)
    inputs = PartInputs(label=label, chapters=inside)
    context = show_part(inputs, describe_book(book), budget, asker.reader)
    request = make_request("parts", Node(book.book_id, label), context, inputs)
    return Ask(None, request, lambda: [_ask_part(part, book, chapters, asker, budget // 2)])


def _ask_story(call: str, book: SegmentedBook, inputs: StoryInputs, asker: Asker, budget: int) -> Ask[None]:
    context = show_story(inputs, describe_book(book), budget, asker.reader)
    request = make_request(call, Node(book.book_id, "book"), context, inputs)
    return Ask(None, request, lambda: [_ask_story(call, book, inputs, asker, budget // 2)])


def _build_part(part: Part, answer: PartAnswer) -> PartScaffold:
    return PartScaffold(**part._asdict(), bullets=clean_lines(answer.bullets, 300, 20, NOTHING))
