"""The engine beside `vllm bench serve` on one real vLLM server, and what the plans of real novels cost.

    python benchmarks/engine.py [--pairs N] [--source MIRROR] [--books IDS] [--json FILE]

Makes the server's environment where there is none, starts the server itself with a tiny random model on the CPU, and
ends within 25 minutes on two cores. Throughput is of alternating pairs of runs over the same prompts at temperature 0,
the prefix cache emptied before each; its ratio is judged only where the load average was below 2.5, for the server and
the client share the cores. The server has 16 slots: the engine is told so and lets a few more requests wait there, the
peer has 16 requests in flight. Saturation is measured with and without the time in the server's queue. Without
--source the plans are those of the novels in samples/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.serving.load import QUESTION, SMALL_TOKENS, Note, cut_passages, make_requests, measure_cpu, run_ours
from benchmarks.serving.novels import Cost, build_novels
from benchmarks.serving.peer import Load, run_peer, write_prompts
from benchmarks.serving.vllm_cpu import ROOT, VllmServer, find_interpreter, serve_tiny_model

MIRROR = ROOT.parent / "shared" / "gutenberg" / "mirror"
NOVELS = "74,84,98,768,1342"  # Tom Sawyer, Frankenstein, A Tale of Two Cities, Wuthering Heights, Pride and Prejudice
SLOTS, MANY_SLOTS = 16, 256
NUM_REQUESTS, NUM_LONG_REQUESTS = 800, 512
QUIET = 2.5  # load average

Figures = dict[str, object]


def compare(server: VllmServer, interpreter: Path, num_pairs: int, folder: Path) -> Figures:
    """Run pairs, ours first in every other one, and return medians and the ratio of medians."""
    passages = cut_passages(NUM_REQUESTS, 1_200)
    requests, prompts = make_requests(passages, Note, SMALL_TOKENS), folder / "prompts.jsonl"
    write_prompts([f"{passage}\n\n{QUESTION}" for passage in passages], SMALL_TOKENS, prompts)
    shape = {"name": "Note", "schema": Note.model_json_schema(), "strict": True}
    body: dict[str, object] = {"response_format": {"type": "json_schema", "json_schema": shape}}
    ours: list[Load] = []
    peers: list[Load] = []
    loads: list[float] = []
    run_ours(server, requests[:100], SLOTS)  # grammars are compiled, memory is touched
    for pair in range(num_pairs):
        for own in (pair % 2 == 0, pair % 2 == 1):
            server.forget()
            if own:
                ours.append(run_ours(server, requests, SLOTS)[0])
            else:
                peers.append(run_peer(server, interpreter, prompts, SLOTS, body))
        loads.append(os.getloadavg()[0])
        print(f"pair {pair + 1}: ours {ours[-1]}, peer {peers[-1]}, load {loads[-1]:.1f}", flush=True)
    ratio = median(load.requests_per_s for load in ours) / median(load.requests_per_s for load in peers)
    return {
        "pairs": num_pairs,
        "requests_per_s_ours": round(median(load.requests_per_s for load in ours), 2),
        "requests_per_s_vllm_bench": round(median(load.requests_per_s for load in peers), 2),
        "throughput_ratio": round(ratio, 3),
        "throughput_judged": max(loads) < QUIET,
        "load_average_max": round(max(loads), 2),
        "same_tokens": len({load.completion_tokens for load in ours + peers}) == 1,
        "slot_saturation_ours": round(median(load.saturation for load in ours), 3),
        "slot_saturation_vllm_bench": round(median(load.saturation for load in peers), 3),
        "slots_running_ours": round(median(load.running for load in ours), 3),
        "slots_running_vllm_bench": round(median(load.running for load in peers), 3),
    }


def figures_of(cost: Cost) -> Figures:
    """Return calls, computed tokens and waste; of several samples a server tells the counts of one, so both stand."""
    ledger, levels = cost.ledger, cost.ledger.levels
    probes = levels["probe"].calls if "probe" in levels else 0
    calls = ledger.calls - probes
    computed = ledger.prompt_tokens - ledger.cached_tokens
    return {
        "novels": cost.books_out,
        "novel_tokens": cost.book_tokens,
        "windows": cost.windows,
        "calls": calls,
        "calls_a_window_beside_10_a_book": round((calls - 10 * cost.books_out) / max(1, cost.windows), 3),
        "computed_per_book_token_ledger": round(computed / cost.book_tokens, 3),
        "computed_per_book_token_server": round(
            (cost.server_prompt_tokens - cost.server_cached_tokens) / cost.book_tokens, 3
        ),
        "wasted_share": round(ledger.wasted_tokens / max(1, ledger.completion_tokens), 4),
        "failures": ledger.failures,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--source", default=str(MIRROR) if MIRROR.exists() else str(ROOT / "samples"))
    parser.add_argument("--books", help=f"default: {NOVELS} of a mirror, all of samples/")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    books = arguments.books or ("all" if arguments.source == str(ROOT / "samples") else NOVELS)
    started, interpreter = time.monotonic(), find_interpreter(install=True)
    figures: Figures = {"cores": os.cpu_count(), "python": platform.python_version(), "vllm": "0.32.0"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serve_tiny_model(folder, interpreter, max_num_seqs=SLOTS, VLLM_SERVER_DEV_MODE="1") as server:
            figures |= compare(server, interpreter, arguments.pairs, folder)
        with serve_tiny_model(folder, interpreter, max_num_seqs=MANY_SLOTS, VLLM_SERVER_DEV_MODE="1") as server:
            cpu_ms = measure_cpu(server, NUM_LONG_REQUESTS, MANY_SLOTS)
            figures["client_cpu_ms_at_256_in_flight"] = round(cpu_ms, 2)
            figures |= figures_of(build_novels(server, arguments.source, books))
    figures["minutes"] = round((time.monotonic() - started) / 60, 1)
    for key, value in figures.items():
        print(f"{key:36} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
