"""Servers are asked through the proxy that the environment names, but for those of this machine."""

import pytest

from tasks.backends.llms.connections import find_proxy


@pytest.fixture(autouse=True)
def _proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "gpu-1,.cluster")


@pytest.mark.parametrize(
    ("scheme", "host", "proxy"),
    [
        ("http", "far.example", "http://proxy:3128"),
        ("https", "far.example", None),
        ("http", "127.0.0.1", None),
        ("http", "gpu-1", None),
        ("http", "node.cluster", None),
    ],
)
def test_a_proxy_is_used_where_the_environment_names_one(scheme, host, proxy):
    assert find_proxy(scheme, host) == proxy


def test_one_proxy_may_stand_for_all(monkeypatch):
    monkeypatch.setenv("all_proxy", "http://other:1080")
    assert find_proxy("https", "far.example") == "http://other:1080"
