"""What every layout works with: one book's text and clean scaffold, exact counts, and the drafts of its rows."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise

from schemas.books import SegmentedBook
from schemas.plans import Plan, Prose
from schemas.scaffold import QUARANTINED, ChapterScaffold, Scaffold
from schemas.settings import ComposeSettings
from schemas.trajectories import Refusal
from schemas.value import Span
from tasks.composing.text import Empty, cut_text
from tasks.grammar.render import FENCE, render_stage
from tasks.grammar.sequence import PROSE_ROLES, count_stage
from tasks.protocols import Tokenizer

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+")
_LINE_ENDS_IN_SPACE = re.compile(r"[^\S\n](?=\n|\Z)")
_LINE_OF_FENCE = re.compile(rf"(?m)^{FENCE}")
_CONTROL_TOKEN = re.compile(r"<\|(?:start_header_id|stop_header_id|eot_id)\|>")


class DoesNotFitError(Exception):
    """A layout that this book has no place in; becomes a Refusal."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class TokenCounter:
    """Counts of the trainee's tokenizer, each text once; it keeps no text, for five rungs of a book are many."""

    def __init__(self, trainee: Tokenizer) -> None:
        self.identity, self._trainee, self._counts = trainee.identity, trainee, dict[bytes, int]()

    def count(self, text: str) -> int:
        """Return the tokens of a text."""
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = self._counts.get(key)
        if known is None:
            known = self._counts[key] = self._trainee.count(text)
        return known

    def stage(self, role: str, plan: Plan) -> int:
        """Return the tokens of a rendered stage, control tokens included."""
        return count_stage(role, render_stage(plan), self)

    def text(self, plan: Plan) -> int:
        """Return the tokens of a stage's text alone."""
        return self.count(render_stage(plan))


def trim_span(text: str, span: Span) -> Span:
    """Return a range without the white space at its ends; an indented first line keeps its indent."""
    piece = text[span.start : span.end]
    end = span.start + len(piece.rstrip())
    num_leading = len(piece) - len(piece.lstrip())
    return Span(min(span.start + piece.rfind("\n", 0, num_leading) + 1, end), end)


@dataclass(frozen=True)
class Draft:
    """A stage to be: what it says, what it weighs, and where its prose stands."""

    role: str
    plan: Plan
    loss: float
    span: Span | None = None


@dataclass(frozen=True)
class RowDraft:
    """A row to be."""

    name: str  # the end of its trajectory_id
    window: int
    targets: tuple[int, ...]
    stages: tuple[Draft, ...]


