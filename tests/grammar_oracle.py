"""Rendered sequence -> its first fault, or None: the written grammar as regular expressions, a second pair of eyes.

It was written from the page of the grammar alone and shares no line with `tasks/grammar`: it takes one string, the whole
sequence with its header tokens, and knows no class of the project. Where the two disagree about a sequence, one is wrong.
What the page leaves open (no blank line between the kinds of people, which letters are Latin, white space around a focus)
is as the runner reads it; a line of prose that begins with a fence is refused, for it would end the text there.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

CountTokens = Callable[[str], int]

FULL_HEAD = (
    "prompt",
    "book_preview",
    "book_plan",
    "first_chapter_plan",
    "first_chapter_text",
    "full_book_chapters_plan",
    "book_characters_list",
)
FIRST = ("prompt", "book_plan", "first_chapter_plan", "first_chapter_scene_breakdown", "first_chapter_text")
WINDOWS = {"full-book": 262_144, "first-chapter": 32_768}
STAGE_TOKENS = {
    "book_preview": 4_000,
    "book_plan": 50_000,
    "first_chapter_plan": 9_000,
    "first_chapter_text": 12_000,
    "full_book_chapters_plan": 60_000,
    "book_characters_list": 6_000,
    "scene_breakdown": 3_000,
    "chapter_text": 16_000,
}

# ---- small parts ----
BULLET = r"- [^\n]{1,300}"
NAME = r"[^\n]{1,120}"
D = r"(?:0|[1-9][0-9]?)"
AXES = ("action", "dialog", "world_building", "exposition", "romantic", "erotic", "pacing")
VECTOR = ", ".join(f"{axis}: {D}" for axis in AXES)
COUNT = r"[1-9][0-9]{1,4}"
FOCUS = r"(?!\s)[^;\n]{1,65}(?<!\s)"
FOCUSES = rf"{FOCUS}(?:; {FOCUS}){{0,6}}"

# ---- words of the preview ----
LETTER = "A-Za-zÀ-ÖØ-öø-ſ"
TAG_MARKS = re.escape("&'\"`´/().:+—–“”‘’…-")
MARKS = TAG_MARKS + re.escape(",;!?")


def _words(marks: str, low: int, high: int) -> str:
    word = rf"(?:[{marks}]?[{LETTER}0-9][{LETTER}0-9{marks}]*|[&–—…“”‘’])"
    return rf"{word}(?: {word}){{{low - 1},{high - 1}}}"


def _times(block: str, low: int, high: int, join: str = r"\n") -> str:
    return rf"{block}(?:{join}{block}){{{low - 1},{high - 1}}}"


def _bullets(high: int) -> str:
    return _times(BULLET, 1, high)


def _arcs(body: str) -> str:
    return _times(rf"### Arc [1-9][0-9]?: {NAME}\n{body}", 1, 12, r"\n\n")


def _people(mark: str, persons: int, bullets: int) -> str:
    return _times(rf"{mark} {NAME}\n{_bullets(bullets)}", 1, persons)


# ---- stages ----
TAG = rf"(?={BULLET}(?:\n|$))- {_words(TAG_MARKS, 1, 8)}"
PREVIEW = (
    rf"## Book Highlight\n{_words(MARKS, 55, 140)}\n\n## Book Title\n{_words(MARKS, 1, 8)}\n\n"
    rf"## Book Tags\n{_times(TAG, 7, 7)}\n\n## Book Archetype\n{_words(MARKS, 45, 190)}"
)
RULES = rf"## World Rules\n{_bullets(90)}"
CAST = rf"## Character Archetypes\n{_people('###', 32, 10)}"
STYLE = rf"## Writing Style\n{_bullets(40)}"
SECTIONS = ("Short Story Arcs", "Medium Story Arcs", "Long Story Arcs")
TABLES = ("Number of Chapters", "Chapter Names", "Chapters Embedding Space", "Chapters Word Count")
RATED, COUNTED = rf"#### {NAME}\n{VECTOR}", rf"#### {NAME}\n{COUNT}"
BOOK_PLAN = "\n\n".join(
    (
        RULES,
        rf"## Short Story Arcs\n(?P<short>{_arcs(_bullets(20))})",
        CAST,
        STYLE,
        rf"## Medium Story Arcs\n(?P<medium>{_arcs(_bullets(40))})",
        rf"## Long Story Arcs\n(?P<long>{_arcs(_bullets(80))})",
        rf"## Number of Chapters\n(?P<numbers>{_arcs(r'[*] [1-9][0-9]?')})",
        rf"## Chapter Names\n(?P<names>{_arcs(_times('- ' + NAME, 1, 99))})",
        rf"## Chapters Embedding Space\n(?P<vectors>{_arcs(_times(RATED, 1, 99))})",
        rf"## Chapters Word Count\n(?P<counts>{_arcs(_times(COUNTED, 1, 99))})",
    )
)
SMALL_BOOK_PLAN = "\n\n".join((PREVIEW, RULES, rf"## Story Arcs\n(?P<short>{_arcs(_bullets(20))})", CAST, STYLE))
SCENE = (
    rf"#### Scene (?:[1-9]|1[0-2]): {NAME}\n\*\*Word Count:\*\* {COUNT}\n\*\*Embedding Space:\*\* {VECTOR}\n"
    rf"\*\*Narrative Focus:\*\* {FOCUSES}\n\*\*Narrative Perspective:\*\* [^\n]{{1,200}}\n\*\*Scene Summary:\*\*\n{_bullets(20)}"
)
SCENES = _times(SCENE, 1, 12)


def _chapter(bullets: int) -> str:
    return (
        rf"### {NAME}\n\*\*Word Count:\*\* {COUNT}\n\*\*Embedding Space:\*\* {VECTOR}\n"
        rf"\*\*Narrative Focuses:\*\* {FOCUSES}\n\*\*Chapter Summary:\*\*\n{_bullets(bullets)}"
    )


TEXT = rf"### {NAME}\n```\n(?!\n*```)(?:(?!```)[^\n]*\n)+```"
BREAKDOWN = rf"### {NAME}\n{SCENES}"
FULL_STAGES = {
    "prompt": r"(?s:.+)",
    "book_preview": PREVIEW,
    "book_plan": BOOK_PLAN,
    "first_chapter_plan": rf"{_chapter(80)}\n\n### Scene Breakdown\n{SCENES}",
    "first_chapter_text": TEXT,
    "full_book_chapters_plan": rf"{_chapter(80)}(?:\n\n{_chapter(80)})*",
    "book_characters_list": rf"### Main Characters\n{_people('####', 20, 20)}\n### Side Characters\n{_people('####', 20, 20)}",
    "scene_breakdown": BREAKDOWN,
    "chapter_text": TEXT,
}
FIRST_STAGES = {
    "prompt": r"(?s:.+)",
    "book_plan": SMALL_BOOK_PLAN,
    "first_chapter_plan": _chapter(32),
    "first_chapter_scene_breakdown": BREAKDOWN,
    "first_chapter_text": TEXT,
}
STAGE = r"<\|start_header_id\|>([a-z_]+)<\|stop_header_id\|>\n\n((?:(?!<\|(?:start_header_id|stop_header_id|eot_id)\|>)(?s:.))*)<\|eot_id\|>"
CONTROL = re.compile(r"<\|(?:start_header_id|stop_header_id|eot_id)\|>")  # one token each
BLOCK = (
    rf"^### (?P<name>{NAME})\n\*\*Word Count:\*\* (?P<count>{COUNT})\n\*\*Embedding Space:\*\* (?P<vector>{VECTOR})$"
)


def find_fault(sequence: str, layout: str) -> str | None:
    """Return what is wrong with one rendered sequence of `layout` (`full-book` or `first-chapter`), None if nothing."""
    if not re.fullmatch(rf"(?:{STAGE})+", sequence):
        return "sequence: not a row of stages"
    stages: list[tuple[str, str]] = re.findall(STAGE, sequence)
    faults = [*_faults_of_roles([role for role, _ in stages], layout), *_faults_of_forms(stages, layout)]
    faults = faults or _faults_of_names(stages, layout)
    return faults[0] if faults else None


def find_excess(sequence: str, layout: str, count_tokens: CountTokens) -> str | None:
    """Return what of a faultless sequence the runner would not let a model write: too many tokens, too long a prose."""
    stages: list[tuple[str, str]] = re.findall(STAGE, sequence)
    faults = [*_faults_of_lengths(stages), *_faults_of_tokens(sequence, stages, layout, count_tokens)]
    return faults[0] if faults else None


def _faults_of_roles(roles: Sequence[str], layout: str) -> list[str]:
    if layout == "first-chapter":
        return [] if tuple(roles) == FIRST else ["roles: not those of first-chapter"]
    rest = roles[len(FULL_HEAD) :]
    pairs = ["scene_breakdown", "chapter_text"] * (len(rest) // 2)
    whole = tuple(roles[: len(FULL_HEAD)]) == FULL_HEAD and rest and list(rest) == pairs
    return [] if whole else ["roles: not those of full-book"]


def _faults_of_forms(stages: Sequence[tuple[str, str]], layout: str) -> list[str]:
    forms = FULL_STAGES if layout == "full-book" else FIRST_STAGES
    faults = []
    for role, text in stages:
        if role not in forms or not re.fullmatch(forms[role], text):
            faults.append(f"{role}: not its form")
        elif any(line != line.rstrip() for line in text.split("\n")) or text != text.rstrip():
            faults.append(f"{role}: a line ends in white space")
        elif role == "prompt" or role.endswith("_text"):
            continue
        elif not all(map(_is_round, re.findall(rf"^\*\*Word Count:\*\* ({COUNT})$", text, re.M))):
            faults.append(f"{role}: a word count is not rounded")
        elif not _scenes_in_order(text, role):
            faults.append(f"{role}: scenes are not numbered from 1")
    return faults


def _is_round(number: str) -> bool:
    n = int(number)
    step = 10 if n < 100 else 50 if n < 1_000 else 100 if n < 10_000 else 500
    return n % step == 0


def _scenes_in_order(text: str, role: str) -> bool:
    if role not in ("first_chapter_plan", "scene_breakdown", "first_chapter_scene_breakdown"):
        return True
    numbers = [int(k) for k in re.findall(r"^#### Scene ([0-9]+): ", text, re.M)]
    return numbers == list(range(1, len(numbers) + 1))


def _faults_of_names(stages: Sequence[tuple[str, str]], layout: str) -> list[str]:
    if layout == "first-chapter":
        arcs = _arc_titles(re.fullmatch(SMALL_BOOK_PLAN, stages[1][1])["short"])  # type: ignore[index]
        heads = {text.split("\n", 1)[0] for _, text in stages[2:]}
        return [] if len(heads) == 1 and arcs else ["chapter: named in two ways, or arcs not numbered from 1"]
    plan = re.fullmatch(BOOK_PLAN, stages[2][1])
    assert plan is not None
    titles = [
        _arc_titles(plan[group]) for group in ("short", "medium", "long", "numbers", "names", "vectors", "counts")
    ]
    if not titles[0] or any(one != other for one, other in pairwise(titles)):
        return ["book_plan: arcs differ between sections, or are not numbered from 1"]
    return _faults_of_chapters(stages, plan)


def _arc_titles(section: str) -> list[str]:
    """Return the arcs' titles; none where they are not numbered 1, 2, 3 ..."""
    found = re.findall(r"^### Arc ([0-9]+): (.*)$", section, re.M)
    return [title for _, title in found] if [int(k) for k, _ in found] == list(range(1, len(found) + 1)) else []


