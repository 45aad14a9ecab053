"""Chapters are cut into windows under a budget, at the best border there is."""

from __future__ import annotations

from schemas.settings import ChunkSettings
from tasks.chunk import chunk_chapter, halve_window, list_pieces
from tests.fakes import WordTokenizer, build_book


class CountingTokenizer(WordTokenizer):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.num_calls = 0

    def count(self, text: str) -> int:
        self.num_calls += 1
        return super().count(text)


def sentence(number: int) -> str:
    return f"Sentence {number} tells how the miller's cart went down to the ford and came back again."


def chunk(book, tokens, reader=None):
    chapter = book.chapters()[0]
    return chunk_chapter(chapter, book.text, ChunkSettings(window_tokens=tokens), reader or WordTokenizer())


def test_a_chapter_that_fits_is_one_window_and_one_call_of_the_counter():
    reader = CountingTokenizer()
    windows = chunk(build_book([[sentence(1), sentence(2)]]), 400, reader)
    assert [len(window.pieces) for window in windows] == [2]
    assert reader.num_calls == 1


def test_windows_tile_the_paragraphs_and_keep_the_budget():
    book = build_book([[sentence(number) for number in range(60)]])
    windows = chunk(book, 200)
    assert [piece for window in windows for piece in window.pieces] == list(list_pieces(book.chapters()[0]))
    assert all(WordTokenizer().count(book.text[slice(*window.span)]) <= 200 for window in windows)


def test_a_window_that_would_be_half_full_ends_at_a_scene_border():
    scenes = [[sentence(number) for number in range(8)], [sentence(number) for number in range(8, 16)]]
    windows = chunk(build_book(scenes), 200)
    assert [window.pieces[0].paragraph for window in windows] == [0, 8]


def test_a_window_passes_a_scene_border_that_comes_too_early():
    scenes = [[sentence(number) for number in range(2)], [sentence(number) for number in range(2, 20)]]
    assert len(chunk(build_book(scenes), 200)[0].pieces) > 8


def test_an_overlong_paragraph_is_cut_between_sentences():
    book = build_book([[" ".join(sentence(number) for number in range(40)), sentence(41)]])
    windows = chunk(book, 200)
    texts = [book.text[piece.start : piece.end] for window in windows for piece in window.pieces]
    assert "".join(texts) == book.text[slice(*book.divisions[0].scenes[0].paragraphs[0])] + f"{sentence(41)}\n\n"
    assert all(text.rstrip().endswith(".") for text in texts)
    assert {piece.paragraph for piece in windows[0].pieces} == {0}


def test_a_sentence_over_the_budget_is_cut_between_words_and_a_word_never():
    book = build_book([["mill " * 500 + "x" * 3_000]])
    texts = [book.text[piece.start : piece.end] for window in chunk(book, 200) for piece in window.pieces]
    assert "".join(texts).split() == ["mill"] * 500 + ["x" * 3_000]


def test_halves_join_to_the_window_and_part_at_a_scene():
    book = build_book([[sentence(1), sentence(2), sentence(3)], [sentence(4), sentence(5)]])
    chapter = book.chapters()[0]
    (window,) = chunk(book, 400)
    first, second = halve_window(window, book.text, [scene.start for scene in chapter.scenes])
    assert first.pieces + second.pieces == window.pieces
    assert second.pieces[0].paragraph == 3


def test_one_paragraph_is_halved_between_sentences_and_one_word_is_not():
    book = build_book([[f"{sentence(1)} {sentence(2)}"]], [["Alone"]])
    (window,) = chunk(book, 400)
    first, second = halve_window(window, book.text)
    assert book.text[slice(*second.span)] == f"{sentence(2)}\n\n"
    assert first.span.end == second.span.start
    (word,) = chunk_chapter(book.chapters()[1], book.text, ChunkSettings(), WordTokenizer())
    assert halve_window(word, book.text) == (word,)


def test_a_chapter_without_paragraphs_has_no_window():
    book = build_book([[sentence(1)]])
    bare = book.chapters()[0].model_copy(update={"scenes": ()})
    assert chunk_chapter(bare, book.text, ChunkSettings(), WordTokenizer()) == ()
