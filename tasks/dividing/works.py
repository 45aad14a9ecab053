"""SegmentedBook -> the works in it: each story of a collection for itself, a novel whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean, median

from schemas.books import CatalogueEntry, Division, Scene, SegmentedBook
from schemas.corpus_settings import SegmentSettings
from schemas.value import Span
from tasks.dividing.dates import is_dated
from tasks.dividing.headings import parse_heading
from tasks.dividing.styles import is_addressed

SUBJECTS = re.compile(  # the Library of Congress names a nation after 'stories' for collections only
    r"\bshort stories\b|\bfairy tales\b|\bfables\b|\bfolklore\b|\b(?:stories|tales), [A-Z]|\btales -- ", re.IGNORECASE
)
TITLE = re.compile(
    r"\b(?:and|with|,) other (?:\w+ )?(?:stories|tales|sketches)\b|\b(?:short|selected|collected) (?:\w+ )?stories\b"
    r"|\b(?:fairy|folk|wonder)[- ]tales\b|\b(?:stories|tales|fables|legends) (?:of|from|by|for|and)\b"
    r"|\b(?:stories|tales)$",
    re.IGNORECASE,
)
STORY_KEYS = frozenset({"adventure", "story", "tale", "case", "problem", "night", "episode", "exploit", "sketch"})
NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")  # within a sentence
CATALOGUED, TITLED, ANEW, STORY_KEY, LONG = 2.0, 2.0, 1.0, 1.0, 1.0  # scores for a collection
CHAPTER_KEY, NUMBER_ONLY = -3.0, -2.0  # scores against one
FORMS = {"title": TITLED, "story": STORY_KEY, "chapter": CHAPTER_KEY, "number": NUMBER_ONLY, "number and title": 0.0}
STRANGERS, FEW_SHARED, ALL_SHARED = (0.4, 2.0), (0.6, 1.0), (0.7, -2.0)  # share of names that neighbours know, score
MOST = 0.6  # share of the parts whose form is the book's
STORY_WORDS = 5_000  # of a story in the middle; chapters are shorter
NUM_NAMES, MIN_NAMES = 8, 2  # of a part that are compared; names that occur so often
MIN_STORIES = 3
MAX_LOST = 0.05  # share of the narrative that stands between stories: else they are no partition of it


def split_works(segmented: SegmentedBook, settings: SegmentSettings) -> tuple[SegmentedBook, ...]:
    """Return each story of a collection as a book of its own, its heading left out; any other book itself.

    A story is `1661.03` with the collection as its parent; offsets are those of its own text, raw lines are kept.
    Front and back matter belong to no story.
    """
    stories = list_stories(segmented)
    if not stories or score_collection(segmented, stories) < settings.min_collection_score:
        return (segmented,)
    width = max(2, len(str(len(stories))))
    return tuple(make_work(segmented, story, f"{number:0{width}}") for number, story in enumerate(stories, 1))


def list_stories(segmented: SegmentedBook) -> list[Division]:
    """Return the parts that would be stories: the outermost narrative divisions, if they hold nearly all of it."""
    parts = [division for division in segmented.divisions if division.kind == "narrative"]
    while len(parts) == 1 and parts[0].children:
        parts = [child for child in parts[0].children if child.kind == "narrative"]
    stories = [part for part in parts if part.title or part.label]
    total = sum(chapter.end - chapter.start for chapter in segmented.chapters())
    held = sum(story.end - story.start for story in stories)
    return stories if len(stories) >= MIN_STORIES and held >= (1 - MAX_LOST) * total else []


def score_collection(segmented: SegmentedBook, stories: Sequence[Division]) -> float:
    """Return how much speaks for a collection: catalogue, form of the headings, names that do not recur, length.

    Keywords of chapters, letters and dates, and numbers without titles, speak against it. Weights were set on the
    six collections and sixty novels of the reference corpus.
    """
    entry = segmented.entry
    is_catalogued = any(map(SUBJECTS.search, entry.subjects)) or TITLE.search(entry.title or "") is not None
    score = CATALOGUED * is_catalogued + score_forms(stories)
    sizes = [segmented.text.count(" ", story.start, story.end) for story in stories]
    score += LONG * (median(sizes) >= STORY_WORDS)
    return score + score_names([segmented.text[story.body_start : story.end] for story in stories])


def score_forms(stories: Sequence[Division]) -> float:
    """Return what the headings say: titles without number, numbers that begin anew below them, keywords."""
    forms = Counter(form_of(story) for story in stories)
    form, count = forms.most_common(1)[0]
    if count < MOST * len(stories):
        return 0.0
    anew = sum(len(story.children) > 1 for story in stories) > 1
    return FORMS[form] + ANEW * (anew and form == "title")


def form_of(story: Division) -> str:
    """Return the form of a heading: 'title', 'number', 'number and title', 'story' or 'chapter' by its keyword."""
    label = story.label
    if is_dated(label) or is_addressed(label):
        return "chapter"
    heading = parse_heading(label, 1) if label else None
    if heading is None or heading.number is None:
        return "title"
    key = heading.family.partition(" ")[0]
    if key in STORY_KEYS:
        return "story"
    if key not in ("arabic", "roman", "word"):
        return "chapter"
    return "number and title" if story.title or heading.title else "number"


def score_names(texts: Sequence[str]) -> float:
    """Return what the names say: how many of a part's commonest ones its neighbours know as well."""
    names = [Counter(NAME.findall(text)) for text in texts]
    shares = []
    for place, own in enumerate(names):
        known = [name for name, count in own.most_common(NUM_NAMES) if count >= MIN_NAMES]
        beside = [*names[max(0, place - 1) : place], *names[place + 1 : place + 2]]
        if len(known) >= MIN_NAMES:
            shares.append(sum(any(name in other for other in beside) for name in known) / len(known))
    if not shares:
        return 0.0
    share = mean(shares)
    for limit, score in (STRANGERS, FEW_SHARED):
        if share <= limit:
            return score
    return ALL_SHARED[1] if share > ALL_SHARED[0] else 0.0


