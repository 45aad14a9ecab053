"""Row of a book -> its page: the whole text, every part of the plan, and nothing that a book or a model slipped in."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.runs import Accounting, LayoutTally, Tally
from schemas.scaffold import Bullet, Doubt, Finding, PartScaffold, Scaffold
from tasks.backends.stores import LocalStore
from tasks.reporting.book_page import AXES, draw_shapes, group_findings, list_nodes, list_sections, render_book
from tasks.reporting.frame import shorten_number, show_figure
from tests.compositions import change_chapter, lose, quarantine
from tests.gold import MISSING, REASON, load_gold
from tests.reports import HOSTILE, a_book, book_row, publish, refused_row
from tests.scaffolds import make_book

FIXED = {"style", "verdict"}  # fields with a closed set of values


class Page(HTMLParser):
    """A page as a browser divides it: tags with the names of their attributes, links, ids and text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.skeleton: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._raw = ""
        self.raw: dict[str, str] = {"style": "", "script": ""}
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.skeleton.append((tag, tuple(sorted(name for name, _ in attrs))))
        self.attributes += attrs
        self._raw = tag if tag in self.raw else ""

    def handle_endtag(self, tag):
        self._raw = ""

    def handle_data(self, data):
        if self._raw:
            self.raw[self._raw] += data
        else:
            self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def values(self, name):
        return [value for attribute, value in self.attributes if attribute == name]

    @property
    def text(self):
        return "".join(self.texts)


def render(book, scaffold, findings=(), refused=(), **changes):
    return Page(render_book(book_row(book, scaffold, findings, **changes), refused))


def rich():
    """A book with everything that a page shows: parts, doubts, quarantined nodes, findings."""
    book, scaffold = make_book([[["One.", "Two.", "Three."], ["Four."]], [["Five.", "Six."]]], parts=(2,))
    doubt = Doubt(statement="It rains.", verdict="contradicted", evidence="the sun", located=True)
    scaffold = change_chapter(scaffold, 0, doubts=(doubt,), num_claims=9)
    part = PartScaffold(label="Part One", title="Lamps", first_chapter=1, last_chapter=2, bullets=("A lamp.",))
    scaffold = quarantine(lose(scaffold.model_copy(update={"parts": (part,)}), "world"), 2)
    findings = [
        Finding(check="copied-run", node=node, value=9, limit=8, passed=place % 3 == 0, detail=f"at {place}")
        for place, node in enumerate([*list_nodes(scaffold), "arc 1, long", "book", "a node of a later version"])
    ]
    return book, scaffold, findings


def words(text):
    return "".join(text.split())


def test_the_whole_text_stands_on_the_page_in_order():
    book, scaffold, findings = rich()
    shown = [
        part
        for section in list_sections(book.text, book_row(book, scaffold)["divisions"], scaffold)
        for part in (section.heading, *section.paragraphs)
    ]
    assert words("".join(shown)) == words(book.text)
    assert words("Part 1. One. Two.") not in words("".join(shown))
    page = render(book, scaffold, findings)
    assert [text for text in page.texts if text in ("One.", "Two.", "Three.", "Four.", "Five.", "Six.")] == [
        "One.", "Two.", "Three.", "Four.", "Five.", "Six.",
    ]  # fmt: skip


def test_a_bullet_leads_to_the_paragraphs_that_it_rests_on_and_to_no_others():
    book, scaffold = make_book([[["One.", "Two.", "Three."]], [["Four."]]])
    lines = (Bullet(text="Told of two.", paragraphs=(1, 2, 7)), Bullet(text="Of none.", paragraphs=(9,)))
    page = render_book(book_row(book, change_chapter(scaffold, 0, bullets=lines)), ()).decode()
    assert '<a href="#c1p1" data-p="1 2">Told of two.</a>' in page
    assert '<p id="c1p1">Two.</p>' in page
    assert "Of none.</a>" not in page
    assert "Of none.</span>" in page


