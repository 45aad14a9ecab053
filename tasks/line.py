"""Prepared -> Trajectories: evaluation texts, then the stages that need a model; each made if it is not there yet."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from schemas.books import Rejection, SegmentedBook
from schemas.errors import BookError
from schemas.outcomes import Outcome, Prepared, PreparedWork, WorkOutcome
from schemas.outlines import Outlines
from schemas.overlaps import Overlap
from schemas.scaffold import QUARANTINED, Findings, Scaffold
from schemas.settings import Recipe
from schemas.trajectories import Trajectories
from schemas.value import Value
from tasks.bench import Bench
from tasks.compose import compose_book, compose_outlines
from tasks.decontaminate import find_overlap, refuse_contaminated
from tasks.keys import code_digest, hash_json
from tasks.outline import outline_book
from tasks.prepare import prepare_book
from tasks.summarize import summarize_book
from tasks.turns import COMPUTING
from tasks.verify import verify_scaffold

logger = logging.getLogger(__name__)

NO_VERDICTS: Mapping[str, Rejection] = {}


class Course(NamedTuple):
    """What a recipe does with a divided work: its stages in order, what shapes their values, and what runs them."""

    stages: tuple[str, ...]
    groups: Callable[[Bench], tuple[Value, ...]]
    run: Callable[[str, SegmentedBook, Bench, dict[str, str]], Trajectories]


def outcome_key(prepared: Prepared, verdicts: Mapping[str, Rejection], bench: Bench) -> str:
    """Return where a book's outcome lies if it is made.

    The key covers all that shapes any value of the book: what was prepared, verdicts, code, prompts, settings,
    seams, versions.
    """
    recipe = bench.settings.recipe
    shaped_by = {
        "recipe": recipe,
        "prepared": prepared.digest(),
        "verdicts": {name: verdicts[name].digest() for name in names_of(prepared) if name in verdicts},
        "code": code_digest(__name__),
        "settings": [group.digest() for group in COURSES[recipe].groups(bench)],
        "seams": [bench.llm.identity, bench.reader.identity, bench.trainee.identity],
        "texts": avoided_by(bench),
    }
    return f"outcome/{prepared.book_id}/{hash_json(shaped_by)}.json.zst"


def avoided_by(bench: Bench) -> list[object]:
    """Return what no work may share with, and how much: nothing of where the texts lie."""
    limits = bench.settings.decontaminate
    return [bench.texts.identity, limits.model_dump(exclude={"texts", "column"})] if bench.texts else []


def names_of(prepared: Prepared) -> tuple[str, ...]:
    """Return the ids under which a verdict on a book or on one of its works may stand."""
    return tuple(dict.fromkeys((prepared.book_id, *(work.work_id for work in prepared.works))))


def seams_of(bench: Bench) -> dict[str, Any]:
    """Return what shapes a scaffold beside the book and the settings of its stage, by argument name."""
    return {"llm": bench.llm, "reader": bench.reader, "chunk": bench.chunk, "checks": bench.settings.verify}


def outline_seams(bench: Bench) -> dict[str, Any]:
    """Return the same of outlines."""
    return {"llm": bench.llm, "trainee": bench.trainee, "checks": bench.settings.verify}


def verdict_on(work: PreparedWork, prepared: Prepared, verdicts: Mapping[str, Rejection]) -> Rejection | None:
    """Return why no model is to see a work, or None where one is."""
    return work.rejection or verdicts.get(work.work_id) or verdicts.get(prepared.book_id)


def find_outcome(prepared: Prepared, verdicts: Mapping[str, Rejection], bench: Bench) -> Outcome | None:
    """Return the outcome of a book that is done and whose values are all there, or None."""
    outcome = bench.work.load(Outcome, outcome_key(prepared, verdicts, bench))
    if outcome is None:
        return None
    values = (value for work in outcome.works for value in work.values.values())
    return outcome if all(bench.work.digest(value) is not None for value in values) else None


def settle_book(prepared: Prepared, verdicts: Mapping[str, Rejection], bench: Bench) -> Outcome | None:
    """Return and store the outcome of a book that no model needs to see, or None where a work of it is to be made."""
    if prepared.rejection is None and any(verdict_on(work, prepared, verdicts) is None for work in prepared.works):
        return None
    return _finish(prepared, verdicts, bench)


def run_book(book_id: str, bench: Bench, verdicts: Mapping[str, Rejection] = NO_VERDICTS) -> Outcome:
    """Run every stage of one book and store its outcome.

    Args:
        book_id: whose.
        bench: what the stages work with.
        verdicts: what was found about works beside the book itself: duplicates, takedowns.

    Raises:
        TransientError: the mirror or the server was busy for longer than their own patience; nothing is lost.
    """
    return run_prepared(prepare_book(book_id, bench), bench, verdicts)


def run_prepared(prepared: Prepared, bench: Bench, verdicts: Mapping[str, Rejection] = NO_VERDICTS) -> Outcome:
    """Run the other stages of a book that is prepared, and store its outcome."""
    done = find_outcome(prepared, verdicts, bench)
    return done if done is not None else _finish(prepared, verdicts, bench)


def describe(outcome: Outcome) -> str:
    """Return what became of a book, on one line."""
    if outcome.rejection is None:
        return f"{outcome.num_rows} trajectories"
    return f"rejected by {outcome.rejection.stage}, {outcome.rejection.reason}: {outcome.rejection.detail}"


def _finish(prepared: Prepared, verdicts: Mapping[str, Rejection], bench: Bench) -> Outcome:
    started = time.monotonic()
    works: list[WorkOutcome] = []
    for work in prepared.works if prepared.rejection is None else ():
        verdict = verdict_on(work, prepared, verdicts)
        works.append(_run_work(work, bench) if verdict is None else _withhold(work, verdict))
    rejection = prepared.rejection or _reject_all(prepared.book_id, works)
    outcome = Outcome(
        book_id=prepared.book_id,
        status="out" if rejection is None else "rejected",
        entry=prepared.entry,
        file_sha256=prepared.file_sha256,
        rejection=rejection,
        values=prepared.values,
        works=tuple(works),
    )
    bench.work.save(outcome_key(prepared, verdicts, bench), outcome)
    logger.info("book %s: %s, %.1f s", prepared.book_id, describe(outcome), time.monotonic() - started)
    return outcome


def _reject_all(book_id: str, works: list[WorkOutcome]) -> Rejection | None:
    """Return the rejection of a book none of whose works is out: the commonest reason, or None where one is."""
    rejections = [work.rejection for work in works if work.rejection is not None]
    if len(rejections) < len(works) or not rejections:
        return None
    if len(works) == 1 and works[0].work_id == book_id:
        return rejections[0]
    counts = Counter(rejection.reason for rejection in rejections)
    reason = counts.most_common(1)[0][0]
    listed = ", ".join(f"{number} {name}" for name, number in counts.most_common())
    stage = next(rejection.stage for rejection in rejections if rejection.reason == reason)
    detail = f"all {len(works)} stories of it were rejected: {listed}"
    return Rejection(book_id=book_id, stage=stage, reason=reason, detail=detail)


def _run_work(work: PreparedWork, bench: Bench) -> WorkOutcome:
    """Summarise, check and compose one work; an error of its own is an outcome, too."""
    values = _first_values(work)
    segmented = bench.work.load(SegmentedBook, work.segmented)
    if segmented is None:
        raise FileNotFoundError(work.segmented)
    contaminated = _compare(segmented, bench, values)
    if contaminated is not None:
        return WorkOutcome(work_id=work.work_id, rejection=contaminated, values=values)
    try:
        composed = _compose_work(segmented, bench, values)
    except BookError as error:
        stages = COURSES[bench.settings.recipe].stages
        stage = next(stage for stage in stages if stage not in values)  # the one that was at work
        return _refuse(work, stage, error.reason, error.detail, values)
    if composed.rows:
        return WorkOutcome(work_id=work.work_id, values=values, num_rows=len(composed.rows))
    refused = "; ".join(f"{refusal.layout}: {refusal.detail}" for refusal in composed.refused)
    is_quarantined = any(refusal.reason == QUARANTINED for refusal in composed.refused)
    reason = QUARANTINED if is_quarantined else "no-layout"  # without the gap, it might have fitted one
    return _refuse(work, "compose", reason, f"it fits no layout ({refused})", values)


def _compare(segmented: SegmentedBook, bench: Bench, values: dict[str, str]) -> Rejection | None:
    """Return the rejection of a work that holds an evaluation text: no model is asked about it."""
    if bench.texts is None:
        return None
    with COMPUTING:
        values["decontaminate"], overlap = bench.work.make(
            Overlap, segmented.book_id, find_overlap, None, segmented, texts=bench.texts
        )
    return refuse_contaminated(overlap, bench.settings.decontaminate)


def _compose_work(segmented: SegmentedBook, bench: Bench, values: dict[str, str]) -> Trajectories:
    """Return a work's trajectories; `values` learns where each value on the way lies."""
    return COURSES[bench.settings.recipe].run(segmented.book_id, segmented, bench, values)


