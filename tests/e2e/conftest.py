"""A real vLLM server on the CPU with a tiny random model, one for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.serving.vllm_cpu import ServerError, VllmServer, find_interpreter, serve_tiny_model


@pytest.fixture(scope="session")
def vllm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """Yield a vLLM server with a tiny model; it takes about a minute and 3 GB of memory."""
    try:
        with serve_tiny_model(tmp_path_factory.mktemp("vllm"), find_interpreter()) as server:
            yield server
    except ServerError as error:
        pytest.fail(str(error))
