"""Real novels -> what their plans cost: calls a window, input tokens computed a token of book, tokens wasted."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.serving.vllm_cpu import ROOT, VllmServer
from schemas.books import SegmentedBook
from schemas.ledger import Ledger
from schemas.settings import ChunkSettings
from tasks.backends.stores import LocalStore
from tasks.backends.tokenizers import open_tokenizer
from tasks.chunk import chunk_chapter
from tasks.work import Work


class Cost(NamedTuple):
    """What the plans of some books cost."""

    books_out: int
    book_tokens: int  # of all narrative chapters, in the model's tokenizer
    windows: int
    ledger: Ledger
    server_prompt_tokens: int  # the server's own counters
    server_cached_tokens: int


def build_novels(server: VllmServer, source: str, books: str) -> Cost:
    """Build the novels with the tiny model in `report` mode, and count."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = str(server.model_dir / "tokenizer.json")
        command = [
            *(sys.executable, "-m", "flows.cli", "build", "--source", source, "--books", books, "--llm", server.url),
            *("--out", folder, "--reader-tokenizer", tokenizer, "--trainee-tokenizer", tokenizer, "--json"),
        ]
        server.forget()
        before = server.counters()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if not done.stdout:
            raise RuntimeError(f"the build failed:\n{done.stderr[-2_000:]}")
        after, summary = server.counters(), json.loads(done.stdout)
        book_tokens, windows = _count_books(Path(folder) / "work", tokenizer)
    return Cost(
        books_out=summary["books"]["out"],
        book_tokens=book_tokens,
        windows=windows,
        ledger=Ledger.model_validate(summary["ledger"]),
        server_prompt_tokens=int(after["prompt_tokens_total"] - before["prompt_tokens_total"]),
        server_cached_tokens=int(after["prompt_tokens_cached_total"] - before["prompt_tokens_cached_total"]),
    )


def _count_books(folder: Path, tokenizer: str) -> tuple[int, int]:
    """Return the tokens of all chapters and the number of windows, counted apart from the build."""
    work, reader, settings = Work(LocalStore(folder)), open_tokenizer(tokenizer), ChunkSettings()
    num_tokens = num_windows = 0
    for key in work.store.keys("segment"):
        book = work.load(SegmentedBook, key)
        for chapter in book.chapters() if book else ():
            if book and book.text[chapter.body_start : chapter.end].strip():
                num_tokens += reader.count(book.text[chapter.body_start : chapter.end])
                num_windows += len(chunk_chapter(chapter, book.text, settings, reader))
    return num_tokens, num_windows
