"""Job + place -> what a window is told before its targets: prompt, premise, the story so far, the text before.

Every part has a budget in tokens and is shortened to it; all of it is context, with loss 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.plans import Named, Premise, Prose, StorySoFar
from schemas.scaffold import NOT_STATED, Arc, ChapterScaffold, Character
from schemas.value import Span
from tasks.composing.job import Draft, Job
from tasks.composing.text import cut_text, fold, shorten_until
from tasks.grammar.sequence import round_words

# Shares of the window; the tail may be a tenth at most (DESIGN section 6), and all together leave room for a scene
# of 60 % and its plan.
PROMPT_SHARE, PREMISE_SHARE, STORY_SHARE, TAIL_SHARE = 1 / 32, 1 / 32, 1 / 16, 1 / 10
CONTEXT_SHARE = PROMPT_SHARE + PREMISE_SHARE + STORY_SHARE + TAIL_SHARE
_LEAST_PROMPT, _LEAST_PREMISE, _LEAST_REST = 24, 24, 48  # tokens below which a part is not shortened, or left out
_LEAST_HIGHLIGHT, _MOST_HIGHLIGHT = 40, 2_000  # characters


class Place(NamedTuple):
    """Where a window begins."""

    pieces: Sequence[ChapterScaffold]
    first: int  # place of its first target
    turn: int  # number of the sample, from 0


def build_context(job: Job, place: Place, budget: float) -> tuple[Draft, ...]:
    """Return the context of a window within about `budget` tokens; the first window has nothing before it."""
    part = budget / CONTEXT_SHARE
    prompts = [prompt.text for prompt in job.scaffold.prompts] or [measure_prompt(job)]
    drafts = [
        _fit_prompt(job, prompts[place.turn % len(prompts)], max(part * PROMPT_SHARE, _LEAST_PROMPT)),
        _fit_premise(job, max(part * PREMISE_SHARE, _LEAST_PREMISE)),
    ]
    if place.first and part * STORY_SHARE >= _LEAST_REST:
        story = _fit_story(job, place, part * STORY_SHARE)
        drafts += [Draft("story_so_far", story, 0.0)] if story else []
    if place.first and part * TAIL_SHARE >= _LEAST_REST:
        tail = _fit_tail(job, place.pieces[place.first - 1], part * TAIL_SHARE)
        drafts += [tail] if tail else []
    return tuple(drafts)


def measure_prompt(job: Job) -> str:
    """Return a prompt of the book's length alone, for a book without a prompt of its own."""
    num_chapters = len(job.scaffold.chapters)
    chapters = "one chapter" if num_chapters == 1 else f"{num_chapters} chapters"
    return f"Write a novel of about {round_words(job.scaffold.num_words)} words in {chapters}."


def _fit_prompt(job: Job, text: str, budget: float) -> Draft:
    return Draft("prompt", shorten_until(text, lambda cut: job.tokens.stage("prompt", cut) <= budget), 0.0)


def _fit_premise(job: Job, budget: float) -> Draft:
    """Title, then as much of the highlight as goes into two thirds, then main characters while there is room."""

    def fits(premise: Premise, share: float = 1.0) -> bool:
        return job.tokens.stage("premise", premise) <= budget * share

    preview = job.scaffold.preview
    title = cut_text(fold(preview.title), 300) or job.scaffold.title
    premise = Premise(shorten_until(title, lambda cut: fits(Premise(cut, "", ()))), "", ())
    whole = cut_text(fold(preview.highlight), _MOST_HIGHLIGHT)
    highlight = shorten_until(whole, lambda cut: fits(premise._replace(highlight=cut), 2 / 3))
    if len(highlight) >= min(len(whole), _LEAST_HIGHLIGHT) and fits(premise._replace(highlight=highlight)):
        premise = premise._replace(highlight=highlight)
    for person in filter(_says_something, job.scaffold.main_characters):
        fuller = premise._replace(characters=(*premise.characters, Named(person.name, person.bullets[:1])))
        if not fits(fuller):
            break
        premise = fuller
    return Draft("premise", premise, 0.0)


