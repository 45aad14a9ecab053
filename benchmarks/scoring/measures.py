"""The reference files, one after the other -> one flat table of figures, ours beside the peers'."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean

from benchmarks.scoring import chapterize
from benchmarks.scoring.chapters import count_right_names, f1_score, narrative_lines
from benchmarks.scoring.ends import count_boilerplate, count_cut, judge_kept, split_lines
from benchmarks.scoring.offsets import count_lost
from benchmarks.scoring.peers import Cleaner, kept_lines
from benchmarks.scoring.reading import Reading, read_file
from benchmarks.scoring.reference import ReferenceFile, first_of_works
from schemas.errors import PipelineError
from schemas.settings import Settings
from tasks.cleaning.decoding import decode_text

Figures = dict[str, int | float | str]  # flat; a bool is an int
CHAPTERIZE = "chapterize_"


class Scores:
    """What was counted so far: sums by name, chapter scores by book, and what deserves a look."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.f1: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self.screened: defaultdict[str, set[str]] = defaultdict(set)  # of each work, the wrong answers
        self.notes: list[str] = []

    def add(self, prefix: str, counts: Mapping[str, int]) -> None:
        """Add counts under names with a prefix."""
        for name, count in counts.items():
            self.sums[prefix + name] += count

    def note(self, file: ReferenceFile, text: str) -> None:
        """Remember what a person would want to see."""
        self.notes.append(f"{file.path.name}: {text}")


def measure_corpus(
    files: Sequence[ReferenceFile], peers: Mapping[str, Cleaner | None], *, offsets: bool = True
) -> tuple[Figures, list[str]]:
    """Return every figure but memory, and a line for each thing that is not as it should be.

    Args:
        files: of the reference.
        peers: cleaners by name; None for one that is not installed.
        offsets: whether every offset of every text is mapped back to its byte, which takes about a minute.
    """
    scores, settings = Scores(), Settings()
    timed = {file.path for file in first_of_works(list(files))}
    for file in files:
        try:
            reading = read_file(file.path, settings)
        except PipelineError as error:
            scores.sums["files_refused"] += 1
            scores.note(file, str(error))
            continue
        score_file(scores, file, reading, offsets=offsets)
        lines = split_lines(decode_text(reading.raw.data)[0])
        for name, cleaner in peers.items():
            if cleaner is not None:
                score_peer(scores, f"{name}_", file, lines, cleaner, is_timed=file.path in timed)
        if file.divisions:
            score_chapterize(scores, file, lines)
        if file.path in timed:
            time_stages(scores, reading)
    return summarize(scores, files, peers), scores.notes


def score_file(scores: Scores, file: ReferenceFile, reading: Reading, *, offsets: bool) -> None:
    """Count what is right and wrong in one file."""
    clean, report = reading.clean, reading.report
    scores.sums["files"] += 1
    num_left = count_boilerplate(clean.text)
    scores.add("", {"boilerplate_left": num_left, "files_with_boilerplate": bool(num_left)})
    if num_left:
        scores.note(file, f"{num_left} places of boilerplate left")
    scores.sums["lossless"] += "".join(reading.segmented.texts) == clean.text
    if offsets and (lost := count_lost(clean, reading.raw.data)) is not None:
        scores.add("", {"offsets": len(clean.text), "offsets_lost": lost, "files_mapped": lost == 0})
        if lost:
            scores.note(file, f"{lost} of {len(clean.text)} offsets lead to another character")
    reason = reading.rejection.reason if reading.rejection else None
    scores.screened[file.book_id].update({str(reason)} if reason != file.reason else set())
    if reason != file.reason:
        detail = reading.rejection.detail if reading.rejection else ""
        scores.note(file, f"screened as {reason}, not {file.reason}: {detail}")
    scores.sums["needs_review"] += report.needs_review
    if file.ends is not None:
        score_ends(scores, file, reading)
    if file.divisions:
        score_chapters(scores, file, reading)


