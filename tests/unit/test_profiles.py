"""Profile + command line -> Settings."""

import pytest

from flows.profiles import load_settings
from schemas.errors import ConfigError
from schemas.settings import Settings
from tasks.snapshot import redact_settings, redact_url


def test_nothing_said_means_the_defaults():
    assert load_settings(None, {"out": None, "llm.url": None}) == Settings()


def test_the_command_line_wins_over_the_profile():
    settings = load_settings("demo", {"out": "elsewhere", "train.steps": 3})
    assert settings.out == "elsewhere"
    assert settings.train.steps == 3
    assert settings.train.allow_untrainable


def test_a_typo_is_named(tmp_path):
    profile = tmp_path / "mine.toml"
    profile.write_text("[compose]\nwindow = [8192]\n")
    with pytest.raises(ConfigError, match=r"no setting is called 'compose\.window'"):
        load_settings(str(profile), {})


def test_an_unknown_profile_lists_the_known_ones():
    with pytest.raises(ConfigError, match="demo, full, local"):
        load_settings("dmeo", {})


def test_a_manifest_shows_no_password():
    settings = load_settings(None, {"llm.url": "http://user:secret@127.0.0.1:8000/v1"})
    assert "secret" not in str(redact_settings(settings))
    assert redact_url("http://127.0.0.1:8000/v1") == "http://127.0.0.1:8000/v1"
