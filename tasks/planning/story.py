"""Chapter scaffolds + people -> what is asked about the whole book: people, arcs, world, style, preview, prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from schemas.answer_parts import LevelAnswer
from schemas.answers import (
    ArcsAnswer,
    PartAnswer,
    PeopleAnswer,
    PreviewAnswer,
    PromptsAnswer,
    StyleAnswer,
    WorldAnswer,
)
from schemas.books import SegmentedBook
from schemas.questions import BookInputs, Facts, PartInputs, PersonDigest, StoryInputs
from schemas.scaffold import (
    Arc,
    Archetype,
    ChapterScaffold,
    Character,
    PartScaffold,
    Preview,
    Quarantine,
    UserPrompt,
    Vector,
)
from schemas.settings import SummarizeSettings
from schemas.value import Value
from tasks.planning.ask import Node, ask_together, make_request, quarantine
from tasks.planning.assemble import NOTHING, mean_vector
from tasks.planning.assemble_book import (
    bare_arcs,
    build_archetypes,
    build_preview,
    build_prompts,
    partition_arcs,
)
from tasks.planning.digest import gather_book
from tasks.planning.merging import Merged, Teller, merge_chapters
from tasks.planning.roster import clean_register
from tasks.planning.tree import Part, find_parts
from tasks.planning.views import Budget, name_chapters, show_book, show_story
from tasks.planning.wording import clean_lines
from tasks.protocols import Failure, Request

A = TypeVar("A", bound=LevelAnswer)
STORY_SHARE = 0.03  # tokens per word of the book, of what preview and prompts are told


@dataclass(frozen=True)
class Story:
    """A scaffold without its chapters; empty where no answer was accepted."""

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
    quarantined: tuple[Quarantine, ...]


@dataclass
class _Told:
    """Answers about the book by what was asked: a call, or a part's place among the parts."""

    answers: dict[str | int, Value] = field(default_factory=dict)
    quarantined: list[Quarantine] = field(default_factory=list)

    def get(self, key: str | int, kind: type[A]) -> A | None:
        return cast(A | None, self.answers.get(key))


MakeRequest = Callable[[str], Request]


def tell_story(
    book: SegmentedBook,
    chapters: Sequence[ChapterScaffold],
    people: tuple[PersonDigest, ...],
    settings: SummarizeSettings,
    teller: Teller,
) -> Story:
    """Ask about the book twice: what follows from its chapters, then what follows from that."""
    inputs = gather_book(book, chapters, people)
    parts = find_parts(book, [chapter.start for chapter in chapters])
    merged = merge_chapters(book.book_id, inputs, parts, teller)
    told = _ask_book(book.book_id, inputs, parts, merged, teller)
    story = _join_story(inputs, told, book.text, [(chapter.vector, chapter.num_words) for chapter in chapters])
    after = _ask_story(book.book_id, story, teller)
    roles, preview = told.get("people", PeopleAnswer), after.get("preview", PreviewAnswer)
    prompts = after.get("prompts", PromptsAnswer)
    return Story(
        facts=inputs.facts,
        prompts=build_prompts(prompts, story, settings.max_prompt_words) if prompts else (),
        preview=build_preview(preview, inputs.facts.title),
        world_rules=story.world_rules,
        writing_style=story.writing_style,
        arcs=story.arcs,
        archetypes=build_archetypes(roles) if roles else (),
        main_characters=story.main_characters,
        side_characters=story.side_characters,
        parts=tuple(_build_part(part, index, told, merged) for index, part in enumerate(parts)),
        quarantined=(*merged.quarantined, *told.quarantined, *after.quarantined),
    )


def _ask_book(book_id: str, inputs: BookInputs, parts: Sequence[Part], merged: Merged, teller: Teller) -> _Told:
    """Ask about the book in one context: its register, arcs, world and style, and the parts that are not told yet."""
    checks = teller.checks
    statements = [bullet for chapter in inputs.chapters for bullet in chapter.bullets]
    children = [
        *statements,
        *(role for person in inputs.people for role in (person.name, *person.aliases, *person.roles)),
    ]

    def ask(call: str) -> MakeRequest:
        if checks is None:
            check = None
        else:
            check = checks.for_arcs(len(inputs.chapters)) if call == "arcs" else checks.for_book(call, children)
        return lambda context: replace(make_request(call, Node(book_id, "book"), context, inputs), check=check)

    questions: dict[str | int, MakeRequest] = {call: ask(call) for call in ("people", "arcs", "world", "style")}
    for index, part in enumerate(parts):
        if (part.first_chapter, part.last_chapter) not in merged.told:
            questions[index] = _ask_part(book_id, part, inputs, teller)
    budget = teller.budget(inputs.facts.num_words)
    return _ask_all(
        questions, lambda limit: show_book(inputs, merged.groups, limit, teller.reader).text, budget, teller
    )