class _Line(NamedTuple):
    """A bullet of the story so far, with its place in reading order."""

    group: int  # 0: arcs, 1: chapters
    entry: int
    heading: str
    bullet: int
    text: str


def _fit_story(job: Job, place: Place, budget: float) -> StorySoFar | None:
    """Take bullets by weight while the budget lasts, then put them in reading order."""
    chosen: list[_Line] = []
    used = job.tokens.stage("story_so_far", StorySoFar(()))
    headings: set[tuple[int, int]] = set()
    for line in _weigh_bullets(job, place, budget):
        cost = job.tokens.count(f"\n- {line.text}")
        if (line.group, line.entry) not in headings:
            cost += job.tokens.count(f"\n### {line.heading}")
        if used + cost > budget:
            break
        used += cost
        headings.add((line.group, line.entry))
        chosen.append(line)
    while chosen and job.tokens.stage("story_so_far", _tell(chosen)) > budget:
        chosen.pop()
    return _tell(chosen) if chosen else None


def _tell(lines: Sequence[_Line]) -> StorySoFar:
    entries: dict[tuple[int, int], Named] = {}
    for line in sorted(lines):
        known = entries.get((line.group, line.entry), Named(line.heading, ()))
        entries[line.group, line.entry] = known._replace(bullets=(*known.bullets, line.text))
    return StorySoFar(tuple(entries.values()))


def _weigh_bullets(job: Job, place: Place, budget: float) -> Iterator[_Line]:
    """Yield bullets, weightiest first: the last chapter's end, one of each finished arc, then chapters backwards.

    A chapter's bullets are halved with every step back, so that the nearest chapters have most detail. Nothing is
    told of chapters without a plan, nor of arcs that have no other.
    """
    before = [piece for piece in place.pieces[: place.first] if job.is_told(piece)]
    last = len(before) - 1
    spent = 0
    for number in reversed(range(len(before[-1].bullets) if before else 0)):
        line = _Line(1, last, before[-1].name, number, before[-1].bullets[number].text)
        spent += job.tokens.count(f"\n- {line.text}")
        if spent > budget / 2 and number < len(before[-1].bullets) - 1:
            break
        yield line
    current, told = place.pieces[place.first].number, [piece.number for piece in before]
    for number, arc in reversed(list(enumerate(job.scaffold.arcs, 1))):
        is_known = any(arc.first_chapter <= chapter <= arc.last_chapter for chapter in told)
        if arc.last_chapter < current and is_known and _says_something(arc):
            yield _Line(0, number, arc.name, 0, arc.short[0])
    for step, entry in enumerate(reversed(range(last)), 1):
        piece = before[entry]
        for number in range(max(1, len(piece.bullets) >> step)):
            yield _Line(1, entry, piece.name, number, piece.bullets[number].text)


def _says_something(item: Arc | Character) -> bool:
    bullets = item.short if isinstance(item, Arc) else item.bullets
    return NOT_STATED not in (item.name, bullets[0])


def _fit_tail(job: Job, piece: ChapterScaffold, budget: float) -> Draft | None:
    """Return the last paragraphs of a chapter; of a long paragraph the last sentences, of a long sentence words."""

    def draft(span: Span) -> Draft:
        return Draft("previous_text", job.prose(piece.name, span), 0.0, span)

    frame = job.tokens.stage("previous_text", Prose(piece.name, ""))
    whole = Span(piece.start, piece.end)
    for split in (job.paragraphs_in, job.sentences_in, job.words_in):
        atoms = split(whole)
        used, start = frame, len(atoms)
        while start > 0:
            used += job.tokens.count(job.text[atoms[start - 1].start : atoms[start - 1].end] + "\n\n")
            if used > budget:
                break
            start -= 1
        for first in range(start, len(atoms)):
            tail = draft(Span(atoms[first].start, whole.end))
            if job.tokens.stage(tail.role, tail.plan) <= budget:
                return tail
        whole = atoms[-1]
    return None