@pytest.mark.skipif(MISSING, reason=REASON)
@pytest.mark.parametrize("book_id", ["43", "35", "1952", "68283"])
def test_bullets_of_reference_scaffolds_and_scenes_of_real_books_find_their_paragraphs(book_id):
    book, scaffold = load_gold(book_id)
    sections = list_sections(book.text, book_row(book, scaffold)["divisions"], scaffold)
    planned = [section for section in sections if section.chapter]
    assert [section.chapter for section in planned] == list(scaffold.chapters)
    for section, leaf in zip(planned, book.chapters(), strict=True):
        spans = [span for scene in leaf.scenes for span in scene.paragraphs]
        assert [paragraph.strip() for paragraph in section.paragraphs] == [
            book.text[start:end].strip() for start, end in spans
        ]
        for first, (_, scene) in section.scenes.items():
            assert section.paragraphs[first].startswith(book.text[scene.start : scene.start + 20].split("\n\n")[0])
    page = render(book, scaffold)
    ids = set(page.values("id"))
    assert len(ids) == len(page.values("id"))
    assert all(link[1:] in ids for link in page.values("href") if link.startswith("#"))


def test_a_plan_is_shown_where_nothing_tells_how_the_text_is_divided():
    book, scaffold = make_book([[["One.", "Two."]], [["Three."]]])
    page = render(book, scaffold, divisions=None)
    ids = page.values("id")
    assert {"c1", "c1p1", "c2", "c2p0"} <= set(ids)
    paragraphs = [line for section in list_sections(book.text, [], scaffold) for line in section.paragraphs]
    assert words("".join(paragraphs)) == words(book.text)
    cut = render(book, scaffold, divisions=book_row(book, scaffold)["divisions"][:1])
    assert "c2" in cut.values("id")
    assert "In 2.1 thing 0 happens." in cut.text
    assert all(link[1:] in cut.values("id") for link in cut.values("href") if link.startswith("#"))


def test_the_outlines_of_a_book_stand_beside_their_passages():
    book, _ = make_book([[["One.", "Two.", "Three."]]])
    at = book.text.index("Three.")
    told = [{"text": "Told of <one> and two."}]
    passages = [
        {"number": 1, "chapter": 1, "start": book.text.index("One."), "end": at, "bullets": told},
        {"number": 2, "chapter": 1, "start": at, "end": len(book.text), "bullets": []},
    ]
    text = words(render(book, None, outlines=json.dumps({"passages": passages})).text)
    assert "Passage1Toldof<one>andtwo.One.Two.Chapter1Passage2Quarantined." in text
    assert text.count("Three.") == 1


def test_every_finding_stands_beside_its_node_once():
    book, scaffold, findings = rich()
    grouped = group_findings(findings, scaffold)
    assert sum(len(group) for group in grouped.values()) == len(findings)
    assert {"book", "arc 1", "chapter 2, scene 1", "person Ada"} <= grouped.keys()
    text = render(book, scaffold, findings).text
    for finding in findings:
        assert len(re.findall(rf"\b{finding.detail}\s", text)) == 1
    assert "a node of a later version" in text


def test_a_quarantined_chapter_says_why_and_shows_no_rating():
    book, scaffold, _ = rich()
    text = render(book, scaffold).text
    assert "chapter 2, window 1, read: length. cut" in text
    assert "book, world: json. no JSON" in text
    assert "2 quarantined" in text
    assert draw_shapes(scaffold.chapters)[0].path.startswith("M0 100V99h1V100h1")


def test_refused_layouts_and_notes_stand_on_the_page_of_their_book():
    book, scaffold = a_book(num_chapters=2, num_paragraphs=4)
    refused = [
        refused_row("7", "layout", "over-window", layout="full-book"),
        refused_row("7", "note", "divided-scene", layout="chapter-window-8k"),
    ]
    text = render(book, scaffold, (), refused).text
    assert "no full-book: over-window" in text
    assert "divided-scene of 7" in text


def test_a_page_lets_nothing_run_or_load_but_its_own_style_and_script():
    page = render(*rich())
    (policy,) = [value for value in page.values("content") if "default-src" in value]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, text in page.raw.items():
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not page.values("src")
    assert all(re.fullmatch(r"#\w+|\.\./[a-z]+\.html(#\w+)?|data:,", link) for link in page.values("href"))
    assert "http" not in "".join(page.raw.values())


def spoil(value, texts):
    """A plan with other texts in every place that holds free text."""
    if isinstance(value, dict):
        return {name: one if name in FIXED else spoil(one, texts) for name, one in value.items()}
    if isinstance(value, list):
        return [spoil(one, texts) for one in value]
    return next(texts)[:60] if isinstance(value, str) else value


