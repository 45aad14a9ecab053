"""What benchmarks/corpus.py counts: each figure can be wrong, and is, where the text is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.corpus import cell_of
from benchmarks.scoring import chapterize
from benchmarks.scoring.chapters import count_right_names, f1_score, narrative_lines
from benchmarks.scoring.ends import count_boilerplate, count_cut, judge_kept
from benchmarks.scoring.measures import measure_corpus
from benchmarks.scoring.offsets import count_lost
from benchmarks.scoring.peers import kept_lines, open_peers
from benchmarks.scoring.reading import read_file
from benchmarks.scoring.reference import Ends, TrueDivision, load_reference
from flows.inspect_data import look_at_file
from schemas.books import Block, CatalogueEntry, CleanBook, LookDivision, Removed
from schemas.errors import ConfigError
from schemas.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "top-water.txt"
LINES = [
    "Header",
    "",
    "THE MILL",
    "",
    "The ferry went over",
    "the grey water.",
    "[Weir]",
    "He saw the mill.",
    "",
    "Footer",
]
ENDS = Ends(first=3, last=8, narrative_first=5, narrative_last=8)
DATA = "\n".join(LINES).encode()


class MappedBook(CleanBook):
    """A book that tells where each character stood, and is wrong about some."""

    shift: int = 0

    def raw_offset(self, offset):
        return offset + self.shift


def clean(text, removed=(), kind=CleanBook, **more):
    return kind(
        entry=CatalogueEntry(book_id="7"),
        source_sha256="0" * 64,
        encoding="utf-8",
        text=text,
        blocks=(Block(0, len(text), 1, 1, 0, True),),
        removed=tuple(Removed(*one) for one in removed),
        first_line=3,
        last_line=8,
        **more,
    )


WHOLE = "THE MILL\n\nThe ferry went over the grey water. He saw the mill."


def test_our_figures_come_from_the_object_that_look_prints():
    assert read_file(SAMPLE, Settings()).report == look_at_file(SAMPLE, Settings())[0]


@pytest.mark.parametrize(
    ("text", "removed", "letters"),
    [
        (WHOLE, [("illustration", 7, 7)], 0),
        (WHOLE, [], len("Weir")),  # gone and not recorded
        (WHOLE.replace("the grey water", "the water"), [("illustration", 7, 7)], len("grey")),
        (WHOLE.replace("THE MILL\n\n", ""), [("illustration", 7, 7)], len("THEMILL")),
        (WHOLE.replace("THE MILL\n\n", ""), [("illustration", 7, 7), ("credits", 2, 3)], len("THEMILL")),
        (WHOLE.replace("THE MILL\n\n", ""), [("illustration", 7, 7), ("credits", 3, 3)], len("THEMILL")),
        (WHOLE.replace(" He saw the mill.", ""), [("illustration", 7, 7), ("footer", 8, 10)], len("Hesawthemill")),
        (WHOLE.replace("ferry", "fe\u0301rry").replace("fe\u0301", "fe"), [("illustration", 7, 7)], 0),
    ],
)
def test_letters_that_neither_text_nor_records_hold_are_counted(text, removed, letters):
    assert count_cut(LINES, ENDS, clean(text, removed), DATA) == letters


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("The effect was produced by the weir, and Produced by accident.", 0),
        ("The printer Gutenberg came to the mill.", 0),
        ("This is the Project Gutenberg Etext.", 2),
        ("See www.gutenberg.org for it.", 1),
        ("Produced by Ada Reed\n\nTHE MILL", 1),
        ("[Transcriber's Note: the weir]", 1),
        ("TRANSCRIBER’S NOTES", 1),
        ("Project\nGutenberg", 1),
    ],
)
def test_boilerplate_is_told_from_words_of_the_author(text, places):
    assert count_boilerplate(text) == places


def test_a_peer_is_judged_by_the_lines_it_keeps():
    def cleaner(text):
        return "\n".join(text.splitlines()[4:9])

    kept = kept_lines(cleaner, LINES)
    assert kept == [5, 6, 7, 8]
    counts = judge_kept(kept, LINES, ENDS)
    assert (counts["start_exact"], counts["end_exact"], counts["both_ends_exact"]) == (0, 1, 0)
    assert (counts["left_at_start"], counts["files_cut"], counts["characters_cut"]) == (0, 1, len("THEMILL"))
    whole = judge_kept(kept_lines(lambda text: text, LINES), LINES, ENDS)
    assert (whole["left_at_start"], whole["left_at_end"], whole["files_cut"]) == (1, 1, 0)


def test_headings_count_once_and_within_two_lines():
    assert f1_score([10, 20, 30], [10, 20, 30]) == 1.0
    assert f1_score([12, 20], [10, 20, 30, 40]) == pytest.approx(2 * 2 / 6)
    assert f1_score([13], [10]) == 0.0
    assert f1_score([10, 11], [10]) == pytest.approx(2 / 3)
    assert f1_score([9, 12], [11, 13]) == 1.0
    assert f1_score([], []) == 1.0


def division(label, title, line, kind="narrative"):
    return LookDivision(level="chapter", kind=kind, label=label, title=title, line=line, body_line=line + 2)


def test_a_name_is_right_when_label_and_title_are():
    true = [
        TrueDivision("narrative", "CHAPTER I.", "THE MILL", 10, True),
        TrueDivision("narrative", "II", "", 20, True),
        TrueDivision("narrative", "III", "The Weir", 30, True),
    ]
    found = [
        division("Chapter I", "The Mill.", 11),
        division("II.", "The Ferry", 20),
        division("PREFACE", "", 5, "front"),
    ]
    assert count_right_names(found, true) == 1
    assert narrative_lines(found) == [11, 20]


def test_chapterize_drops_a_crowded_table_and_gives_up_on_few_headings():
    body = ["text"] * 9
    book = ["CHAPTER I", "CHAPTER II", "Chapter the Third", "", *body]
    for name in ("CHAPTER I", "IV. THE MILL", "Chapter twelve", "7", "XII.", "II. The Mail"):
        book += [name, *body]
    found = chapterize.find_headings(book)
    assert [book[line - 1] for line in found] == [
        "CHAPTER I",
        "IV. THE MILL",
        "Chapter twelve",
        "7",
        "XII.",
        "II. The Mail",
    ]
    assert chapterize.find_headings(["CHAPTER I", *body, "THE WEIR", *body]) == []


def test_every_offset_is_read_at_its_byte():
    text = "The mill é stood."
    data = text.encode("iso-8859-1")
    right = clean(text, kind=MappedBook).model_copy(update={"encoding": "iso-8859-1"})
    assert count_lost(right, data) == 0
    wrong = clean(text, kind=MappedBook, shift=1).model_copy(update={"encoding": "iso-8859-1"})
    assert count_lost(wrong, data + b".") > 10
    assert count_lost(wrong, data) == 1  # beyond the file
    if not hasattr(CleanBook, "raw_offset"):
        assert count_lost(clean(text), data) is None


def test_offsets_of_characters_of_several_bytes_are_bytes():
    assert count_lost(clean("abc", kind=MappedBook), b"abc") == 0
    text = "aé"
    assert count_lost(clean(text, kind=MappedBook), text.encode()) == 0
    assert count_lost(clean("éa", kind=MappedBook), "éa".encode()) == 1  # its second character is at byte 2, not 1


def test_the_figures_are_flat_with_the_peers_beside_ours(tmp_path):
    folder = make_reference(tmp_path)

    def keep_all(text):
        return text

    figures, notes = measure_corpus(load_reference(folder), {"gutenbergpy": keep_all, "gutenberg_cleaner": None})
    json.dumps(figures)
    assert all(isinstance(value, int | float | str) for value in figures.values())
    assert figures["both_ends_exact"] == 1.0
    assert figures["gutenbergpy_both_ends_exact"] == 0.0
    assert figures["gutenbergpy_boilerplate_left"] > 0
    assert figures["boilerplate_left"] == 0
    assert figures["characters_cut"] == 0
    assert figures["gutenberg_cleaner_installed"] is False
    assert cell_of(figures, "gutenberg_cleaner", "both_ends_exact") == "not installed"
    assert cell_of(figures, "gutenbergpy", "both_ends_exact") == 0.0
    assert (figures["other_works"], figures["other_works_rejected_rightly"]) == (1, 0)
    assert any("not drama" in note for note in notes)
    assert figures["lossless_share"] == 1.0
    assert figures["clean_and_segment_mb_per_s"] > 0


def make_reference(folder):
    data = SAMPLE.read_bytes()
    (folder / "7.txt").write_bytes(data)
    report = look_at_file(SAMPLE, Settings())[0]
    (folder / "INDEX.csv").write_text("id,file,language,form\n7,7.txt,en,drama\n")
    ends = {"file": "7.txt", "first_line_no": report.first_line, "last_line_no": report.last_line}
    ends |= {"body_first_line_no": report.narrative_first_line, "body_last_line_no": report.narrative_last_line}
    (folder / "boundaries.json").write_text(json.dumps({"books": [ends]}))
    (folder / "chapters").mkdir()
    return folder


def test_a_folder_without_reference_data_is_one_clear_line(tmp_path):
    with pytest.raises(ConfigError, match="no reference data there"):
        load_reference(tmp_path)


def test_the_peers_are_imported_without_network_and_without_a_home(tmp_path):
    code = (
        "import socket\n"
        "def refuse(*_): raise AssertionError('the network was tried')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from benchmarks.scoring.peers import open_peers\n"
        "peers = open_peers()\n"
        "print([peer('THE MILL') for peer in peers.values() if peer])\n"
    )
    environment = {
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())


def test_a_peer_that_is_not_there_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "gutenberg_cleaner", None)
    monkeypatch.setitem(sys.modules, "gutenbergpy.textget", None)
    assert open_peers() == {"gutenberg_cleaner": None, "gutenbergpy": None}
