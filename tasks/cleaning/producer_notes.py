"""Lines between the marks -> which of them the producers of the file wrote: credits, banners, transcriber's notes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.cleaning.runs import Run, closing_line, iter_runs, join_run, run_around
from tasks.cleaning.source_text import SourceText

CREDITS = re.compile(
    r"(?:re-?)?(?:produced|prepared|transcribed|scanned|proof(?:ed|read)|digiti[sz]ed|typed|credits\b|html version)\b"
    r"(?:.{0,40}\bby\b|.{0,40}\bfrom\b|:)"
    r"|(?:the |an? )?(?:electronic|e-?)[ -]?(?:text|book|edition|version)s?\b.{0,40}\b(?:prepared|by|of|from)\b"
    r"|(?:this|the following) (?:electronic |e-?)?(?:text|book|edition|version|file|transcription)\b.{0,60}"
    r"\b(?:was|is|were|has been)\b.{0,60}\b(?:produced|prepared|created|done|scanned|transcribed|typed|converted"
    r"|provided|made available)\b"
    r"|(?:title|author|editor|translator|illustrator|release date|posting date|last updated|most recently updated"
    r"|language|character set encoding|other information and formats|original publication): "
    r"|(?:the )?footnotes (?:have|are|were)\b",
    re.IGNORECASE | re.DOTALL,
)
TOKENS = re.compile(  # words of the digital age: no printed book of the public domain has them
    r"project gutenberg|pro[jy]e[ck]t(?:o|et|es)? gutenberg|gutenberg[- ]projekt|gutenberg project"
    r"|gutenberg\.(?:org|net)|pglaf|pgdp|distributed proofread"
    r"|\be-?texts?\b|\be-?books?\b|https?://|\bwww\.\w|@\w[\w-]*\.\w|internet archive|internet wiretap|hathitrust"
    r"|html version|electronic edition|millennium fulcrum edition|livre électronique|version électronique",
    re.IGNORECASE,
)
TOKEN_SIGNS = (  # one of them is in every text that the tokens match, and few others
    "gutenberg", "pglaf", "pgdp", "distributed", "text", "book", "http", "www", "@", "internet", "trust", "html",
    "lectroni", "électroni", "fulcrum", "(c)", "copyright", "public", "anonymous",
)  # fmt: skip
ETEXT = re.compile(
    r"\be-?texts?\b", re.IGNORECASE
)  # of these words the one that means Gutenberg's files wherever it stands
REMARK = re.compile(r"(?<=.)\[[^\[\]]*\]")
IN_BRACKETS = re.compile(
    r"\[[^\[\]]*$|\[[^\[\]]*\be-?texts?\b", re.IGNORECASE
)  # a remark within the author's own paragraph
FRONT_TOKENS = re.compile(
    r"(?:\(c\)|copyright).{0,30}\b(?:19[89]\d|20\d\d)\b|in the public domain|released to the public"
    r"|\banonymous volunteers?\b",
    re.IGNORECASE,
)
BYLINE = re.compile(r"\W*by\b", re.IGNORECASE)
NOTE_HEADING = re.compile(
    r"\W*(?:original )?(?:transcriber|transcription|typist|preparer|proofreader|digiti[sz]er|e-?text editor)"
    r"(?:s|.s|s.)? ?(?:end)?(?:note|remark|comment|bookmark)s?"
    r"|\W*(?:not[aes]{1,2}|anmerkung(?:en)?) (?:(?:de|del|du|des|di|zur|sur|la|le) ){0,2}trans[ck]ri"
    r"|\W*(?:list of )?(?:typographical|obvious|printer.?s.?)\b.{0,20}\berrors? (?:have been |were )?corrected"
    r"|\W*(?:errata|corrections?|changes|errors|(?:list of )?(?:typographical|typos|obvious)).{0,50}\btranscriber",
    re.IGNORECASE,
)
NOTE_WORDS = re.compile(
    r"transcri|spell(?:ed|ing)|hyphen|punctuat|typograph|\berrors?\b|correct(?:ed|ions?)\b|\bitalic|underscore|\bretained\b"
    r"|\bchanged\b|\bthis (?:e-?)?(?:text|book|file|edition)\b|\bunicode|\bascii|\be-?(?:text|book)|\bhtml\b|->|=>",
    re.IGNORECASE,
)
BRACKET_NOTE = re.compile(
    r"\s*[\[{(]\s*_?(?:transcri|project gutenberg|e-?text|pg (?:editor|note)|tr\. note|tn:)", re.IGNORECASE
)
AFTER_NOTE = re.compile(r"\W*(?:foot|end)?notes?\W*$|\W*(?:index|appendix|advertisements?)\b", re.IGNORECASE)
NAMES = ("utenberg", "UTENBERG", "text", "TEXT")
NOTE_SIGNS = ("ranscri", "RANSCRI")  # anywhere in a file; the rest of the headings near its ends
EDGE_SIGNS = ("rrors", "ote", "OTE", "ranskri", "OOKMARK")

FRONT_PARAGRAPHS = 30
FRONT_LINES = 150
NOTE_LINES = 600  # the longest known takes 300
NOTE_GAP = 2  # blank lines that end a note without a closing bracket
FULL_LINE = 50  # characters
HEADING_CHARS = 50  # a longer line is the note itself
LONG_PARAGRAPH = 12  # lines: of a longer one only the lines from the token on are the producer's


def remove_producer_notes(source: SourceText, start: int, end: int) -> None:
    """Empty every line of `start:end` that the file's producers wrote."""
    remove_bracket_notes(source, start, end)
    remove_headed_notes(source, start, end)
    remove_front_credits(source, start, end)
    remove_banners(source, start, end)
    remove_tail(source, start, end)
    remove_ornaments(source, start, end)