def _plan_and_compose(work_id: str, segmented: SegmentedBook, bench: Bench, values: dict[str, str]) -> Trajectories:
    settings, make = bench.settings, bench.work.make
    if "summarize" in values:  # it came with its plan: no model is asked
        scaffold = _load_scaffold(values["summarize"], bench)
    else:
        values["summarize"], scaffold = make(
            Scaffold, work_id, summarize_book, settings.summarize, segmented, **seams_of(bench)
        )
    with COMPUTING:
        values["verify"], _ = make(Findings, work_id, verify_scaffold, settings.verify, segmented, scaffold)
        values["compose"], composed = make(
            Trajectories, work_id, compose_book, settings.compose, segmented, scaffold, trainee=bench.trainee
        )
    return composed


def _outline_and_compose(work_id: str, segmented: SegmentedBook, bench: Bench, values: dict[str, str]) -> Trajectories:
    settings, make = bench.settings, bench.work.make
    values["outline"], outlines = make(
        Outlines, work_id, outline_book, settings.outline, segmented, **outline_seams(bench)
    )
    pairs: dict[str, Any] = {"outline": settings.outline, "trainee": bench.trainee}
    with COMPUTING:
        values["compose"], composed = make(
            Trajectories, work_id, compose_outlines, settings.compose, segmented, outlines, **pairs
        )
    return composed


