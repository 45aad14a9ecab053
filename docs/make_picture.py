"""docs/report.png: a page of the report of samples/, its first chapter with a plan as a good model writes it.

    python docs/make_picture.py [DATA]

DATA is a data set built from samples/. The extractive default quotes its sentences, so this plan is written by hand.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tasks.backends.stores import LocalStore
from tasks.report import group_buckets, iter_books
from tasks.reporting.book_page import render_book
from tasks.shard import read_head
from tasks.tables import Row

ROOT = Path(__file__).resolve().parents[1]
BOOK = "the-skarvoe-account"
SIZE = {"width": 1_400, "height": 660}  # as many pixels as fit into 250 kB
LIT = 3  # which bullet of the chapter is shown lit up

SUMMARY: list[tuple[str, list[int]]] = [
    ("Jamesina Tulloch keeps the accounts of twenty-two lighthouses she has never visited.", [0, 1]),
    ("Every keeper's oil sheet comes out wrong, and she sends each of them a polite demand to explain.", [2]),
    ("On an October afternoon she lays the Skarvoe sheet aside as correct, and then takes it back.", [3]),
    (
        "Worked out against the official table, Skarvoe has burned exactly what a lamp should.",
        [4],
    ),
    ("Older boxes show one honest shortage, signed R. Omand, and after it thirty-one faultless months.", [5]),
    ("Pirie announces that the Commissioners will make the miracle a rule and fine every other keeper.", [9, 13]),
    ("Alone, she concludes that the figures were composed at a table, and leaves it at that.", [17]),
]
SCENES: list[tuple[str, int, str, list[tuple[str, list[int]]]]] = [
    (
        "A sum that comes out",
        0,
        "An account too good; a clerk who notices",
        [
            ("Tulloch suspects a sheet because nothing is the matter with it.", [3, 4]),
            ("She empties the boxes and dates the beginning of perfection to 1906.", [5]),
        ],
    ),
    (
        "The Superintendent is pleased",
        6,
        "Praise from above; a doubt kept back",
        [
            ("Pirie wants warmth for a letter of commendation, and gets a careful sentence.", [13, 14]),
            ("Through the wall he tries the portmanteau that he bought for his removal.", [16]),
        ],
    ),
]
RATINGS = [(22, 4, 38, 61, 2, 0, 35), (9, 58, 27, 44, 3, 0, 48)]


def write_plan(row: Row) -> Row:
    """Return the row with the hand-written plan of its first chapter, and without what was found in the other one."""
    scaffold = json.loads(row["scaffold"])
    chapter = scaffold["chapters"][0]
    axes, text = list(chapter["vector"]), row["text"]
    paragraphs = [chapter["start"]]
    for paragraph in text[chapter["start"] : chapter["end"]].split("\n\n")[:-1]:
        paragraphs.append(paragraphs[-1] + len(paragraph) + 2)
    starts = [paragraphs[first] for _, first, _, _ in SCENES]
    scenes = []
    for place, (title, first, focuses, lines) in enumerate(SCENES):
        start, end = starts[place], [*starts[1:], chapter["end"]][place]
        scene: dict[str, Any] = {
            **chapter["scenes"][0],
            "title": title,
            "first_paragraph": first,
            "start": start,
            "end": end,
            "num_words": len(text[start:end].split()),
            "perspective": "Third person, close to Tulloch",
            "focuses": focuses.split("; "),
            "vector": dict(zip(axes, RATINGS[place], strict=True)),
            "bullets": _bullets(lines),
        }
        scenes.append(scene)
    mean = [round(sum(values) / len(values)) for values in zip(*RATINGS, strict=True)]
    chapter |= {"scenes": scenes, "bullets": _bullets(SUMMARY), "vector": dict(zip(axes, mean, strict=True))}
    chapter["focuses"] = ["The oil account", "suspicion of the perfect", "pride in office"]
    return row | {"scaffold": json.dumps(scaffold | {"trainable": True}), "findings": None}


def _bullets(lines: list[tuple[str, list[int]]]) -> list[dict[str, Any]]:
    return [{"text": text, "paragraphs": paragraphs} for text, paragraphs in lines]


def take_picture(page_file: Path, picture: Path) -> None:
    """Open a page in Debian's Chromium, light up a bullet, and keep what is seen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
        page.goto(page_file.as_uri())
        page.locator("#c1 .bullets a").nth(LIT).click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)
        page.screenshot(path=picture)
        browser.close()


def main() -> None:
    """Read the book, give it its plan, render its page, and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", default=str(ROOT / "data" / "samples"))
    store = LocalStore(parser.parse_args().data)
    manifest = read_head(store)
    if manifest is None:
        raise SystemExit(f"{store.root} holds no data set: run `scriptorium build` first")
    books = (book for bucket in group_buckets(manifest).values() for book in iter_books(bucket, store))
    row, refused = next((row, refused) for row, refused in books if row["book_id"] == BOOK)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_bytes(render_book(write_plan(row), refused))
        take_picture(page, ROOT / "docs" / "report.png")


if __name__ == "__main__":
    main()