def _faults_of_chapters(stages: Sequence[tuple[str, str]], plan: "re.Match[str]") -> list[str]:
    numbers = [int(n) for n in re.findall(r"^\* ([0-9]+)$", plan["numbers"], re.M)]
    by_arc = [re.findall(r"^- (.*)$", arc, re.M) for arc in plan["names"].split("\n\n")]
    names = [name for arc in by_arc for name in arc]
    rated = [re.findall(rf"^#### (.*)\n({VECTOR})$", arc, re.M) for arc in plan["vectors"].split("\n\n")]
    counted = [re.findall(rf"^#### (.*)\n({COUNT})$", arc, re.M) for arc in plan["counts"].split("\n\n")]
    if not by_arc or [len(arc) for arc in by_arc] != numbers:
        return ["book_plan: the number of chapters is not that of their names"]
    if any([[name for name, _ in arc] for arc in table] != by_arc for table in (rated, counted)):
        return ["book_plan: chapters differ between sections"]
    if len(set(names)) != len(names):
        return ["book_plan: two chapters share a name"]
    if not all(_is_round(n) for arc in counted for _, n in arc):
        return ["book_plan: a word count is not rounded"]
    vectors = [vector for arc in rated for _, vector in arc]
    counts = [count for arc in counted for _, count in arc]
    planned = [
        (block["name"], block["count"], block["vector"])
        for role, text in stages
        if role in ("first_chapter_plan", "full_book_chapters_plan")
        for block in re.finditer(BLOCK, text, re.M)
    ]
    if planned != list(zip(names, counts, vectors, strict=True)):
        return ["chapter plans: not the names, word counts and vectors of book_plan"]
    for role in ("text", "breakdown"):
        heads = [text.split("\n", 1)[0] for name, text in stages if name.endswith(role)]
        if heads != [f"### {name}" for name in (names if role == "text" else names[1:])]:
            return [f"{role}: not the chapters of book_plan, one after the other"]
    return []


