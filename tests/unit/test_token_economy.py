"""What a plan costs: prompt tokens that no prefix cache holds, per token of the book."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from schemas.books import CatalogueEntry, RawBook
from schemas.corpus_settings import CleanSettings, SegmentSettings
from schemas.settings import ChunkSettings, SummarizeSettings, VerifySettings
from tasks.backends.tokenizers import open_tokenizer
from tasks.clean import clean_book
from tasks.extraction.extractive import answer_extractively
from tasks.planning.chapters import list_chapters
from tasks.segment import segment_book
from tasks.summarize import summarize_book
from tests.fakes import FakeLLM
from tests.scaffolds import make_book

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "gutenberg" / "mirror"
SAMPLES = sorted((ROOT / "samples").glob("*.txt"))
MOST_COMPUTED = 1.25  # of the book's own tokens, all calls together
NOVEL_CHAPTERS = 4  # chapters of a sample that make one of a novel's length, about 4,000 tokens
READER = open_tokenizer("samples")


class CachingLLM(FakeLLM):
    """Answers extractively, and counts what a server computes that keeps every prefix it has seen."""

    def __init__(self) -> None:
        super().__init__(lambda request: answer_extractively(request.call, request.inputs), trainable=False)
        self.seen: list[np.ndarray] = []
        self.computed: list[tuple[str, int]] = []

    def _reply(self, request):
        prompt = np.array(READER.encode("\n".join(message["content"] for message in request.messages)))
        held = max((shared_prefix(prompt, other) for other in self.seen), default=0)
        self.seen.append(prompt)
        self.computed.append((request.call, len(prompt) - held))
        return super()._reply(request)

    def total(self, *calls):
        return sum(count for call, count in self.computed if not calls or call in calls)


def shared_prefix(one, other):
    length = min(len(one), len(other))
    differing = np.flatnonzero(one[:length] != other[:length])
    return int(differing[0]) if len(differing) else length


def segment(path):
    data = path.read_bytes()
    entry = CatalogueEntry(book_id=path.stem, title=path.stem)
    raw = RawBook(entry=entry, file=path.name, source_sha256=hashlib.sha256(data).hexdigest(), data=data)
    return segment_book(clean_book(raw, CleanSettings()), SegmentSettings())


def plan(book, llm):
    settings = {"chunk": ChunkSettings(), "checks": VerifySettings()}
    summarize_book(book, SummarizeSettings(), llm=llm, reader=READER, **settings)


def count_prose(book):
    return sum(READER.count(book.text[one.division.body_start : one.division.end]) for one in list_chapters(book))


def count_instructions(llm):
    return READER.count(llm.asked("read")[0].instructions)


def test_a_book_with_chapters_of_a_novels_length_is_computed_little_more_than_once():
    chapters = [
        [book.text[low:high].strip() for scene in chapter.scenes for low, high in scene.paragraphs]
        for book in map(segment, SAMPLES)
        for chapter in book.chapters()
    ]
    grouped = [chapters[start : start + NOVEL_CHAPTERS] for start in range(0, len(chapters), NOVEL_CHAPTERS)]
    book, _ = make_book(grouped, book_id="all", title="All Samples")
    llm = CachingLLM()
    plan(book, llm)
    computed = llm.total() - count_instructions(llm)  # a server computes these once for all books
    assert computed / count_prose(book) <= MOST_COMPUTED


def test_a_window_costs_little_beside_its_own_text():
    llm, num_windows, num_prose = CachingLLM(), 0, 0
    for book in map(segment, SAMPLES):
        plan(book, llm)
        num_prose += count_prose(book)
        num_windows = len(llm.asked("read"))
    beside = llm.total("read", "rate") - count_instructions(llm) - num_prose
    assert beside / num_windows <= 280  # heading, two questions, the list of scenes, numbers of paragraphs
    assert llm.total("arcs", "world", "style", "prompts") / len(SAMPLES) <= 2_000  # questions on a context that is held


@pytest.mark.skipif(not SHARED.exists(), reason="the shared test corpus is not beside the checkout")
@pytest.mark.parametrize("name", ["8/84/84-0.txt", "7/74/74-0.txt"])
def test_a_real_novel_is_computed_at_most_one_and_a_quarter_times(name):
    book, llm = segment(SHARED / name), CachingLLM()
    plan(book, llm)
    assert llm.total() / count_prose(book) <= MOST_COMPUTED
    assert len(llm.computed) <= 2.3 * len(llm.asked("read")) + 10
