"""Manifest -> plots as SVG: equal snapshots make equal bytes.

Text stays text, so that a reader's search and screen reader find it; the background is painted, so that a plot can be
read on a light page and on a dark one.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from schemas.runs import Manifest
from schemas.scaffold import Vector
from tasks.counts import tally_findings
from tasks.describing.histograms import spread_over_bins
from tasks.describing.statistics import LEVELS, list_rungs, sum_counts

AXES = tuple(Vector.model_fields)
MAX_LABELS = 10  # below an axis of half the width
STYLE: Any = {  # matplotlib names every key in the type
    "svg.hashsalt": "scriptorium",  # ids within a file are drawn from it instead of at random
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",  # comes with matplotlib: widths are the same everywhere
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
}
COLOURS = ("#4c566a", "#88a0b9", "#5e81ac", "#8f6aa8", "#c2783f", "#3f7d58", "#c8c8c8")  # one a level, context last
BAR = "#3f7d58"
OUTSIDE = "#b0413e"


class Plot(NamedTuple):
    """One picture of the card; `alt` says in words what it shows."""

    path: str
    title: str
    alt: str
    svg: bytes


def draw_plots(manifest: Manifest) -> list[Plot]:
    """Return the plots for which the shards hold counts."""
    drawn = []
    for name, title, draw in PLOTS:
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(8, 3))  # margins are given: finding them takes as long as the rest
            alt = draw(manifest, figure)
            if alt:
                drawn.append(Plot(f"plots/{name}.svg", title, alt, _encode(figure, title)))
    return drawn


def _encode(figure: Figure, title: str) -> bytes:
    sink = io.BytesIO()
    figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    return sink.getvalue()


def _draw_levels(manifest: Manifest, figure: Figure) -> str:
    rungs = [rung for rung in list_rungs(manifest) if sum(rung.levels.values())]
    if not rungs:
        return ""
    figure.set_size_inches(8, 1.6 + 0.32 * len(rungs))
    axes, places = figure.subplots(), range(len(rungs))
    ends = [0.0] * len(rungs)
    for level, colour in zip(LEVELS, COLOURS, strict=True):
        shares = [100 * rung.levels[level] / sum(rung.levels.values()) for rung in rungs]
        if any(shares):
            axes.barh(places, shares, left=ends, color=colour, label=level)
        ends = [end + share for end, share in zip(ends, shares, strict=True)]
    axes.set_yticks(places, [rung.name for rung in rungs])
    axes.invert_yaxis()
    axes.set_xlabel("% of the tokens of all stages")
    figure.legend(loc="lower center", ncols=4, frameon=False)
    _set_margins(figure, left=1.7, bottom=1.1)
    told = [f"{rung.name} {100 * rung.levels['prose'] / sum(rung.levels.values()):.0f} %" for rung in rungs]
    return f"Stacked bars: tokens by level in every layout. Of prose to be learnt: {', '.join(told)}."


def _draw_lengths(manifest: Manifest, figure: Figure) -> str:
    return _draw_pair(manifest, figure, ("words", "words a work"), ("chapters", "chapters a work"))


def _draw_years(manifest: Manifest, figure: Figure) -> str:
    return _draw_pair(manifest, figure, ("born", "first author born"), ("died", "first author died"))


def _draw_pair(manifest: Manifest, figure: Figure, *names: tuple[str, str]) -> str:
    told = [(name, label, sum_counts(manifest, "books", "told")[name]) for name, label in names]
    if not any(number for _, _, number in told):
        return ""
    for axes, (name, label, number) in zip(figure.subplots(1, len(names)), told, strict=True):
        _draw_histogram(axes, manifest, name, f"{label} ({_say_works(number)})")
    _set_margins(figure, left=0.6, bottom=0.9)
    return "Histograms: " + "; ".join(
        f"{label}, of {_say_works(number)}, most in {_fullest(manifest, name)}"
        for name, label, number in told
        if number
    )


def _draw_ratings(manifest: Manifest, figure: Figure) -> str:
    number = sum_counts(manifest, "books", "told")[f"rating:{AXES[0]}"]
    if not number:
        return ""
    figure.set_size_inches(8, 4)
    panels = figure.subplots(2, 4, sharex=True, sharey=True).flat
    for axes, axis in zip(panels, AXES, strict=False):
        _draw_histogram(axes, manifest, f"rating:{axis}", axis.replace("_", " "), 5)
    panels[-1].axis("off")
    panels[3].tick_params(labelbottom=True)  # nothing stands below it
    panels[0].set_ylabel("scenes")
    _set_margins(figure, left=0.7, bottom=0.7)
    figure.subplots_adjust(hspace=0.6)
    common = ", ".join(f"{axis.replace('_', ' ')} {_fullest(manifest, f'rating:{axis}')}" for axis in AXES)
    return f"Seven histograms: ratings of the scenes of {_say_works(number)}, 0 to 99. Most frequent: {common}."


def _draw_copied_runs(manifest: Manifest, figure: Figure) -> str:
    number = sum_counts(manifest, "books", "told")["copied-run"]
    if not number:
        return ""
    axes = figure.subplots()
    _draw_histogram(axes, manifest, "copied-run", "longest run of words that a plan shares with the prose", 20)
    axes.set_ylabel("plans")
    _set_margins(figure, left=0.8, bottom=0.7)
    return (
        f"Histogram: of the plans of {_say_works(number)}, the longest run of words that stands in the prose, too; "
        f"most have {_fullest(manifest, 'copied-run')} words, where 3 stands for 3 or fewer."
    )


def _draw_findings(manifest: Manifest, figure: Figure) -> str:
    findings = tally_findings(manifest)
    if not findings:
        return ""
    figure.set_size_inches(8, 0.8 + 0.2 * len(findings))
    axes, places = figure.subplots(), range(len(findings))
    axes.barh(places, [100 * outside / looked_at for _, looked_at, outside in findings], color=OUTSIDE)
    axes.set_yticks(places, [check for check, _, _ in findings])
    axes.set_xlim(0, 100)
    axes.invert_yaxis()
    axes.set_xlabel("% of the nodes looked at that are outside the limit")
    _set_margins(figure, left=1.7, bottom=0.6)
    worst = sorted(findings, key=lambda one: one[1] and -one[2] / one[1])[:3]
    return "Bars: nodes outside the limit, by check. Highest: " + ", ".join(
        f"{check} {100 * outside / looked_at:.0f} %" for check, looked_at, outside in worst
    )


def _set_margins(figure: Figure, left: float, bottom: float) -> None:
    """Leave room for what stands outside of the axes, in inches."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(left=left / width, bottom=bottom / height, right=1 - 0.2 / width, top=1 - 0.3 / height)


