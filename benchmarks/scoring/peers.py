"""The cleaners that anybody can install, behind one signature: text of a file -> text of a book."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Cleaner = Callable[[str], str]
TAG = "\x02"  # ends a line before its number: no cleaner looks at the end of a line, and none splits there


def open_peers() -> dict[str, Cleaner | None]:
    """Return the peers by name; None for one that is not installed (`pip install -e .[bench]`)."""
    return {"gutenberg_cleaner": open_gutenberg_cleaner(), "gutenbergpy": open_gutenbergpy()}


def open_gutenberg_cleaner() -> Cleaner | None:
    """Return gutenberg_cleaner's simple_cleaner; its super_cleaner deletes titles, so it is not for books."""
    module = import_offline("gutenberg_cleaner")
    return None if module is None else module.simple_cleaner


def open_gutenbergpy() -> Cleaner | None:
    """Return gutenbergpy's strip_headers, which works on bytes."""
    module = import_offline("gutenbergpy.textget")
    if module is None:
        return None
    return lambda text: module.strip_headers(text.encode()).decode()


def import_offline(name: str) -> Any:
    """Return a module, imported without a way to the network; None where it is not installed."""
    try:
        with no_network():
            return importlib.import_module(name)
    except ImportError:
        return None


@contextmanager
def no_network() -> Iterator[None]:
    """Refuse connections for a while: what the peers import may fetch data on its own."""
    connect = socket.socket.connect

    def refuse(*_: object) -> None:
        raise OSError("no network while a peer is imported")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]


def kept_lines(cleaner: Cleaner, lines: list[str]) -> list[int]:
    """Return the numbers (1-based) of the filled lines that a cleaner keeps."""
    tagged = "\n".join(f"{line}{TAG}{number}" for number, line in enumerate(lines, 1))
    pieces = (line.rpartition(TAG) for line in cleaner(tagged).splitlines())
    return [int(number) for text, tag, number in pieces if tag and text.strip()]