@dataclass
class Job:
    """One book in the hands of the layouts."""

    segmented: SegmentedBook
    scaffold: Scaffold  # clean: every text inside the grammar
    empty: Empty  # what of the scaffold had nothing in it
    settings: ComposeSettings
    tokens: TokenCounter
    notes: list[Refusal] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    shortened: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    paragraphs: list[Span] = field(init=False)

    def __post_init__(self) -> None:
        """Collect the paragraphs of the narrative."""
        spans = (span for leaf in self.segmented.chapters() for scene in leaf.scenes for span in scene.paragraphs)
        trimmed = (trim_span(self.text, span) for span in spans)
        self.paragraphs = [span for span in trimmed if span.end > span.start]
        self._starts = [span.start for span in self.paragraphs]

    @property
    def text(self) -> str:
        """The book's clean text."""
        return self.segmented.text

    def weigh(self, role: str) -> float:
        """Return the weight of a target's tokens in training: its role's own, or that of all prose or all plans."""
        own = (weight for name, weight in self.settings.role_loss.items() if name == role)
        return next(own, self.settings.prose_loss if role in PROSE_ROLES else self.settings.plan_loss)

    def is_told(self, chapter: ChapterScaffold) -> bool:
        """Tell whether there is a plan of a chapter: what has none is told of nowhere and is no target."""
        return not chapter.quarantined and chapter.number not in self.empty.chapters

    def check_answered(self, chapters: Sequence[ChapterScaffold], calls: Collection[str]) -> None:
        """Refuse a layout that needs what was quarantined: one of these chapters, or what these calls tell of the book.

        Raises:
            DoesNotFitError: `quarantined`, with every node of theirs.
        """
        numbers = {chapter.number for chapter in chapters if chapter.quarantined}
        listed = [node for node in self.scaffold.quarantined if node.chapter in numbers]
        nodes = [f"chapter {number}" for number in sorted(numbers.difference(node.chapter for node in listed))]
        listed += [node for node in self.scaffold.quarantined if node.chapter is None and node.call in calls]
        nodes += [f"{node.node} ({node.call})" for node in listed]
        if nodes:
            raise DoesNotFitError(QUARANTINED, f"no accepted answer for {', '.join(nodes)}")

    def paragraphs_in(self, span: Span) -> list[Span]:
        """Return the paragraphs of a range, cut at its ends."""
        first, last = bisect_right(self._starts, span.start) - 1, bisect_left(self._starts, span.end)
        clipped = [
            Span(max(found.start, span.start), min(found.end, span.end))
            for found in self.paragraphs[max(first, 0) : last]
        ]
        return [found for found in clipped if found.end > found.start] or [span]

    def sentences_in(self, span: Span) -> list[Span]:
        """Return the sentences of a range."""
        return self._split(span, _SENTENCE_END)

    def words_in(self, span: Span) -> list[Span]:
        """Return the words of a range."""
        return self._split(span, re.compile(r"\s+"))

    def paragraph_range(self, chapter: ChapterScaffold, span: Span) -> tuple[int, int]:
        """Return the first and last paragraph of a range, counted from the chapter's first."""
        base = bisect_right(self._starts, chapter.start)
        first, last = bisect_right(self._starts, span.start), bisect_left(self._starts, span.end)
        return max(first - base, 0), max(last - base, 0)

    def prose(self, name: str, span: Span) -> Prose:
        """Return a range as prose under a name."""
        return Prose(name, self.text[span.start : span.end])

    def check_prose(self, spans: Sequence[Span]) -> None:
        """Refuse prose that no stage can hold."""
        for span in spans:
            text = self.text[span.start : span.end]
            for pattern, what in (
                (_LINE_ENDS_IN_SPACE, "a line ends in white space"),
                (_LINE_OF_FENCE, "a line begins with a fence"),
                (_CONTROL_TOKEN, "the text holds a control token"),
            ):
                found = pattern.search(text)
                if found:
                    raise DoesNotFitError("prose-breaks-grammar", f"{what} at character {span.start + found.start()}")
            if not text.strip():
                raise DoesNotFitError("prose-breaks-grammar", f"no prose at characters {span.start}:{span.end}")

    def note(self, layout: str, reason: str, detail: str) -> None:
        """Keep something a reader of the data set may want to know; `layout` names the rung, too."""
        self.notes.append(Refusal(layout=layout, reason=reason, detail=detail))

    def note_shortened(self, layout: str, role: str, full: Plan, kept: Plan) -> None:
        """Count a plan that was shortened, and the bullets that it lost."""
        if full != kept:
            self.shortened[layout, role, "plans"] += 1
            self.shortened[layout, role, "bullets"] += render_stage(full).count("\n- ") - render_stage(kept).count(
                "\n- "
            )

    def forget(self, layout: str) -> None:
        """Drop the notes of a layout that is refused after all."""
        self.notes = [note for note in self.notes if note.layout != layout]
        self.shortened = Counter({key: num for key, num in self.shortened.items() if key[0] != layout})

    def tell_notes(self) -> tuple[Refusal, ...]:
        """Return all notes, the shortened plans last, one for every layout and role."""
        shortened = [
            Refusal(
                layout=layout,
                reason="shortened-plan",
                detail=f"{role}: {num} plans shortened, {self.shortened[layout, role, 'bullets']} bullets dropped",
            )
            for (layout, role, kind), num in self.shortened.items()
            if kind == "plans"
        ]
        return (*self.notes, *shortened)

    def _split(self, span: Span, border: re.Pattern[str]) -> list[Span]:
        borders = [match.end() for match in border.finditer(self.text, span.start, span.end) if match.end() < span.end]
        edges = [span.start, *borders, span.end]
        pieces = (Span(start, start + len(self.text[start:end].rstrip())) for start, end in pairwise(edges))
        return [piece for piece in pieces if piece.end > piece.start]


@dataclass(frozen=True)
class Keep:
    """How much of every list and line of a plan is kept."""

    bullets: int = 90
    focuses: int = 7
    chars: int = 300

    def lines(self, bullets: Sequence[str]) -> tuple[str, ...]:
        """Return the first bullets, each cut."""
        return tuple(cut_text(bullet, self.chars) for bullet in bullets[: self.bullets])


def fit_plan(build: Callable[[Keep], Plan], fits: Callable[[Plan], bool]) -> Plan | None:
    """Return the fullest plan that fits, or None: last bullets go first, then focuses, then ends of lines."""
    plan = build(Keep())
    if fits(plan):
        return plan
    low, high = 0, Keep.bullets  # the most bullets that fit lie in low..high-1; 0 stands for none
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(build(Keep(middle))) else (low, middle)
    if low:
        return build(Keep(low))
    tried = (build(Keep(1, 1, chars)) for chars in (300, 150, 75, 40, 20))
    return next((plan for plan in tried if fits(plan)), None)