def _ask_part(book_id: str, part: Part, inputs: BookInputs, teller: Teller) -> MakeRequest:
    label = ": ".join(filter(None, (part.label, part.title)))
    inside = tuple(one for one in inputs.chapters if part.first_chapter <= one.number <= part.last_chapter)
    details = f"The part: {label}, {name_chapters(part.first_chapter, part.last_chapter)}."
    children = [bullet for chapter in inside for bullet in chapter.bullets]
    check = teller.checks.for_book("parts", children) if teller.checks else None
    about = PartInputs(label=label, chapters=inside)
    return lambda context: replace(make_request("parts", Node(book_id, label), context, about, details), check=check)


def _ask_story(book_id: str, story: StoryInputs, teller: Teller) -> _Told:
    people = (*story.main_characters, *story.side_characters)
    children = [
        *(line for person in people for line in (person.name, *person.aliases, *person.bullets)),
        *(line for arc in story.arcs for line in arc.long),
        *story.world_rules,
    ]

    def ask(call: str) -> MakeRequest:
        check = teller.checks.for_book(call, children) if teller.checks else None
        return lambda context: replace(make_request(call, Node(book_id, "book"), context, story), check=check)

    budget = teller.budget(story.facts.num_words, STORY_SHARE)
    questions: dict[str | int, MakeRequest] = {call: ask(call) for call in ("preview", "prompts")}
    return _ask_all(questions, lambda limit: show_story(story, limit, teller.reader), budget, teller)


def _ask_all(
    questions: Mapping[str | int, MakeRequest], show: Callable[[Budget], str], budget: Budget, teller: Teller
) -> _Told:
    """Ask in one context, then what failed in a context of half the length, where that is another one."""
    told, shown = _Told(), ""
    failed: dict[str | int, tuple[Request, Failure]] = {}
    for limit in (budget, Budget(budget.wanted // 2, budget.most)):
        waiting = [key for key in questions if key not in told.answers]
        context = show(limit) if waiting else shown
        if context == shown:
            break
        shown, requests = context, [questions[key](context) for key in waiting]
        (replies,) = ask_together(teller.llm, [requests])
        for key, request, reply in zip(waiting, requests, replies, strict=True):
            if isinstance(reply, Failure):
                failed[key] = (request, reply)
            else:
                told.answers[key] = reply.samples[0]
    told.quarantined += [quarantine(*failed[key], None) for key in failed if key not in told.answers]
    return told


def _join_story(inputs: BookInputs, told: _Told, text: str, vectors: Sequence[tuple[Vector, int]]) -> StoryInputs:
    register, arcs = told.get("people", PeopleAnswer), told.get("arcs", ArcsAnswer)
    world, style = told.get("world", WorldAnswer), told.get("style", StyleAnswer)
    main, side = clean_register(register, text) if register else ((), ())
    return StoryInputs(
        facts=inputs.facts,
        main_characters=main,
        side_characters=side,
        arcs=partition_arcs(arcs, len(inputs.chapters)) if arcs else bare_arcs(len(inputs.chapters)),
        world_rules=clean_lines(world.rules, 300, 40, NOTHING) if world else (),
        writing_style=clean_lines(style.rules, 300, 40, NOTHING) if style else (),
        vector=mean_vector(vectors),
    )


def _build_part(part: Part, index: int, told: _Told, merged: Merged) -> PartScaffold:
    answer = told.get(index, PartAnswer)
    lines = answer.bullets if answer else merged.told.get((part.first_chapter, part.last_chapter), ())
    return PartScaffold(**part._asdict(), bullets=clean_lines(lines, 300, 20, NOTHING) if lines else ())
