"""Bytes by key on a local disk, and what opens and probes a store: whole or not at all."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from schemas.errors import ConfigError, TransientError
from tasks.backends.remote_store import RemoteStore
from tasks.protocols import Store

logger = logging.getLogger(__name__)

_FULL = {errno.ENOSPC, errno.EDQUOT}


class LocalStore:
    """A folder. Values appear by rename or link, never half-written."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).expanduser().absolute()

    def get(self, key: str) -> bytes:
        """Return the bytes; FileNotFoundError where there are none."""
        return (self.root / key).read_bytes()

    def head(self, key: str, num_bytes: int) -> bytes | None:
        """Return the first bytes of a value, or None where there is none."""
        try:
            with (self.root / key).open("rb") as file:
                return file.read(num_bytes)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def put(self, key: str, data: bytes) -> None:
        """Write or replace a value: temporary file, fsync, rename, fsync of the folder."""
        path = self.root / key
        temporary = self._write_aside(path, data)
        temporary.replace(path)
        _sync_folder(path.parent)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write a value unless there is one: link(2) fails where the name is taken."""
        path = self.root / key
        temporary = self._write_aside(path, data)
        try:
            return _link(temporary, path)
        finally:
            temporary.unlink()

    def put_file_if_absent(self, key: str, path: Path) -> bool:
        """Link a file of the scratch folder under its key, unless there is a value."""
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        path.chmod(0o644)
        return _link(path, target)

    def scratch(self) -> Path:
        """Return the folder itself: a link needs the same disk."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refuse_folder(self.root, error) from error
        return self.root

    @contextmanager
    def file(self, key: str) -> Iterator[Path]:
        """Give the value's own file."""
        path = self.root / key
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "no such value", str(path))
        yield path

    def touch(self, key: str) -> None:
        """Set the time of a value to now."""
        os.utime(self.root / key)

    def ages(self, prefix: str) -> dict[str, float]:
        """Return the seconds since every file below a folder was written."""
        now, found = time.time(), {}
        for path in (self.root / prefix).rglob("*"):
            try:
                if path.is_file():
                    found[path.relative_to(self.root).as_posix()] = now - path.stat().st_mtime
            except FileNotFoundError:  # a running writer's, gone meanwhile
                continue
        return found

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a folder, sorted; leftovers of killed writers are not among them."""
        folder = self.root / prefix
        found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".tmp-"))
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def delete(self, key: str) -> None:
        """Remove a value, if there is one."""
        (self.root / key).unlink(missing_ok=True)

    def _write_aside(self, path: Path, data: bytes) -> Path:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
        except OSError as error:
            raise _refuse_folder(path.parent, error) from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            if error.errno in _FULL:
                raise _refuse_folder(path.parent, error) from error
            raise
        return Path(name)


def _refuse_folder(folder: Path, error: OSError) -> ConfigError:
    if error.errno in _FULL:
        return ConfigError(f"the disk of {folder} is full: free some room and run again")
    return ConfigError(f"cannot write to {folder}: {error.strerror}; choose another --out")


def _link(path: Path, target: Path) -> bool:
    """Give a whole file a second name, unless that is taken."""
    try:
        os.link(path, target)
    except FileExistsError:
        return False
    _sync_folder(target.parent)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_url(location: str) -> bool:
    """Tell whether a location is a URL (s3://...) and not a folder."""
    return len(urlsplit(location).scheme) > 1


def open_store(location: str) -> Store:
    """Return the store at a folder or URL."""
    return RemoteStore(location) if is_url(location) else LocalStore(location)


def probe_store(store: Store, location: str) -> None:
    """Write, refuse a second write, delete: a store that overwrites in silence would lose snapshots.

    Raises:
        ConfigError: nothing can be written there, or a second put-if-absent succeeds.
    """
    key = f"_probe-{uuid.uuid4().hex}"
    try:
        first, second = store.put_if_absent(key, b"1"), store.put_if_absent(key, b"2")
    except TransientError as error:
        raise ConfigError(f"cannot write to {location}: {error}") from error
    store.delete(key)
    if not first or second:
        raise ConfigError(f"{location}: this store overwrites what exists (If-None-Match is ignored); use another")
