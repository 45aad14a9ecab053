"""Bytes by key on a local disk or any fsspec URL (S3): whole or not at all."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import fsspec
from botocore.exceptions import BotoCoreError, ClientError

from schemas.errors import ConfigError, TransientError
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

    def open(self, key: str) -> BinaryIO:
        """Return a value as a file, of which a part may be read; FileNotFoundError where there is none."""
        return (self.root / key).open("rb")

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
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
        _sync_folder(path.parent)
        return True

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
            raise ConfigError(f"cannot write to {path.parent}: {error.strerror}; choose another --out") from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            if error.errno in _FULL:
                raise ConfigError(f"the disk of {path.parent} is full: free some room and run again") from error
            raise
        return Path(name)


class RemoteStore:
    """A prefix of a bucket, through fsspec; credentials are fsspec's own affair (environment, profile)."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        try:
            self._fs, self._root = fsspec.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"{self.url}: no such kind of store: {error}") from error

    def get(self, key: str) -> bytes:
        """Return the bytes; FileNotFoundError where there are none."""
        return bytes(self._call("read", key, self._fs.cat_file, self._path(key)))

    def open(self, key: str) -> BinaryIO:
        """Return a value as a file, of which a part may be read; FileNotFoundError where there is none."""
        return cast(BinaryIO, self._call("read", key, self._fs.open, self._path(key), "rb"))

    def upload(self, key: str, path: Path) -> None:
        """Write or replace a value by a file of any size, of which only a part is in memory at a time."""
        self._call("write", key, self._fs.put_file, str(path), self._path(key))

    def head(self, key: str, num_bytes: int) -> bytes | None:
        """Return the first bytes of a value, or None where there is none."""
        try:
            return bytes(self._call("read", key, self._fs.cat_file, self._path(key), start=0, end=num_bytes))
        except FileNotFoundError:
            return None

    def put(self, key: str, data: bytes) -> None:
        """Write or replace a value in one request."""
        self._call("write", key, self._fs.pipe_file, self._path(key), data)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write a value unless there is one: one PUT with If-None-Match, never multipart."""
        try:
            self._call("write", key, self._fs.pipe_file, self._path(key), data, chunksize=2**40, mode="create")
        except FileExistsError:
            return False
        return True

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a prefix, sorted."""
        self._fs.invalidate_cache()
        found = self._call("list", prefix, self._fs.find, self._path(prefix))
        return sorted(str(path)[len(self._root) :].lstrip("/") for path in found)

    def delete(self, key: str) -> None:
        """Remove a value, if there is one."""
        try:
            self._call("delete", key, self._fs.rm_file, self._path(key))
        except FileNotFoundError:
            return

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _call(self, verb: str, key: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run one request; what the bucket refuses is a ConfigError, what may pass a TransientError."""
        try:
            return function(*args, **kwargs)
        except FileNotFoundError as error:
            if verb == "write":  # a key may be missing, but nothing is written where there is no bucket
                raise ConfigError(
                    f"cannot write {self.url}: no such bucket; create it, or choose another --out"
                ) from error
            raise
        except FileExistsError:
            raise
        except PermissionError as error:
            raise ConfigError(f"cannot {verb} {self.url}/{key}: access denied; check the credentials") from error
        except (ClientError, BotoCoreError, OSError, TimeoutError) as error:
            if _is_precondition(error):
                raise FileExistsError(key) from error
            if "NoCredentials" in type(error).__name__:
                raise ConfigError(
                    f"cannot {verb} {self.url}: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                ) from error
            raise TransientError(f"cannot {verb} {self.url}/{key}: {error}") from error


def _is_precondition(error: BaseException) -> bool:
    text = str(error)
    return (
        "PreconditionFailed" in text
        or "ConditionalRequestConflict" in text
        or "At least one of the pre-conditions" in text
    )


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
