"""Levels of a scaffold -> how one rests on the other: names, support, lengths, and whose summary is whose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer

from schemas.scaffold import Arc, Bullet, ChapterScaffold, PartScaffold, Scaffold
from tasks.checking.measures import Measured, align_statements, at_least, at_most
from tasks.checking.names import find_names, is_introduced
from tasks.checking.source import Source, tokenize
from tasks.checking.spans import Ints
from tasks.extraction.lexicons import STOP_WORDS

MAX_RANK, MIN_OWN = 3, 0.95  # of a chapter by its summary; share of chapters that come first
MIN_RANKED = 2  # chapters: one is always first
MIN_LIKENESS = 0.1  # cosine of a summary to its prose; good ones had .20 and more, vague ones .09 and less
MAX_SIBLINGS = 0.8  # cosine of two chapters' summaries
MIN_SUPPORT = 0.1  # cosine of a statement to its nearest child; the least of good plans was .04, so an alarm
MAX_AT_END, MIN_PLACED = 0.45, 8  # share of a book's statements that rest on its last quarter; statements aligned
MIN_INTRODUCED = 0.5  # of the people of a chapter's summary; a proxy, so an alarm
MIN_COMPRESSION, MIN_COMPRESSED = 0.02, 1_000  # words a word of prose, of chapters of so many words
MIN_LEVEL = 8  # chapters: the arcs of fewer may say as much as their summaries


class Parent(NamedTuple):
    """The statements of a level of one place, those of the level below, and the prose under both."""

    node: str
    statements: tuple[str, ...]
    children: tuple[str, ...]
    start: int
    end: int


def list_parents(scaffold: Scaffold) -> list[Parent]:
    """Return chapters over their scenes, parts and arcs over their chapters; quarantined chapters left out."""
    chapters = [chapter for chapter in scaffold.chapters if not chapter.quarantined]
    parents = [
        Parent(f"chapter {one.number}", list_texts(one.bullets), list_scene_texts(one), one.start, one.end)
        for one in chapters
    ]
    for number, part in enumerate(scaffold.parts, 1):
        parents += _list_parent(f"part {number}", part, part.bullets, chapters)
    for number, arc in enumerate(scaffold.arcs, 1):
        parents += _list_parent(f"arc {number}", arc, (*arc.short, *arc.medium, *arc.long), chapters)
    return parents


def measure_names_below(parent: Parent, source: Source) -> Measured:
    """Number of names of a parent that neither a child has, in any form of the person's name, nor the prose itself.

    Names of places that good plans keep for the upper level ("London") stand in the prose.
    """
    told = {source.order[word] for word in np.unique(source.within(parent.start, parent.end)).tolist()}
    absent = find_names_absent(parent.statements, told.union(tokenize(" ".join(parent.children))), source)
    return at_most("names-in-children", len(absent), 0, ", ".join(absent))


def find_names_absent(
    statements: Sequence[str], below: AbstractSet[str], source: Source, *, people_only: bool = False
) -> list[str]:
    """Return the names of the book in `statements` of which no form is among the words below."""
    absent: dict[str, None] = {}
    for statement in statements:
        for name in find_names(statement):
            words = [word for word in name.words if word in source.capitals]
            person = source.find_person(words) is not None
            meant = person or bool(words and not name.opens and not people_only)
            if meant and below.isdisjoint(words) and not source.has_form(words, below):
                absent[" ".join(name.words).title()] = None
    return list(absent)


def measure_support(parents: Sequence[Parent]) -> Iterator[tuple[str, Measured]]:
    """Least cosine of a statement of each parent to its nearest child: an alarm, which never fails."""
    if not parents:
        return
    vectorizer = TfidfVectorizer(analyzer=list_content_words)
    vectorizer.fit([line for parent in parents for line in parent.children])
    for parent in parents:
        own, below = vectorizer.transform(parent.statements), vectorizer.transform(parent.children)
        best = np.asarray((own @ below.T).todense()).max(axis=1)
        worst = int(best.argmin())
        value = float(best[worst])
        yield parent.node, sound_alarm("support", value, MIN_SUPPORT, value >= MIN_SUPPORT, parent.statements[worst])


def measure_ranks(summaries: Sequence[Ints], proses: Sequence[Ints], source: Source) -> tuple[list[int], list[float]]:
    """Return the rank of each summary's own prose among all by cosine of TF-IDF, from 1, and that cosine.

    Sublinear counts, no stop words: with raw counts and stop words 14 of 27 good summaries came after another chapter;
    so, none does.
    """
    weights = TfidfTransformer(sublinear_tf=True).fit(_count(proses, source))
    weighted = weights.transform(_count(summaries, source)) @ weights.transform(_count(proses, source)).T
    scores = np.asarray(weighted.todense())
    own = np.diag(scores)
    ranks: NDArray[np.int64] = np.where(own > 0, 1 + (scores > own[:, None]).sum(axis=1), len(proses))
    return [int(rank) for rank in ranks], [float(cosine) for cosine in own]


def measure_siblings(summaries: Sequence[str]) -> list[tuple[float, int]]:
    """Return for each summary the greatest cosine of TF-IDF to another, and which."""
    weighted = TfidfVectorizer(analyzer=list_content_words).fit_transform(summaries)
    cosines = np.asarray((weighted @ weighted.T).todense())
    np.fill_diagonal(cosines, -1.0)
    return [(float(row.max()), int(row.argmax())) for row in cosines]


def measure_lengths(scaffold: Scaffold) -> Measured:
    """Number of levels that are not shorter than the one below: premise, arcs, parts, chapters, scenes.

    Chapters of one scene are left out, and so are the arcs of a work of fewer than 8 chapters beside its chapters.
    """
    chapters = [chapter for chapter in scaffold.chapters if not chapter.quarantined]
    many = [chapter for chapter in chapters if len(chapter.scenes) > 1]
    texts = {chapter.number: _size(list_texts(chapter.bullets)) for chapter in chapters}
    pairs = [
        ("premise", _size([scaffold.preview.highlight]), _size(line for arc in scaffold.arcs for line in arc.long)),
        *((f"arc {number}, short", _size(arc.short), _size(arc.medium)) for number, arc in enumerate(scaffold.arcs, 1)),
        *((f"arc {number}, medium", _size(arc.medium), _size(arc.long)) for number, arc in enumerate(scaffold.arcs, 1)),
    ]
    if len(chapters) >= MIN_LEVEL:
        pairs.append(("arcs", _size(line for arc in scaffold.arcs for line in arc.long), sum(texts.values())))
    for number, part in enumerate(scaffold.parts, 1):
        below = [texts.get(chapter, 0) for chapter in range(part.first_chapter, part.last_chapter + 1)]
        if len(below) > 1 and all(below):
            pairs.append((f"part {number}", _size(part.bullets), sum(below)))
    if many:
        own = sum(texts[chapter.number] for chapter in many)
        pairs.append(("chapters", own, sum(_size(list_scene_texts(chapter)) for chapter in many)))
    wrong = [f"{name} ({above} words over {below})" for name, above, below in pairs if above >= below]
    return at_most("lengths-fall", len(wrong), 0, ", ".join(wrong))


def measure_end(scaffold: Scaffold, source: Source, prose: Ints) -> Measured | None:
    """Share of the arcs' statements that rest on the last quarter of the book: an alarm; None where few are placed."""
    statements = [line for arc in scaffold.arcs for line in arc.long]
    places, num_windows = align_statements(statements, prose, source)
    if len(places) < MIN_PLACED:
        return None
    share = float((places * 4 >= num_windows * 3).mean())
    return sound_alarm("end-emphasis", share, MAX_AT_END, share <= MAX_AT_END, "")


