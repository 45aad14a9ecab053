"""A folder that is written whole, and then appears where it was asked for: never half of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import ConfigError
from tasks.backends.remote_store import RemoteStore
from tasks.backends.stores import is_url


@contextmanager
def writing_folder(location: str, *, first: str, last: str, force: bool) -> Iterator[Path]:
    """Give a folder to write into; when the caller is done without an error, it is at `location`.

    On a disk it is written beside its place and renamed. To a bucket it is uploaded file by file: `first` tells that
    the rest is ours to replace, and `last` comes when all others are there, so readers wait for that one. Until then
    the whole lies in the temporary folder of this machine (TMPDIR).

    Args:
        location: folder or URL; it must be empty, or hold what an earlier call wrote if `force` is set.
        first: a file that every such folder holds, by which an earlier one is known.
        last: the file that tells readers what there is.
        force: replace what an earlier call wrote.

    Raises:
        ConfigError: something else lies there, or nothing can be written.
    """
    marks = (first, last)
    written = (
        _uploading(RemoteStore(location), location, marks, force=force)
        if is_url(location)
        else _renaming(Path(location).expanduser().absolute(), location, first, force=force)
    )
    with written as staged:
        yield staged


@contextmanager
def _renaming(target: Path, location: str, first: str, *, force: bool) -> Iterator[Path]:
    _check_free(location, _list_folder(target), first, force=force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        around = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise ConfigError(f"cannot write beside {target}: {error.strerror}; choose another --to") from error
    try:
        staged = around / "new"
        staged.mkdir()
        yield staged
        if target.exists():
            target.rename(around / "old")
        staged.rename(target)
    except OSError as error:
        raise ConfigError(
            f"cannot write {target}: {error.strerror or error}; make room, or choose another --to"
        ) from error
    finally:
        shutil.rmtree(around, ignore_errors=True)


@contextmanager
def _uploading(store: RemoteStore, location: str, marks: tuple[str, str], *, force: bool) -> Iterator[Path]:
    first, last = marks
    held = store.keys("")
    _check_free(location, held, first, force=force)
    with tempfile.TemporaryDirectory() as around:
        staged = Path(around)
        yield staged
        if last in held:
            store.delete(last)
        paths = sorted(path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file())
        for key in sorted(paths, key=lambda key: (key == last, key != first, key)):
            if key == last:
                for stale in set(held) - set(paths):
                    store.delete(stale)
            store.upload(key, staged / key)


def _list_folder(target: Path) -> list[str]:
    try:
        return sorted(path.name for path in target.iterdir()) if target.exists() else []
    except OSError as error:
        raise ConfigError(f"{target}: it is no folder that can be read: {error.strerror}") from error


def _check_free(location: str, held: list[str], first: str, *, force: bool) -> None:
    if not held or (force and first in held):
        return
    if first in held:
        raise ConfigError(f"{location} holds an export already: --force replaces it, or choose another --to")
    raise ConfigError(f"{location} holds something else ({held[0]}): choose an empty folder as --to")