def score_ends(scores: Scores, file: ReferenceFile, reading: Reading) -> None:
    """Compare the ends of book and narrative, and count the author's characters that are gone."""
    report, ends = reading.report, file.ends
    if ends is None:
        return
    book = (report.first_line, report.last_line)
    story = (report.narrative_first_line, report.narrative_last_line)
    cut = count_cut(split_lines(decode_text(reading.raw.data)[0]), ends, reading.clean, reading.raw.data)
    scores.add(
        "",
        {
            "bounded": 1,
            "start_exact": book[0] == ends.first,
            "end_exact": book[1] == ends.last,
            "both_ends_exact": book == (ends.first, ends.last),
            "left_at_start": book[0] < ends.first,
            "left_at_end": book[1] > ends.last,
            "narrative_both_ends_exact": story == (ends.narrative_first, ends.narrative_last),
            "files_cut": bool(cut),
            "characters_cut": cut,
        },
    )
    if book != (ends.first, ends.last):
        scores.note(file, f"book at {book[0]} to {book[1]}, not {ends.first} to {ends.last}")
    if story != (ends.narrative_first, ends.narrative_last):
        scores.note(file, f"narrative at {story[0]} to {story[1]}, not {ends.narrative_first} to {ends.narrative_last}")
    if cut:
        scores.note(file, f"{cut} of the author's characters are gone")


def score_chapters(scores: Scores, file: ReferenceFile, reading: Reading) -> None:
    """Compare the headings of one book."""
    found, true = reading.report.divisions, file.divisions
    narrative = [one for one in true if one.kind == "narrative"]
    told = [one for one in found if one.kind == "narrative"]
    scores.f1["chapter"][file.book_id] = f1_score(narrative_lines(found), [one.line for one in narrative])
    scores.f1["chapter_leaves"][file.book_id] = f1_score(
        [one.line for one in told if one.body_line is not None], [one.line for one in narrative if one.is_leaf]
    )
    scores.f1["all_divisions"][file.book_id] = f1_score([one.line for one in found], [one.line for one in true])
    scores.add("", {"named": len(narrative), "named_right": count_right_names(told, narrative)})
    if scores.f1["chapter"][file.book_id] < 1:
        scores.note(file, f"chapter F1 {scores.f1['chapter'][file.book_id]:.3f}")


def score_chapterize(scores: Scores, file: ReferenceFile, lines: Sequence[str]) -> None:
    """Compare what chapterize's algorithm finds in the raw file."""
    found = chapterize.find_headings(lines)
    narrative = [one.line for one in file.divisions if one.kind == "narrative"]
    scores.f1[f"{CHAPTERIZE}chapter"][file.book_id] = f1_score(found, narrative)
    scores.f1[f"{CHAPTERIZE}all_divisions"][file.book_id] = f1_score(found, [one.line for one in file.divisions])


def score_peer(
    scores: Scores, prefix: str, file: ReferenceFile, lines: list[str], cleaner: Cleaner, *, is_timed: bool
) -> None:
    """Count what is right and wrong in what a peer keeps of one file."""
    started = time.process_time()
    text = cleaner("\n".join(lines))
    if is_timed:
        scores.seconds[f"{prefix}clean"] += time.process_time() - started
    num_left = count_boilerplate(text)
    scores.add(prefix, {"boilerplate_left": num_left, "files_with_boilerplate": bool(num_left)})
    if file.ends is not None:
        scores.add(prefix, judge_kept(kept_lines(cleaner, lines), lines, file.ends))


def time_stages(scores: Scores, reading: Reading) -> None:
    """Add the seconds that the stages took."""
    scores.sums["timed_bytes"] += len(reading.raw.data)
    for stage, seconds in (("clean", reading.clean_s), ("segment", reading.segment_s), ("screen", reading.screen_s)):
        scores.seconds[stage] += seconds


