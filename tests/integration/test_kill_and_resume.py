"""kill -9 at any moment, run again: the same bytes, and no answer that had arrived is asked for twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import ROOT
from tests.integration.stand_in_builds import build, fingerprint, prepare, stored_keys
from tests.stand_in.process import StandIn

SEED = 20
NUM_EARLY, NUM_LATE = 13, 7  # kills while answers come in, and while shards are written
IN_FLIGHT = 4
MOST_S = 120.0

Moment = Callable[[], bool]


class Killed:
    """A data set whose builds are killed again and again; knows what was asked, and what was kept each time."""

    def __init__(self, folder: Path, whole: Path, stand_in: StandIn, env: dict[str, str]) -> None:
        self.folder, self.whole, self.stand_in, self.env = folder, whole, stand_in, env
        self.out = folder / "out"
        self.num_kills = self.num_kept = self.num_lost = 0
        self.kept: set[str] = set()  # first 16 digits of the keys of answers on the disk when a build was dead
        profile = folder / "slow.toml"
        profile.write_text(f'[llm]\nurl = "{stand_in.url}"\nmax_in_flight = {IN_FLIGHT}\n')
        command = [sys.executable, "-m", "flows.cli", "build", "--profile", str(profile), "--out", str(self.out)]
        self.command = command

    def begin_anew(self, *, answered: bool) -> None:
        """Start another data set: with nothing asked yet, or with everything answered and nothing composed."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.kept.clear()
        prepare(self.out, self.whole)
        if answered:
            for name in ("summarize", "verify"):
                shutil.copytree(self.whole / "work" / name, self.out / "work" / name)

    def run_until(self, moment: Moment, wait_s: float) -> bool:
        """Build until a moment and a little longer, then kill; False where the build had ended before."""
        before = len(self.stand_in.entries())
        process = subprocess.Popen(
            self.command,
            env=self.env,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + MOST_S
        try:
            while process.poll() is None and not moment():
                assert time.monotonic() < deadline, "the moment did not come"
                time.sleep(0.01)
            time.sleep(wait_s)
        finally:
            had_ended = process.poll() is not None
            if not had_ended:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
        self.num_kills += not had_ended
        time.sleep(0.2)  # for the server to note what was sent
        self.check(before)
        if had_ended:
            assert process.returncode == 0
            assert fingerprint(self.out) == fingerprint(self.whole)
        return not had_ended

    def check(self, since: int) -> None:
        """Hold one build's requests against what was kept before it, and note what is kept now."""
        asked = [entry["id"].partition("-")[0] for entry in self.stand_in.asked(since)]
        assert not [name for name in asked if not name], "requests bear no id"
        assert not self.kept.intersection(asked), "an answer that had arrived was asked for again"
        assert all(number == 1 for number in Counter(asked).values()), "a question was put twice in one run"
        self.kept = {key[:16] for key in stored_keys(self.out, self.folder / "copy")}
        lost = set(asked) - self.kept
        assert len(lost) <= IN_FLIGHT, f"{len(lost)} requests have to be repeated, {IN_FLIGHT} were in flight"
        self.num_lost += len(lost)
        self.num_kept += len(set(asked) & self.kept)


@pytest.fixture(scope="module")
def whole(prefect_env, tmp_path_factory):
    """An uninterrupted build."""
    folder = tmp_path_factory.mktemp("whole")
    with StandIn(folder / "log.jsonl") as stand_in:
        build(folder / "out", stand_in.url, prefect_env["PREFECT_API_URL"])
    return folder / "out"


def answers_later(stand_in: StandIn, number: int) -> Moment:
    """The moment when the server has given so many more answers."""
    before = len(stand_in.entries())
    return lambda: len(stand_in.entries()) >= before + 2 * number


def files_there(out: Path, pattern: str, number: int) -> Moment:
    """The moment when so many files are there."""
    return lambda: len(list(out.glob(pattern))) >= number


def test_a_build_killed_at_twenty_moments_loses_nothing_and_ends_with_the_same_bytes(whole, prefect_env, tmp_path):
    rng = random.Random(SEED)
    env = {**prefect_env, "PYTHONPATH": str(ROOT)}
    with StandIn(tmp_path / "log.jsonl", latency=0.1) as stand_in:
        killed = Killed(tmp_path, whole, stand_in, env)
        killed.begin_anew(answered=False)
        while killed.num_kills < NUM_EARLY:
            moment = answers_later(stand_in, rng.randint(0, 9))
            if not killed.run_until(moment, rng.uniform(0.0, 0.3)):
                killed.begin_anew(answered=False)
        late = [("work/outcome/*/*", 1), ("work/outcome/*/*", 3), ("data/*/*", 1), ("data/*/*", 2)]
        assert killed.num_kept > NUM_EARLY
        assert killed.num_lost > 0  # some kills hit requests in flight
        killed.begin_anew(answered=True)
        while killed.num_kills < NUM_EARLY + NUM_LATE:
            pattern, number = late[killed.num_kills % len(late)]
            if not killed.run_until(files_there(killed.out, pattern, number), rng.uniform(0.0, 0.2)):
                killed.begin_anew(answered=True)
        assert not killed.run_until(lambda: False, 0.0)
    assert killed.num_kills == NUM_EARLY + NUM_LATE