def measure_introduced(statements: Sequence[str], source: Source) -> Measured | None:
    """Share of the people of a summary whose first mention says who they are: an alarm; None where nobody is named."""
    seen: dict[int, bool] = {}
    for statement in statements:
        for name in find_names(statement):
            index = source.find_person(name.words)
            if index is not None:
                seen.setdefault(index, is_introduced(name, statement))
    if not seen:
        return None
    share = sum(seen.values()) / len(seen)
    unknown = ", ".join(source.people[index][0] for index, told in seen.items() if not told)
    return sound_alarm("introduced", share, MIN_INTRODUCED, share >= MIN_INTRODUCED, unknown)


def measure_compression(statements: Sequence[str], prose: Ints) -> Measured | None:
    """Words of a summary a word of its prose; None for short chapters."""
    if len(prose) < MIN_COMPRESSED:
        return None
    return at_least("compression", _size(statements) / len(prose), MIN_COMPRESSION)


def sound_alarm(check: str, value: float, limit: float, inside: bool, detail: str) -> Measured:
    """Return a number that is reported beside its limit and passes on either side of it."""
    return Measured(check, round(value, 4), limit, True, "" if inside else detail[:200])


def list_texts(bullets: Sequence[Bullet]) -> tuple[str, ...]:
    """Return what bullets say."""
    return tuple(bullet.text for bullet in bullets)


def list_scene_texts(chapter: ChapterScaffold) -> tuple[str, ...]:
    """Return the statements of all scenes of a chapter."""
    return tuple(bullet.text for scene in chapter.scenes for bullet in scene.bullets)


def list_content_words(text: str) -> list[str]:
    """Return the words of a text that say something of their own; an empty one where none does."""
    return [word for word in tokenize(text) if word not in STOP_WORDS] or [""]


def _list_parent(
    node: str, above: Arc | PartScaffold, statements: tuple[str, ...], chapters: Sequence[ChapterScaffold]
) -> list[Parent]:
    within = [one for one in chapters if above.first_chapter <= one.number <= above.last_chapter]
    below = tuple(line for one in within for line in (*list_texts(one.bullets), *list_scene_texts(one)))
    return [Parent(node, statements, below, within[0].start, within[-1].end)] if within else []


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.split()) for line in lines)


def _count(texts: Sequence[Ints], source: Source) -> sparse.csr_matrix:
    """Return how often each text has each word, stop words left out: [len(texts), len(vocabulary)]."""
    known = [text[(text >= 0) & ~np.isin(text, source.stop_words)] for text in texts]
    rows = np.repeat(np.arange(len(known)), [len(text) for text in known])
    columns = np.concatenate([*known, np.zeros(0, dtype=np.int64)])
    return sparse.csr_matrix((np.ones(len(columns)), (rows, columns)), shape=(len(known), len(source.vocabulary)))