def make_work(segmented: SegmentedBook, story: Division, number: str) -> SegmentedBook:
    """Return a story as a book: its sections as divisions, or one chapter without heading."""
    start = story.body_start
    text = segmented.text[start : story.end].rstrip()
    parent = segmented.entry
    title = " ".join(part for part in ((story.title,) if story.title else (story.label,)) if part)
    entry = parent.model_copy(
        update={"book_id": f"{parent.book_id}.{number}", "parent_id": parent.book_id, "title": title}
    )
    whole = story.model_copy(
        update={"level": "chapter", "label": "", "title": "", "start": start, "line": story.body_line or story.line}
    )
    parts = story.children or (whole,)
    return SegmentedBook(
        entry=CatalogueEntry.model_validate(entry.model_dump()),
        source_sha256=segmented.source_sha256,
        text=text,
        divisions=tuple(move_division(part, start, len(text)) for part in parts),
        needs_review=segmented.needs_review,
        readings=segmented.readings,
    )


def move_division(division: Division, shift: int, length: int) -> Division:
    """Return a division with offsets counted from `shift` on, cut at the end of a text of this length."""
    moved = {name: min(getattr(division, name) - shift, length) for name in ("start", "body_start", "end")}
    children = tuple(move_division(child, shift, length) for child in division.children)
    scenes = tuple(move_scenes(division.scenes, shift, length))
    return division.model_copy(update={**moved, "children": children, "scenes": scenes})


def move_scenes(scenes: Sequence[Scene], shift: int, length: int) -> Iterator[Scene]:
    """Yield scenes with offsets counted from `shift` on."""
    for scene in scenes:
        paragraphs = tuple(Span(one.start - shift, min(one.end - shift, length)) for one in scene.paragraphs)
        yield Scene(start=paragraphs[0].start, end=paragraphs[-1].end, paragraphs=paragraphs)
