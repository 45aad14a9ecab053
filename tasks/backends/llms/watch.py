"""Servers -> whether they are up, and how loaded: looked at only while there is a reason to."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine, Sequence

import httpx

from tasks.backends.llms.lanes import Gate, Lane
from tasks.backends.llms.limiter import read_load
from tasks.backends.llms.server import CONNECT_S, root_of

logger = logging.getLogger(__name__)

LOOK_S = 1.0  # between two looks


class Watch:
    """Background tasks of a gate: a server that is down is asked for its health, one at work for its load."""

    def __init__(self, gate: Gate, lanes: Sequence[Lane], client: httpx.AsyncClient) -> None:
        self._gate, self._lanes, self._client = gate, lanes, client
        self._silent: set[Lane] = set()  # servers that do not show their load
        self._told: set[Lane] = set()  # servers that were said to be away
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def set_down(self, lane: Lane) -> None:
        """Send nothing more to a server until it says that it is well."""
        lane.up = False
        self._start("health", self._watch_health)

    def suspect(self, lane: Lane) -> None:
        """Ask a server that sent a request away whether it is only busy."""
        self._start(lane.url, functools.partial(self._check, lane))

    def follow_load(self) -> None:
        """Look at the servers' load as long as requests are in flight."""
        if len(self._silent) < len(self._lanes):
            self._start("load", self._watch_load)

    async def close(self) -> None:
        """Stop looking."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, name: str, look: Callable[[], Coroutine[None, None, None]]) -> None:
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(look())
            self._tasks[name].add_done_callback(functools.partial(self._end, name))

    def _end(self, name: str, task: asyncio.Task[None]) -> None:
        del self._tasks[name]
        if not task.cancelled() and (error := task.exception()):
            logger.error("the %s of the servers is watched no more: %s", name, error)

    async def _watch_health(self) -> None:
        while down := [lane for lane in self._lanes if not lane.up]:
            await asyncio.gather(*(self._visit(lane) for lane in down))
            self._gate.open()
            if not all(lane.up for lane in down):
                await asyncio.sleep(LOOK_S)

    async def _visit(self, lane: Lane) -> None:
        lane.up = await self._is_well(lane)
        if lane.up and lane in self._told:
            self._told.remove(lane)
            logger.info("%s is back", lane.url)
        elif not lane.up and lane not in self._told:
            self._told.add(lane)
            logger.warning("%s is away: its requests go to another server, if there is one", lane.url)

    async def _check(self, lane: Lane) -> None:
        if not await self._is_well(lane):
            self.set_down(lane)

    async def _is_well(self, lane: Lane) -> bool:
        """Whether /health is 200; a server without that page is well when it answers at all."""
        response = await self._get(lane, "health")
        return response is not None and response.status_code < 500

    async def _watch_load(self) -> None:
        while self._gate.in_flight and len(self._silent) < len(self._lanes):
            await asyncio.sleep(LOOK_S)
            busy = [lane for lane in self._lanes if lane.limiter.in_flight and lane not in self._silent]
            await asyncio.gather(*(self._look(lane) for lane in busy))
            self._gate.open()

    async def _look(self, lane: Lane) -> None:
        response = await self._get(lane, "metrics")
        if response is None or response.status_code >= 500:
            return
        load = read_load(response.text) if response.status_code == 200 else None
        if load is not None:
            lane.limiter.note_load(load)
        else:
            self._silent.add(lane)
            lane.limiter.note_silence()

    async def _get(self, lane: Lane, page: str) -> httpx.Response | None:
        try:
            return await self._client.get(f"{root_of(lane.url)}/{page}", timeout=CONNECT_S)
        except httpx.RequestError:
            return None