def _draw_histogram(axes: Axes, manifest: Manifest, name: str, label: str, max_labels: int = MAX_LABELS) -> None:
    bins = _bins(manifest, name)
    axes.bar(range(len(bins)), [number for _, number in bins], color=BAR, width=0.9)
    step = -(-len(bins) // max_labels) or 1
    axes.set_xticks(range(0, len(bins), step), [low for low, _ in bins[::step]], rotation=45, ha="right")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.set_title(label, fontsize=9)


def _fullest(manifest: Manifest, name: str) -> str:
    return max(_bins(manifest, name), key=lambda one: one[1])[0]


def _bins(manifest: Manifest, name: str) -> list[tuple[str, int]]:
    return spread_over_bins(name.split(":")[0], sum_counts(manifest, "books", f"hist:{name}"))


def _say_works(number: int) -> str:
    return f"{number:,} work" + "s" * (number != 1)


PLOTS: tuple[tuple[str, str, Callable[[Manifest, Figure], str]], ...] = (
    ("levels", "Tokens by level", _draw_levels),
    ("lengths", "Lengths of the works", _draw_lengths),
    ("years", "Years of the authors", _draw_years),
    ("ratings", "Ratings of scenes", _draw_ratings),
    ("copied-runs", "Runs copied from the prose", _draw_copied_runs),
    ("findings", "Plans outside the limits of a check", _draw_findings),
)
