"""Bytes by key below any fsspec URL (S3): whole or not at all."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
from botocore.exceptions import BotoCoreError, ClientError
from fsspec.asyn import sync
from s3fs import S3FileSystem
from s3fs.errors import translate_boto_error

from schemas.errors import ConfigError, TransientError

MAX_PUT_BYTES = 5 * 2**30  # S3's limit on one PUT


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

    def put_file_if_absent(self, key: str, path: Path) -> bool:
        """Write a file unless there is a value: one PUT with If-None-Match, read as it is sent.

        Raises:
            ConfigError: it is larger than one PUT may be.
        """
        num_bytes = path.stat().st_size
        if num_bytes > MAX_PUT_BYTES:
            raise ConfigError(
                f"{self.url}/{key}: {num_bytes} bytes, one PUT takes {MAX_PUT_BYTES}; "
                "build a new data set with more shard.num_buckets"
            )
        if not isinstance(self._fs, S3FileSystem):
            return self.put_if_absent(key, path.read_bytes())
        try:
            with path.open("rb") as file:
                self._call("write", key, sync, self._fs.loop, _put_object, self._fs, self._path(key), file)
        except FileExistsError:
            return False
        self._fs.invalidate_cache(self._path(key))
        return True

    def upload(self, key: str, path: Path) -> None:
        """Write or replace a value by a file of any size, of which only a part is in memory at a time."""
        self._call("write", key, self._fs.put_file, str(path), self._path(key))

    def scratch(self) -> Path:
        """Return this machine's folder for temporary files."""
        return Path(tempfile.gettempdir())

    @contextmanager
    def file(self, key: str) -> Iterator[Path]:
        """Give a copy on this machine, fetched in pieces."""
        with tempfile.NamedTemporaryFile(prefix=".tmp-") as copy:
            self._call("read", key, self._fs.get_file, self._path(key), copy.name)
            yield Path(copy.name)

    def touch(self, key: str) -> None:
        """Copy a value onto itself within the bucket, which sets its time."""
        if isinstance(self._fs, S3FileSystem):
            self._call("touch", key, sync, self._fs.loop, _renew_object, self._fs, self._path(key))
        else:
            self.put(key, self.get(key))

    def ages(self, prefix: str) -> dict[str, float]:
        """Return the seconds since every value below a prefix was written: the server's time, this machine's clock."""
        now, root = time.time(), len(self._root)
        self._fs.invalidate_cache()
        found = self._call("list", prefix, self._fs.find, self._path(prefix), detail=True)
        times = {path[root:].lstrip("/"): info.get("LastModified") or info["created"] for path, info in found.items()}
        return {
            key: now - (written.timestamp() if isinstance(written, datetime) else float(written))
            for key, written in times.items()
        }

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


async def _put_object(fs: S3FileSystem, path: str, file: BinaryIO) -> None:
    """Send a file in one request.

    The client is called without s3fs's own retries: they would send a file that was half read from where it stands.
    Those of botocore rewind it.
    """
    bucket, key, _ = fs.split_path(path)
    await fs.set_session()
    client = await fs.get_s3(bucket)
    try:
        await client.put_object(Bucket=bucket, Key=key, Body=file, IfNoneMatch="*")
    except ClientError as error:
        raise translate_boto_error(error) from error


async def _renew_object(fs: S3FileSystem, path: str) -> None:
    bucket, key, _ = fs.split_path(path)
    await fs.set_session()
    client = await fs.get_s3(bucket)
    source = {"Bucket": bucket, "Key": key}
    try:
        await client.copy_object(Bucket=bucket, Key=key, CopySource=source, MetadataDirective="REPLACE")
    except ClientError as error:
        raise translate_boto_error(error) from error
