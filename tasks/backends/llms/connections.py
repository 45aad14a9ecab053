"""URLs -> one httpx client that stays cheap with hundreds of requests in flight."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Sequence

import httpx

from tasks.backends.llms.server import CONNECT_S, KEEP_S, LOOPBACK, key_headers

# one connection each: httpcore 1.0 looks at every connection of a pool at every change, 10 ms a request at 256
ONE_CONNECTION = httpx.Limits(max_connections=1, keepalive_expiry=KEEP_S)


class Connections(httpx.AsyncBaseTransport):
    """The connections to one server: as many as requests are in flight, each kept for the next request."""

    def __init__(self, context: ssl.SSLContext, proxy: str | None) -> None:
        self._context, self._proxy = context, proxy
        self._idle: list[httpx.AsyncHTTPTransport] = []  # the last used is the warmest

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its response with the whole body."""
        connection = self._idle.pop() if self._idle else self._open()
        try:
            response = await connection.handle_async_request(request)
            body = b"".join([part async for part in response.aiter_raw()])
            await response.aclose()
        except BaseException:  # a pool whose request was cancelled may hold its place for ever: use it no more
            await connection.aclose()
            raise
        self._idle.append(connection)
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    async def aclose(self) -> None:
        """Close every connection."""
        while self._idle:
            await self._idle.pop().aclose()

    def _open(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=self._context, limits=ONE_CONNECTION, proxy=self._proxy)


def open_client(urls: Sequence[str], timeout_s: float) -> httpx.AsyncClient:
    """Return a client of these servers; who uses it bounds the requests in flight, and so the connections."""
    context = httpx.create_ssl_context()
    mounts: dict[str, httpx.AsyncBaseTransport | None] = {}
    for url in map(httpx.URL, urls):
        mounts[f"{url.scheme}://{url.netloc.decode()}"] = Connections(context, find_proxy(url.scheme, url.host))
    timeout = httpx.Timeout(timeout_s, connect=CONNECT_S, pool=None)
    return httpx.AsyncClient(headers=key_headers(), timeout=timeout, verify=context, mounts=mounts, trust_env=False)


def find_proxy(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for a server, if any; this machine is not asked through one."""
    if host in LOOPBACK or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(scheme) or proxies.get("all")