def _load_scaffold(key: str, bench: Bench) -> Scaffold:
    scaffold = bench.work.load(Scaffold, key)
    if scaffold is None:
        raise FileNotFoundError(key)
    return scaffold


def _withhold(work: PreparedWork, verdict: Rejection) -> WorkOutcome:
    return WorkOutcome(work_id=work.work_id, rejection=verdict, values=_first_values(work))


def _first_values(work: PreparedWork) -> dict[str, str]:
    values = {"segment": work.segmented, "sign": work.signature, "repetition": work.repetition}
    return values if work.scaffold is None else {**values, "summarize": work.scaffold}


def _refuse(work: PreparedWork, stage: str, reason: str, detail: str, values: dict[str, str]) -> WorkOutcome:
    rejection = Rejection(book_id=work.work_id, stage=stage, reason=reason, detail=detail)
    return WorkOutcome(work_id=work.work_id, rejection=rejection, values=values)


COURSES: dict[Recipe, Course] = {
    "prompt-to-book": Course(
        ("summarize", "verify", "compose"),
        lambda bench: (bench.chunk, bench.settings.summarize, bench.settings.verify, bench.settings.compose),
        _plan_and_compose,
    ),
    "outline-to-text": Course(
        ("outline", "compose"),
        lambda bench: (bench.settings.outline, bench.settings.verify, bench.settings.compose),
        _outline_and_compose,
    ),
}
