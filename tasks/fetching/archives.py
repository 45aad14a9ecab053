""".gz and .zip -> what lies in them, never more than a bound and never outside the archive."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

from tasks.fetching.soundness import RefusedError, check_size

GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")  # APPNOTE.TXT 4.3.7, 4.3.16 (an empty one)
MAX_DIRECTORY_BYTES = 4_000_000  # of a zip's own list of files: tens of thousands of names, more than any book has
ENCRYPTED = 0x1  # APPNOTE.TXT 4.4.4, bit 0

_END = b"PK\x05\x06"
_END_BYTES = 22
_LONGEST_COMMENT = 65_535


def gunzip(data: bytes, max_bytes: int) -> bytes:
    """Return what a .gz holds.

    Raises:
        RefusedError: `damaged-archive` where it is cut off or broken, `too-large` beyond `max_bytes`.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            plain = file.read(max_bytes + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise RefusedError("damaged-archive", f"the .gz is cut off or damaged ({error}); fetch it again") from error
    _check_unpacked(len(plain), max_bytes)
    return plain


class Archive:
    """A zip, read in memory; `max_bytes` bounds what is unpacked of it in all."""

    def __init__(self, data: bytes, max_bytes: int) -> None:
        self._room = self._max_bytes = max_bytes
        _check_directory(data)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise RefusedError("damaged-archive", f"the zip is cut off or damaged ({error}); fetch it again") from error
        self._members = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        for name in self._members:
            if not is_inside(name):
                raise RefusedError("unsafe-archive", f"the zip holds {name[:100]!r}, which leads out of it")

    def sizes(self) -> dict[str, int]:
        """Return the size that each file in it claims to have, by name."""
        return {name: info.file_size for name, info in self._members.items()}

    def read(self, name: str) -> bytes:
        """Return one file of the archive.

        Raises:
            KeyError: there is none of that name.
            RefusedError: `encrypted`, `damaged-archive` or `too-large`.
        """
        info = self._members[name]
        if info.flag_bits & ENCRYPTED:
            raise RefusedError("encrypted", f"{name} in the zip is encrypted")
        _check_unpacked(self._max_bytes - self._room + info.file_size, self._max_bytes)
        try:
            with self._zip.open(info) as file:
                plain = file.read(self._room + 1)  # what the list of files says of its size may be a lie
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            detail = f"{name} in the zip cannot be unpacked ({error}); fetch it again"
            raise RefusedError("damaged-archive", detail) from error
        self._room -= len(plain)
        _check_unpacked(self._max_bytes - self._room, self._max_bytes)
        return plain


def is_inside(name: str) -> bool:
    """Return whether a path of an archive or a table stays in its folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    return not (path.is_absolute() or ".." in path.parts or "\0" in name or (path.parts[:1] and ":" in path.parts[0]))


def _check_unpacked(num_bytes: int, max_bytes: int) -> None:
    check_size(num_bytes, max_bytes, "unpacked, it")


def _check_directory(data: bytes) -> None:
    """Refuse a zip whose list of files alone would fill the memory: zipfile reads it whole."""
    tail = data[-(_END_BYTES + _LONGEST_COMMENT) :]
    at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        raise RefusedError("damaged-archive", "the zip is cut off: it has no end of its list of files; fetch it again")
    num_bytes = struct.unpack_from("<L", tail, at + 12)[0]  # APPNOTE.TXT 4.3.16: size of the central directory
    if num_bytes > MAX_DIRECTORY_BYTES:
        detail = f"the zip's list of files takes {num_bytes} bytes, {MAX_DIRECTORY_BYTES} allowed"
        raise RefusedError("too-large", detail)