def spoiled_book(pieces):
    """A book whose every text is made of these pieces, as its page, and the pages that list it."""

    def texts():
        place = 0
        while True:
            place += 1
            yield f"x{pieces[place % len(pieces)]}{place}"

    book, scaffold, findings = rich()
    plan = Scaffold.model_validate(spoil(json.loads(scaffold.model_dump_json()), texts()))
    found = [Finding.model_validate(spoil(json.loads(finding.model_dump_json()), texts())) for finding in findings]
    text, other = book.text, texts()
    for line in ("One.", "Two.", "Three.", "Four.", "Five.", "Six."):
        text = text.replace(line, next(other)[: len(line)].ljust(len(line), "<"))
    row = book_row(book, plan, found) | {"text": text, "title": next(other), "authors": [next(other)] * 2}
    row |= {"rights": next(other), "issued": next(other), "split": next(other), "languages": [next(other)]}
    refused = [refused_row("7", "layout", next(other), layout=next(other), detail=next(other), title=next(other))]
    return Page(render_book(row, refused)), row, refused


@cache
def plain_skeleton():
    return spoiled_book(("plain",))[0].skeleton


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE) | st.text("<>&\"'=/`{}%x ", min_size=1, max_size=12), min_size=1, max_size=8))
def test_no_text_changes_the_markup_of_a_page(pieces):
    page, row, _ = spoiled_book(tuple(piece.replace("\n", " ") for piece in pieces))
    assert page.skeleton == plain_skeleton()
    assert row["title"] in page.text
    assert all(re.fullmatch(r"#\w+|\.\./[a-z]+\.html(#\w+)?|data:,", link) for link in page.values("href"))


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_changes_the_markup_of_the_lists(tmp_path, piece):
    def listed(text, book_id, place):
        _, row, refused = spoiled_book((text,))
        nothing = {"scaffold": None, "findings": None, "book_id": book_id, "divisions": None}
        tally = Tally(in_=2, out=1, rejected={text: 1})
        counted = Accounting(books=tally, works=tally, layouts={text: LayoutTally(made=1, refused={text: 1})})
        readings = json.dumps([{"evidence": text, "headings": [text]}])
        fields = {"book_id": book_id, "title": text, "readings": readings}
        store = LocalStore(tmp_path / place)
        publish(
            store,
            [row | nothing],
            [refused[0] | fields, refused_row(book_id, "node", text, node=text), refused_row(book_id, text, text)],
            accounting=counted,
            trajectories={text: {"train": 1}},
            models={"summarizer": text},
            versions={text: text},
            prompts={text: text},
            settings={text: text},
            left_out={text: 1},
            created=text,
        )
        return {key.split("/")[-1][:7]: Page(store.get(key)) for key in store.keys("report") if key.endswith("html")}

    hostile, plain = listed(piece, piece, "hostile"), listed("plain", "PLAIN", "plain")
    for name in ("index.h", "refused"):
        assert hostile[name].skeleton == plain[name].skeleton
        assert piece in hostile[name].text
        links = hostile[name].values("href")
        assert all(re.fullmatch(r"(\.\./)?[\w.~/-]*(#\w+)?|data:,", link) for link in links)


@settings(max_examples=25, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
)
def test_any_title_and_text_are_shown_as_they_are(title, text):
    book, _ = a_book(num_chapters=1, num_paragraphs=2)
    page = render(book, None, title=title, text=text, divisions=None)
    assert title in page.text
    assert words(text) in words(page.text)


def test_a_figure_is_short_and_keeps_its_sign():
    assert [show_figure(value) for value in (8.0, 15.7694, 0.5, -1.25, 12_345.0, 0.0)] == [
        "8", "15.769", "0.5", "-1.25", "12,345", "0",
    ]  # fmt: skip


def test_a_headline_shortens_a_large_number():
    numbers = (0, 999_999, 1_000_000, 82_529_101, 640_581_030, 7_250_000_000, 82_529_101_000)
    assert [shorten_number(number) for number in numbers] == [
        "0", "999,999", "1.00 M", "82.5 M", "640.6 M", "7.25 bn", "82.5 bn",
    ]  # fmt: skip


def test_the_shape_of_a_book_is_one_step_a_chapter():
    _, scaffold = a_book(num_chapters=3, num_paragraphs=2)
    shapes = draw_shapes(scaffold.chapters)
    assert [shape.axis for shape in shapes] == [axis.replace("_", " ") for axis in AXES]
    assert shapes[1].path == "M0 100V78h1V78h1V78h1V100z"
    assert shapes[1].mean == 22