def summarize(scores: Scores, files: Sequence[ReferenceFile], peers: Mapping[str, Cleaner | None]) -> Figures:
    """Return the figures: shares of all there are, scores with their worst book, megabytes per CPU second."""
    num_bounded = sum(file.ends is not None for file in files)
    names = ("start_exact", "end_exact", "both_ends_exact", "left_at_start", "left_at_end", "files_cut")
    counts = ("characters_cut", "boilerplate_left", "files_with_boilerplate")
    figures: Figures = {"files": len(files), "works": len(scores.screened), "files_bounded": num_bounded}
    figures |= {"files_refused": scores.sums["files_refused"], "needs_review": scores.sums["needs_review"]}
    for prefix in ("", *(f"{name}_" for name, cleaner in peers.items() if cleaner is not None)):
        figures |= {f"{prefix}{name}": share(scores.sums[prefix + name], num_bounded) for name in names}
        figures |= {f"{prefix}{name}": scores.sums[prefix + name] for name in counts}
    figures["narrative_both_ends_exact"] = share(scores.sums["narrative_both_ends_exact"], num_bounded)
    figures |= {f"{name}_installed": cleaner is not None for name, cleaner in peers.items()}
    figures |= screening_figures(scores, files)
    figures |= chapter_figures(scores)
    figures["lossless_share"] = share(scores.sums["lossless"], len(files))
    if scores.sums["offsets"]:
        figures["offsets_checked"] = scores.sums["offsets"]
        figures["offsets_lost"] = scores.sums["offsets_lost"]
        figures["files_mapped_share"] = share(scores.sums["files_mapped"], len(files))
    return figures | speed_figures(scores)


def screening_figures(scores: Scores, files: Sequence[ReferenceFile]) -> Figures:
    """Return how many works were screened right, all files of a work counting as one."""
    reasons = {file.book_id: file.reason for file in files}
    wrong = {book_id for book_id, answers in scores.screened.items() if answers}
    narrative = {book_id for book_id, reason in reasons.items() if reason is None}
    return {
        "narrative_works": len(narrative),
        "narrative_works_lost": len(wrong & narrative),
        "other_works": len(reasons) - len(narrative),
        "other_works_rejected_rightly": len(reasons.keys() - narrative - wrong),
    }


def chapter_figures(scores: Scores) -> Figures:
    """Return the mean F1, the worst book, and the share of right names."""
    figures: Figures = {"books_divided": len(scores.f1["chapter"])}
    for name, by_book in scores.f1.items():
        figures[f"{name}_f1_mean"] = round(mean(by_book.values()), 4) if by_book else 0.0
    for name in ("chapter", f"{CHAPTERIZE}chapter"):
        worst = min(scores.f1[name].items(), key=lambda one: one[1], default=("none", 0.0))
        figures |= {f"{name}_f1_worst": round(worst[1], 4), f"{name}_f1_worst_book": worst[0]}
    figures["labels_and_titles_right"] = share(scores.sums["named_right"], scores.sums["named"])
    return figures


def speed_figures(scores: Scores) -> Figures:
    """Return megabytes of raw bytes per CPU second, and how many times faster than a peer's cleaning ours is."""
    megabytes = scores.sums["timed_bytes"] / 1e6
    seconds = {name: max(taken, 1e-9) for name, taken in scores.seconds.items()}
    seconds["clean_and_segment"] = seconds.get("clean", 1e-9) + seconds.get("segment", 1e-9)
    figures: Figures = {"timed_mb": round(megabytes, 1)}
    figures |= {f"{name}_mb_per_s": round(megabytes / taken, 2) for name, taken in seconds.items()}
    ratios = {name: taken / seconds["clean"] for name, taken in seconds.items() if name.endswith("clean")}
    return figures | {f"{name}_speed_ratio": round(ratio, 2) for name, ratio in ratios.items()}


def share(count: int, total: int) -> float:
    """Return a share with four digits, 0 of nothing."""
    return round(count / total, 4) if total else 0.0
