"""`python -m tests.stand_in`: serve on a free port of 127.0.0.1, which is printed first, until the process is ended."""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial
from pathlib import Path

from tests.stand_in.faults import CUT, WRONG, Faults
from tests.stand_in.http import serve_connection
from tests.stand_in.server import Options, Server


def read_arguments() -> Options:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.stand_in", description=__doc__)
    parser.add_argument("--models", default="stand-in", help="separated by commas")
    parser.add_argument("--max-model-len", type=int, default=32_768)
    parser.add_argument("--max-num-seqs", type=int, default=256, help="answers at once; others wait")
    parser.add_argument("--max-queued", type=int, help="more that wait are refused with 503")
    parser.add_argument("--latency", type=float, default=0.0, help="mean seconds of an answer")
    parser.add_argument("--faults", default="", help="shares, such as transport=0.3,content=0.3,stubborn=0.1")
    parser.add_argument("--kinds", default=",".join(CUT), help=f"of content faults: {', '.join((*CUT, *WRONG))}")
    parser.add_argument("--log", type=Path, help="JSON lines: every chat request received and answered")
    given = parser.parse_args()
    shares = {name: float(share) for name, share in (pair.split("=") for pair in filter(None, given.faults.split(",")))}
    return Options(
        models=tuple(given.models.split(",")),
        max_model_len=given.max_model_len,
        max_num_seqs=given.max_num_seqs,
        max_queued=given.max_queued,
        latency_s=given.latency,
        faults=Faults(**shares, kinds=tuple(given.kinds.split(","))),
        log=given.log,
    )


async def serve(options: Options) -> None:
    """Serve until the process is ended."""
    server = Server(options)
    listening = await asyncio.start_server(
        partial(serve_connection, server.handle), "127.0.0.1", 0, limit=1 << 20, backlog=1_024
    )
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(read_arguments()))
