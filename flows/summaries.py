"""What a run says at its end: one object for programs, a few lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import Field
from rich.console import Console

from flows.ledgers import describe_ledger
from schemas.corpus import CorpusDiff
from schemas.ledger import Ledger
from schemas.outcomes import Outcome
from schemas.runs import Accounting, Manifest, Tally, TokenTally, TrainingResult
from schemas.value import Value
from tasks.buckets import is_over_budget, is_passing
from tasks.opening import Opened


class BuildSummary(Value):
    """What `scriptorium build` has made and where it lies."""

    out: str
    version: int
    is_new: bool
    books: Tally
    accounting: Accounting
    trajectories: dict[str, dict[str, int]]
    tokens: TokenTally
    ledger: Ledger = Field(description="what this run asked; a finished build asks nothing")
    report: str
    trainable: bool
    seconds: float
    unavailable: tuple[str, ...] = Field(default=(), description="books not done this time, for any reason")
    over_budget: tuple[str, ...] = Field(default=(), description="of these, those that wait for another run's budget")
    left_out: dict[str, int] = Field(default_factory=dict, description="catalogue entries not selected, by reason")
    training: TrainingResult | None = None

    @property
    def num_trajectories(self) -> int:
        """Rows of all layouts and splits."""
        return sum(sum(splits.values()) for splits in self.trajectories.values())


class RefreshSummary(Value):
    """What `scriptorium refresh` found and built; `build` is null where nothing was to do."""

    out: str
    diff: CorpusDiff
    build: BuildSummary | None
    seconds: float


def summarize_build(
    outcomes: Sequence[Outcome], manifest: Manifest, opened: Opened, *, is_new: bool, seconds: float
) -> BuildSummary:
    """Return what a build did: its own books, and the snapshot they are in."""
    out = opened.bench.settings.out
    reasons = Counter(outcome.rejection.reason for outcome in outcomes if outcome.rejection)
    num_out = sum(outcome.status == "out" for outcome in outcomes)
    return BuildSummary(
        out=out,
        version=manifest.version,
        is_new=is_new,
        books=Tally(in_=len(outcomes), out=num_out, rejected=dict(sorted(reasons.items()))),
        accounting=manifest.accounting,
        trajectories=manifest.trajectories,
        tokens=manifest.tokens,
        ledger=opened.engine.ledger(),
        report=f"{out.rstrip('/')}/report/index.html",
        trainable=opened.engine.trainable or opened.bench.stories is not None,  # no plan quotes a story
        seconds=round(seconds, 1),
        unavailable=tuple(o.book_id for o in outcomes if is_passing(o)),
        over_budget=tuple(o.book_id for o in outcomes if is_over_budget(o)),
        left_out=opened.left_out,
    )


def print_build(summary: BuildSummary, console: Console) -> None:
    """Print a build's summary."""
    books, tokens = summary.books, summary.tokens
    rows = [("books", f"{books.in_} in = {books.out} out + {books.num_rejected} rejected{_reasons(books)}")]
    works = summary.accounting.works
    if works != summary.accounting.books:
        rows.append(("works", f"{works.in_} in = {works.out} out + {works.num_rejected} rejected{_reasons(works)}"))
    if summary.left_out:
        reasons = ", ".join(f"{number} {reason}" for reason, number in summary.left_out.items())
        rows.append(("not selected", f"{sum(summary.left_out.values())} of the catalogue ({reasons})"))
    for layout, splits in summary.trajectories.items():
        shown = ", ".join(f"{number} {split}" for split, number in splits.items())
        refused = summary.accounting.layouts[layout].refused
        rows.append((layout, f"{sum(splits.values())} trajectories ({shown or 'none'}){_refused(refused)}"))
    if nodes := summary.accounting.nodes:
        rows.append(("quarantined", count_nodes(nodes)))
    rows.append(
        ("tokens", f"{tokens.total:,}, of which {tokens.plan:,} of plans and {tokens.prose:,} of prose are targets")
    )
    rows.append(("data set", f"{summary.out} (snapshot {summary.version}{'' if summary.is_new else ', unchanged'})"))
    rows.append(("report", summary.report))
    rows.extend(describe_ledger(summary.ledger) if summary.trainable else [])
    if summary.training is not None:
        rows.extend(_training_rows(summary.training))
    rows.append(("time", f"{summary.seconds:.1f} s"))
    print_rows(rows, console)
    if not summary.trainable:
        note = "Note: plans are extractive and quote the prose, so rows are marked trainable=false"
        trained = "; train.allow_untrainable = true trained on them for demonstration only" if summary.training else ""
        console.print(f"{note}{trained}.", highlight=False, soft_wrap=True)
    _print_waiting(summary, console)


def _print_waiting(summary: BuildSummary, console: Console) -> None:
    if summary.over_budget:
        note = f"The budget is spent: {len(summary.over_budget)} books wait"
        console.print(f"{note}; the same command goes on, with as much again.", highlight=False, soft_wrap=True)
    away = [book_id for book_id in summary.unavailable if book_id not in set(summary.over_budget)]
    if away:
        listed = ", ".join(away[:10])
        console.print(f"Not done this time: {listed}; run the same command again.", highlight=False, soft_wrap=True)


def print_refresh(summary: RefreshSummary, console: Console) -> None:
    """Print what a refresh found, and the build that followed."""
    diff = summary.diff
    found = f"{len(diff.new)} new, {len(diff.changed)} changed, {diff.unchanged} unchanged, {len(diff.gone)} gone"
    later = f", {diff.postponed} postponed (refresh.max_books)" if diff.postponed else ""
    print_rows([("corpus", found + later)], console)
    if summary.build is None:
        console.print("Nothing to do.", highlight=False)
    else:
        print_build(summary.build, console)


def print_training(result: TrainingResult, console: Console) -> None:
    """Print a training run's summary."""
    print_rows(_training_rows(result), console)


def print_rows(rows: Sequence[tuple[str, str]], console: Console) -> None:
    """Print names and values in two columns; a long path is never broken."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        console.print(f"{name:<{width}}  {value}", highlight=False, markup=False, soft_wrap=True)


def count_nodes(nodes: dict[str, int]) -> str:
    """Return how many nodes were quarantined and why, on one line."""
    reasons = ", ".join(f"{number} {reason}" for reason, number in nodes.items())
    return f"{sum(nodes.values())} parts of plans without an accepted answer ({reasons})"


def _training_rows(result: TrainingResult) -> list[tuple[str, str]]:
    losses = f"loss {result.first_loss:.3f} -> {result.last_loss:.3f}, least gradient norm {result.min_grad_norm:.3g}"
    steps = f"{result.steps} steps over {result.num_samples} rows on {result.device}"
    return [("training", f"{steps}: {losses}"), ("adapter", result.adapter)]


def _reasons(books: Tally) -> str:
    return (
        f" ({', '.join(f'{number} {reason}' for reason, number in books.rejected.items())})" if books.rejected else ""
    )


def _refused(refused: dict[str, int]) -> str:
    return f"; refused: {', '.join(f'{number} {reason}' for reason, number in refused.items())}" if refused else ""
