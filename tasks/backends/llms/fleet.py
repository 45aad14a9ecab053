"""Requests -> responses of the servers: each book at its own, at another while that is away, none beyond its limit."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from schemas.errors import TransientError
from schemas.settings import LLMSettings
from tasks.backends.llms.connections import open_client
from tasks.backends.llms.lanes import Gate, Lane, order_lanes
from tasks.backends.llms.limiter import Limiter
from tasks.backends.llms.server import (
    BUSY,
    COUNT_S,
    Server,
    describe_error,
    root_of,
    wait_before,
)
from tasks.backends.llms.tally import Tally
from tasks.backends.llms.watch import Watch

MAX_COUNTING = 16  # requests to /tokenize at once
BROKEN = {500, 502, 504}  # 500: vLLM answers so while its engine dies
CROWDED = {429, 503}
CHAT_PAGE = "/chat/completions"

Body = Mapping[str, object]
Said = httpx.Response | httpx.RequestError
Send = Callable[[Sequence[Lane], int], Awaitable[tuple[Lane, Said]]]


@dataclass(frozen=True)
class Caller:
    """Who asks: for turns, for the ledger, and the name under which a server logs the tries of one request."""

    book_id: str
    call: str
    urgent: bool
    name: str


class Fleet:
    """The servers of a model and of its fallback behind one client; used in the engine's loop alone."""

    def __init__(self, settings: LLMSettings, servers: Sequence[Server], tally: Tally) -> None:
        ceiling = max(1, settings.max_in_flight // settings.num_processes)
        slots = max(1, settings.max_num_seqs // settings.num_processes) if settings.max_num_seqs else None
        urls = tuple(dict.fromkeys(url for server in servers for url in server.urls))
        self._lanes = {url: Lane(url, Limiter(ceiling, slots)) for url in urls}
        self._gate = Gate(tuple(self._lanes.values()), ceiling)
        self._tally, self._num_rounds = tally, settings.connect_attempts
        self._counting = asyncio.Semaphore(MAX_COUNTING)
        self._client = open_client(urls, settings.timeout_s)
        self._watch = Watch(self._gate, tuple(self._lanes.values()), self._client)

    async def chat(self, server: Server, make_body: Callable[[], Body], caller: Caller) -> httpx.Response:
        """Return what a server says to a chat request, once it is neither busy nor away.

        The body is made when its turn has come: thousands of prompts wait, some hundred are on the wire.
        BudgetError where the budget is spent before it could be sent, TransientError where every try was in vain.
        """
        return await self._try_all(server, caller, functools.partial(self._send_chat, make_body, caller))

    async def count(self, server: Server, messages: Sequence[Mapping[str, str]], caller: Caller) -> httpx.Response:
        """Return what a server says to a request for the tokens of messages; TransientError as of `chat`."""
        body = {"model": server.model, "messages": messages}
        return await self._try_all(server, caller, functools.partial(self._send_count, body))

    async def close(self) -> None:
        """Stop watching, and close the connections."""
        await self._watch.close()
        await self._client.aclose()

    async def _try_all(self, server: Server, caller: Caller, send: Send) -> httpx.Response:
        """Try a book's servers in their order, each once a round, and wait before the next round."""
        lanes = order_lanes([self._lanes[url] for url in server.urls], caller.book_id)
        left, num_tries, num_rounds = lanes, 0, 0
        while True:
            num_tries += 1
            lane, said = await send(left, num_tries)
            if isinstance(said, httpx.Response) and said.status_code not in BUSY:
                return said
            left = [other for other in left if other is not lane and other.up]
            if not left:
                left, num_rounds = lanes, num_rounds + 1
                if num_rounds == self._num_rounds:
                    break
                await asyncio.sleep(wait_before(num_rounds - 1, said))
        told = describe_error(said) if isinstance(said, httpx.Response) else str(said) or type(said).__name__
        raise TransientError(
            f"book {caller.book_id}: {server} did not answer in {num_tries} tries: {told}", retried=True
        )

    async def _send_chat(
        self, make_body: Callable[[], Body], caller: Caller, lanes: Sequence[Lane], num_tries: int
    ) -> tuple[Lane, Said]:
        lane = await self._gate.enter(lanes, caller.book_id, caller.urgent or num_tries > 1)
        headers = {"X-Request-Id": f"{caller.name}-{num_tries}"}
        try:
            self._tally.check_budget()
            self._watch.follow_load()
            with self._tally.flight(caller.book_id, caller.call):
                said = await self._post(lane, f"{lane.url}{CHAT_PAGE}", make_body(), headers=headers)
        finally:
            self._gate.leave(lane)
        if isinstance(said, httpx.Response) and said.status_code == 200:
            lane.limiter.note_answer()
        elif isinstance(said, httpx.Response) and said.status_code in CROWDED:
            lane.limiter.note_busy()
        self._gate.open()
        return lane, said

    async def _send_count(self, body: Body, lanes: Sequence[Lane], num_tries: int) -> tuple[Lane, Said]:
        lane = next((lane for lane in lanes if lane.up), lanes[0])
        async with self._counting:
            return lane, await self._post(lane, f"{root_of(lane.url)}/tokenize", body, timeout=COUNT_S)

    async def _post(self, lane: Lane, url: str, body: Body, **options: Any) -> Said:
        """Return a response, or why there is none; note who is away."""
        try:
            response = await self._client.post(url, json=body, **options)
        except httpx.RequestError as error:
            if not isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):  # slow is not away
                self._watch.set_down(lane)
            return error
        if response.status_code in BROKEN:
            self._watch.set_down(lane)
        elif response.status_code == 503:  # of one that is full, or of one that is about to die
            self._watch.suspect(lane)
        return response
