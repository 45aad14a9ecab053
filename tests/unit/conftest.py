"""Unit tests cannot open a socket."""

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _no_socket():
    disable_socket(allow_unix_socket=True)  # an event loop wakes itself through a socket pair
    yield
    enable_socket()
