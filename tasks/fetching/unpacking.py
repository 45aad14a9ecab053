"""A file's bytes -> the text in it: plain, in a .gz or .zip, or in an EPUB."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from tasks.fetching.archives import GZIP_MAGIC, ZIP_MAGIC, Archive, gunzip
from tasks.fetching.epub import is_epub, read_epub
from tasks.fetching.file_names import UNKNOWN, read_mirror_name
from tasks.fetching.package_document import Facts
from tasks.fetching.soundness import RefusedError, check_size, check_text


class Unpacked(NamedTuple):
    """A text as bytes, the file within the archive that held it, and what an EPUB says about itself."""

    data: bytes
    member: str = ""
    facts: Facts | None = None


def unpack_text(path: str, data: bytes, max_bytes: int) -> Unpacked:
    """Return the text that a file holds; its first bytes, not its name, say how.

    Args:
        path: the file's name: where a zip holds several texts, the one of the same name is its book.
        data: its bytes.
        max_bytes: most that the file, and what is unpacked of it, may hold.

    Raises:
        RefusedError: the file is too large, empty, damaged, encrypted, or no text.
    """
    check_size(len(data), max_bytes)
    if data.startswith(ZIP_MAGIC):
        archive = Archive(data, max_bytes)
        if is_epub(archive):
            text, facts = read_epub(archive)
            unpacked = Unpacked(text.encode(), "", facts)
        else:
            member = choose_member(archive.sizes(), PurePosixPath(path).name.partition(".")[0])
            unpacked = Unpacked(archive.read(member), member)
    elif data.startswith(GZIP_MAGIC):
        unpacked = Unpacked(gunzip(data, max_bytes))
    elif path.lower().endswith(".epub") and data.strip():
        raise RefusedError("damaged-archive", "it is named .epub and is no zip archive; fetch it again")
    else:
        unpacked = Unpacked(data)
    check_text(unpacked.data)
    return unpacked


def is_packed(data: bytes) -> bool:
    """Return whether a file's text must be unpacked."""
    return data.startswith((*ZIP_MAGIC, GZIP_MAGIC))


def choose_member(sizes: dict[str, int], stem: str) -> str:
    """Return the text of a zip: best by Gutenberg's names, then the one named like the zip, then the largest.

    Raises:
        RefusedError: `no-text-in-archive`.
    """

    def order(name: str) -> tuple[int, bool, int, str]:
        named = read_mirror_name(name)
        own = PurePosixPath(name).stem == stem
        return named.rank if named else UNKNOWN, not own, -sizes[name], name

    texts = [name for name in sizes if _is_text_name(PurePosixPath(name))]
    if not texts:
        detail = f"the zip holds no .txt file, only {', '.join(sorted(sizes)[:3]) or 'nothing'}"
        raise RefusedError("no-text-in-archive", detail)
    return min(texts, key=order)


def _is_text_name(path: PurePosixPath) -> bool:
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return path.suffix.lower() == ".txt" and not hidden