def remove_front_credits(source: SourceText, start: int, end: int) -> None:
    """Empty credits and header fields among the first paragraphs."""
    title_dropped = False
    runs = list(iter_runs(source.lines, start, min(end, start + FRONT_LINES)))
    for run in runs[:FRONT_PARAGRAPHS]:
        text = join_run(source.lines, run)
        is_credit = CREDITS.match(text) is not None or has_token(REMARK.sub("", text))
        is_short = run.end - run.start <= LONG_PARAGRAPH or is_about_etexts(source.lines, run)
        if (is_credit or (title_dropped and BYLINE.match(text))) and is_short:
            source.empty("credits", run.start, run.end)
        title_dropped = is_credit and text.lower().startswith(("the project gutenberg", "project gutenberg"))


def has_token(text: str) -> bool:
    """Return whether a paragraph at the front speaks of the digital age."""
    lower = text.lower()
    if not any(sign in lower for sign in TOKEN_SIGNS):
        return False
    return TOKENS.search(text) is not None or FRONT_TOKENS.search(text) is not None


def is_about_etexts(lines: Sequence[str], run: Run) -> bool:
    """Return whether a paragraph of prose, not a list, speaks of etexts."""
    return any(len(line) >= FULL_LINE and ETEXT.search(line) is not None for line in lines[run.start : run.end])


def remove_bracket_notes(source: SourceText, start: int, end: int) -> None:
    """Empty `[Transcriber's note: ...]`, over several paragraphs if need be."""
    for index in source.find("[", start, end):
        if BRACKET_NOTE.match(source.lines[index]):
            last = closing_line(source.lines, index, min(end, index + NOTE_LINES))
            stop = run_around(source.lines, index, start, end).end if last is None else last + 1
            source.empty("transcriber-note", index, stop, is_guess=last is None)


def remove_headed_notes(source: SourceText, start: int, end: int) -> None:
    """Empty notes under a heading such as `Transcriber's Notes`: at the end of the file whole, elsewhere to a gap."""
    lines = source.lines
    found = {index for sign in NOTE_SIGNS for index in source.find(sign, start, end)}
    for low, high in ((start, min(end, start + NOTE_LINES)), (max(start, end - NOTE_LINES), end)):
        found.update(index for sign in EDGE_SIGNS for index in source.find(sign, low, high))
    for index in sorted(found):
        if not lines[index] or not NOTE_HEADING.match(lines[index]):
            continue
        run = run_around(lines, index, start, end)
        is_boxed = index > run.start and not any(map(str.isalnum, "".join(lines[run.start : index])))
        if index > run.start and not is_boxed:
            continue
        last = run.end if is_boxed else note_end(lines, run, end)
        if end - index <= NOTE_LINES and index - start > (end - start) // 2:
            last = next((at for at in range(index + 1, end) if AFTER_NOTE.match(lines[at])), end)
        source.empty("transcriber-note", run.start, last, is_guess=not is_boxed)


def note_end(lines: Sequence[str], heading: Run, end: int) -> int:
    """Return the line after a note: it has a text of its own, and goes on while that speaks of transcribing."""
    is_alone = heading.end - heading.start == 1 and len(lines[heading.start].strip()) < HEADING_CHARS
    last, has_text = heading.end, not is_alone
    for run in iter_runs(lines, heading.end, min(end, heading.end + NOTE_LINES)):
        goes_on = run.start - last < NOTE_GAP and NOTE_WORDS.search(join_run(lines, run)) is not None
        if has_text and not goes_on:
            break
        last, has_text = run.end, True
    return last


def remove_banners(source: SourceText, start: int, end: int) -> None:
    """Empty every paragraph that speaks of Project Gutenberg or of its etexts, wherever it stands."""
    for index in sorted({index for name in NAMES for index in source.find(name, start, end)}):
        line = source.lines[index]
        is_named = "utenberg" in line.lower() and TOKENS.search(line) is not None
        if is_named or (ETEXT.search(line) is not None and IN_BRACKETS.search(line) is None):
            low, high = max(start, index - LONG_PARAGRAPH), min(end, index + LONG_PARAGRAPH + 1)
            run = run_around(source.lines, index, low, high)
            is_long = run.end - run.start > LONG_PARAGRAPH
            source.empty("banner", *((index, index + 1) if is_long else run))


def remove_tail(source: SourceText, start: int, end: int) -> None:
    """Empty ornaments and producers' paragraphs at the very end, from the last line back."""
    lines = source.lines
    for run in reversed(list(iter_runs(lines, max(start, end - FRONT_LINES), end))):
        last = run.end
        while last > run.start and not any(map(str.isalnum, lines[last - 1])):
            last -= 1
        source.empty("separator", last, run.end)
        if last == run.start:
            continue
        text = join_run(lines, Run(run.start, last))
        if last - run.start > LONG_PARAGRAPH or not (TOKENS.search(text) or CREDITS.match(text)):
            break
        source.empty("banner", run.start, last)


def remove_ornaments(source: SourceText, start: int, end: int) -> None:
    """Empty the ornaments that stood between the producers' lines and the book's first."""
    first = next((index for index in range(start, end) if source.lines[index]), end)
    while first < end and not any(map(str.isalnum, source.lines[first])):
        first += 1
    source.empty("separator", start, first)
