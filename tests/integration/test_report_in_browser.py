"""The report in Debian's Chromium, headless: from a disk and from a server, on a desk and on a phone, light and dark."""

from __future__ import annotations

import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest

from schemas.scaffold import Finding
from tasks.backends.stores import LocalStore
from tests.compositions import quarantine
from tests.reports import HOSTILE, a_book, book_row, publish, refused_row

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
DESK, PHONE = {"width": 1_400, "height": 900}, {"width": 390, "height": 844}
MIN_FONT_PX, MIN_CONTRAST = 14, 4.5  # contrast of text by WCAG 2.2, level AA

SMALL_TEXT = """() => [...document.querySelectorAll('body *')].filter(one =>
    one.checkVisibility() && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim())
    && parseFloat(getComputedStyle(one).fontSize) < %d).map(one => one.outerHTML.slice(0, 80))"""
FAINT_TEXT = """() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(one => one / 255).map(one =>
    one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = one => {
    for (; one; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')].filter(one => one.checkVisibility()
    && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim())).map(one => {
      const [low, high] = [light(parse(getComputedStyle(one).color)), light(behind(one))].sort((a, b) => a - b);
      return [(high + 0.05) / (low + 0.05), one.outerHTML.slice(0, 80)];
    }).filter(([ratio]) => ratio < %s);
}"""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        """Say nothing on the terminal."""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of a report: a plain book, one of which a chapter is quarantined, one that attacks its reader."""
    store = LocalStore(tmp_path_factory.mktemp("data"))
    finding = Finding(check="copied-run", node="chapter 2, scene 1", value=12, limit=8, passed=False, detail="the tide")
    plain = book_row(*a_book("7", 6), [finding], title="The Lamp")
    book, scaffold = a_book("8")
    lost = book_row(book, quarantine(scaffold, 2), title="A Chapter Short")
    book, scaffold = a_book("9 <b>")
    lines = tuple(HOSTILE)
    scaffold = scaffold.model_copy(update={"world_rules": lines, "title": HOSTILE[0]})
    evil = book_row(
        book, scaffold, title=HOSTILE[0], authors=[HOSTILE[1]], text=book.text.replace("The tide", HOSTILE[0])
    )
    evil |= {"divisions": None}
    refused = [refused_row("7", "layout", "arcs", layout="full-book")]
    refused += [refused_row("10", "book", text, detail=text, title=text) for text in HOSTILE]
    publish(store, [plain, lost, evil], refused)
    store.put("README.md", b"# The card\n")
    return store.root / "report"


@pytest.fixture(scope="module")
def served(report):
    """The address of a server that shows the data set."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(report.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/report"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, report):
    """Give a function that opens a page of the report; at the end, no page may have said or done anything amiss."""
    amiss, contexts = [], []

    def show(name, *, root=None, viewport=DESK, **options):
        context = chromium.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: amiss.append(message.text))
        page.on("pageerror", lambda error: amiss.append(str(error)))
        page.on("dialog", lambda dialog: amiss.append(dialog.message))
        page.on("requestfailed", lambda request: amiss.append(request.url))
        page.goto(f"{root or report.as_uri()}/{name}")
        return page

    yield show
    for context in contexts:
        context.close()
    assert amiss == []


def names(report):
    return sorted(path.relative_to(report).as_posix() for path in report.rglob("*.html"))


def lit(page):
    """Ids of the paragraphs that are lit, and whether the first of them is in the window."""
    return page.evaluate(
        """() => { const lit = [...document.querySelectorAll('article p.lit')];
                   const box = lit.length ? lit[0].getBoundingClientRect() : null;
                   return [lit.map(one => one.id), !!box && box.top >= 40 && box.top < innerHeight - 20]; }"""
    )


@pytest.mark.parametrize("kind", ["file", "http"])
def test_every_page_opens_without_a_complaint_and_all_its_links_lead_somewhere(open_page, report, served, kind):
    root = served if kind == "http" else report.as_uri()
    ids, links = {}, []
    for name in names(report):
        page = open_page(name, root=root)
        ids[unquote(urlsplit(page.url).path)] = set(page.eval_on_selector_all("[id]", "all => all.map(one => one.id)"))
        links += page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
    assert len(ids) == 5
    assert all(link.startswith(root.rsplit("/", 1)[0]) for link in links)
    for link in set(links):
        parts = urlsplit(link)
        if parts.path.endswith("README.md"):
            assert (report.parent / "README.md").exists()
        else:
            assert not parts.fragment or parts.fragment in ids[unquote(parts.path)]
            assert unquote(parts.path) in ids


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_click_on_a_bullet_lights_up_its_passage_and_brings_it_into_the_window(open_page, viewport):
    page = open_page("books/7.html", viewport=viewport)
    for chapter in (5, 1, 6):
        bullet = page.locator(f"#c{chapter} .scene .bullets a").last
        bullet.click()
        page.wait_for_function("document.querySelector('article p.lit')")
        page.wait_for_timeout(350)  # the colour fades in
        found, in_sight = lit(page)
        assert found == [f"c{chapter}p14"]
        assert in_sight
        colors = [
            page.locator(one).first.evaluate("one => getComputedStyle(one).backgroundColor")
            for one in ("article p.lit", "body")
        ]
        assert colors[0] != colors[1]
        assert page.url.endswith(f"#c{chapter}p14")
        assert "lit" in bullet.get_attribute("class")


