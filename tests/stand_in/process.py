"""The stand-in as a process of its own, for tests: killing a build never kills it, and it never waits for the test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]


class StandIn:
    """A running stand-in server; `url` is what `llm.url` wants."""

    def __init__(self, log: Path, **options: object) -> None:
        self.log = log
        pairs = [(f"--{name.replace('_', '-')}", str(value)) for name, value in options.items()]
        self._command = [
            sys.executable,
            "-m",
            "tests.stand_in",
            "--log",
            str(log),
            *(part for pair in pairs for part in pair),
        ]
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.communicate(timeout=20)

    def every_entry(self) -> list[dict[str, Any]]:
        """Return the log, probes of a schema among it."""
        whole = self.log.read_text("utf-8").rpartition("\n")[0] if self.log.exists() else ""
        return [json.loads(line) for line in whole.splitlines()]

    def entries(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the log without probes, or its entries after the first `since`."""
        return [entry for entry in self.every_entry() if entry["max_tokens"] > 1][since:]

    def asked(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the chat requests that came, those of them too that a fault kept from being answered."""
        return [entry for entry in self.entries(since) if entry["event"] == "received"]