def _faults_of_lengths(stages: Sequence[tuple[str, str]]) -> list[str]:
    """Hold each chapter's prose against twice the most words its planned count can stand for."""
    counts = {
        block["name"]: int(block["count"])
        for role, text in stages
        if role in ("first_chapter_plan", "full_book_chapters_plan")
        for block in re.finditer(BLOCK, text, re.M)
    }
    for role, text in stages:
        if role.endswith("_text"):
            name, prose = text.removeprefix("### ").split("\n", 1)
            if len(prose[4:-4].split()) > 2 * _most_words(counts[name]):
                return [f"{role}: the runner would cut its prose"]
    return []


def _most_words(planned: int) -> float:
    if planned < 100:
        return (planned + 5) * 1.50
    if planned < 1_000:
        return (planned + 25) * 1.25
    return (planned + 50) * 1.15 if planned < 10_000 else (planned + 250) * 1.08


def _faults_of_tokens(
    sequence: str, stages: Sequence[tuple[str, str]], layout: str, count_tokens: CountTokens
) -> list[str]:
    limits = STAGE_TOKENS if layout == "full-book" else STAGE_TOKENS | {"first_chapter_plan": 2_500}
    faults = [f"{role}: too many tokens" for role, text in stages if count_tokens(text) > limits.get(role, 10**9)]
    between = CONTROL.split(sequence)
    total = len(between) - 1 + sum(count_tokens(text) for text in between if text)
    return [*faults, *(["sequence: over the window"] if total > WINDOWS[layout] else [])]