def test_on_a_desk_the_bullet_stays_in_sight_beside_its_passage(open_page):
    page = open_page("books/7.html")
    for chapter in range(1, 7):
        bullet = page.locator(f"#c{chapter} .scene .bullets a").last
        bullet.click()
        box = bullet.bounding_box()
        assert box is not None
        assert 40 <= box["y"] < DESK["height"]


def test_a_paragraph_lights_up_the_bullets_that_rest_on_it(open_page):
    page = open_page("books/7.html")
    page.locator("#c2p13").click()
    assert page.locator("#c2 .bullets a.lit").all_inner_texts() == ["In 2.2 thing 1 happens."] * 2
    page.locator("#c2p5").click()
    assert page.locator(".lit").count() == 0


def test_the_keyboard_goes_from_bullet_to_bullet_and_lights_their_passages(open_page):
    page = open_page("books/7.html#c3")
    page.locator("#c3 .bullets a").first.focus()
    seen = []
    for _ in range(3):
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
        found, in_sight = lit(page)
        seen += found
        assert in_sight
        page.keyboard.press("Tab")
    assert seen == ["c3p0", "c3p1", "c3p2"]


def test_the_first_tab_offers_to_skip_the_navigation(open_page):
    page = open_page("books/7.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["y"] >= 0


def test_a_link_to_a_paragraph_opens_at_it(open_page):
    page = open_page("books/7.html#c6p20")
    page.wait_for_timeout(300)
    assert lit(page) == [["c6p20"], True]


def test_back_and_forward_light_what_they_come_to(open_page):
    page = open_page("books/7.html")
    for chapter in (1, 4):
        page.locator(f"#c{chapter} .bullets a").first.click()
    page.go_back()
    page.wait_for_timeout(200)
    assert lit(page) == [["c1p0"], True]


def test_on_a_phone_a_button_leads_back_to_the_bullet(open_page):
    page = open_page("books/7.html", viewport=PHONE)
    assert not page.locator("#back").is_visible()
    bullet = page.locator("#c4 .scene .bullets a").last
    bullet.click()
    page.locator("#back").click()
    page.wait_for_timeout(200)
    assert 0 <= bullet.bounding_box()["y"] < PHONE["height"]


def test_on_a_phone_nothing_is_wider_than_the_window_and_all_can_be_read(open_page, report):
    for name in names(report):
        page = open_page(name, viewport=PHONE, device_scale_factor=2)
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        page.eval_on_selector_all(".chapter", "all => all.forEach(one => one.style.contentVisibility = 'visible')")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name
        assert page.evaluate(SMALL_TEXT % MIN_FONT_PX) == [], name
        for link in page.locator("nav.top a").all():
            box = link.bounding_box()
            assert box["x"] >= 0, name
            assert box["height"] >= 24, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(open_page, report, scheme):
    papers = set()
    for name in names(report):
        page = open_page(name, color_scheme=scheme, reduced_motion="reduce")
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        if page.locator(".bullets a").count():
            page.locator(".bullets a").first.click()
            page.wait_for_timeout(350)
        assert page.evaluate(FAINT_TEXT % MIN_CONTRAST) == [], name
        papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    (paper,) = papers
    assert (sum(map(int, re.findall(r"\d+", paper))) > 384) == (scheme == "light")


def test_what_an_attacker_wrote_is_text(open_page, report):
    evil = next(name for name in names(report) if "~" in name)
    for name in (evil, "index.html", "refused.html"):
        page = open_page(name)
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        page.wait_for_timeout(100)
        assert page.evaluate("window.pwned") is None
        assert page.evaluate("document.scripts.length") == 1
        assert page.locator("img, iframe, object, form").count() == 0
        assert HOSTILE[0] in page.inner_text("body")
    assert all(text in page.text_content("body") for text in HOSTILE)


def test_without_a_script_all_is_there_and_a_bullet_still_leads_to_its_passage(open_page):
    page = open_page("books/7.html", java_script_enabled=False)
    page.locator("#c5 .scene .bullets a").last.click()
    assert page.url.endswith("#c5p14")
    box = page.locator("#c5p14").bounding_box()
    assert 0 <= box["y"] < DESK["height"]
    listed = open_page("index.html", java_script_enabled=False)
    assert listed.locator("#books-table tbody tr").count() == 3
    assert not listed.locator(".filter").is_visible()


def test_the_list_of_books_is_filtered_as_one_types(open_page):
    page = open_page("index.html")
    page.locator("input[type=search]").fill("short CHAPTER")
    assert page.locator("#books-table tbody tr:visible td:first-child").all_inner_texts() == ["A Chapter Short"]
    assert page.locator(".filter output").inner_text() == "1 of 3"


def test_a_page_loads_nothing_but_itself(chromium, served):
    context = chromium.new_context()
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served}/books/7.html")
    context.close()
    assert [one for one in asked if not one.startswith("data:")] == [f"{served}/books/7.html"]


def test_a_novel_of_200_000_words_opens_and_jumps_to_the_place(open_page, tmp_path):
    store = LocalStore(tmp_path)
    publish(store, [book_row(*a_book("1", 60, 56))])
    page = open_page("books/1.html", root=(tmp_path / "report").as_uri())
    assert len(page.text_content("body").split()) > 200_000
    bullet = page.locator("#c60 .scene .bullets a").last
    bullet.evaluate("one => one.click()")
    page.wait_for_timeout(500)
    assert lit(page) == [["c60p30"], True]
