"""What shapes a value is in its key, and nothing else."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas.corpus_settings import ScreenSettings
from tasks import keys
from tasks.screen import screen_book
from tasks.segment import segment_book


@pytest.fixture
def sources(monkeypatch):
    """Let a test edit a module's source without touching the file."""
    edited = {}
    real = keys._source
    monkeypatch.setattr(keys, "_source", lambda module: edited.get(module) or real(module))
    forget()
    yield edited
    forget()


def forget():
    """Make keys read every module again."""
    keys.code_digest.cache_clear()
    keys._parsed.clear()


def digest_after(sources, module, old, new):
    sources[module] = keys._source(module).replace(old, new)
    forget()
    return keys.code_digest("tasks.screen")


def test_a_comment_changes_no_key(sources):
    before = keys.code_digest("tasks.screen")
    sources["tasks.screen"] = "# a remark\n" + keys._source("tasks.screen")
    forget()
    assert keys.code_digest("tasks.screen") == before


def test_an_edited_line_changes_the_key(sources):
    before = keys.code_digest("tasks.screen")
    assert digest_after(sources, "tasks.screen", "RULES", "ALL_RULES") != before


def test_an_edit_of_an_imported_module_changes_the_key(sources):
    before = keys.code_digest("tasks.screen")
    assert digest_after(sources, "schemas.books", "as white space separates them", "as blanks do") != before


def test_the_schema_of_settings_changes_no_key(sources):
    before = keys.code_digest("tasks.screen")
    assert digest_after(sources, "schemas.settings", "shorter texts are rejected", "briefer ones are") == before


def test_an_installed_version_changes_the_key(monkeypatch):
    before = keys.code_digest("tasks.screen")
    monkeypatch.setattr(keys, "package_version", lambda package: f"{package}-next")
    forget()
    assert keys.code_digest("tasks.screen") != before
    forget()


def test_settings_inputs_and_seams_are_in_the_key():
    base = keys.stage_key(screen_book, ScreenSettings(), ("a",), {})
    assert base == keys.stage_key(screen_book, ScreenSettings(), ("a",), {})
    others = {
        keys.stage_key(screen_book, ScreenSettings(min_words=9), ("a",), {}),
        keys.stage_key(screen_book, ScreenSettings(), ("b",), {}),
        keys.stage_key(screen_book, ScreenSettings(), ("a",), {"llm": "m@1"}),
        keys.stage_key(segment_book, ScreenSettings(), ("a",), {}),
        base,
    }
    assert len(others) == 5


def test_prompts_shape_only_what_reads_them(monkeypatch):
    summarize, screen = keys.code_digest("tasks.summarize"), keys.code_digest("tasks.screen")
    monkeypatch.setattr(keys, "prompt_digests", lambda: {"read": "another"})
    forget()
    assert keys.code_digest("tasks.summarize") != summarize
    assert keys.code_digest("tasks.screen") == screen
    forget()


def test_keys_are_the_same_in_many_threads():
    forget()
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(lambda _: keys.code_digest.__wrapped__("tasks.line"), range(16)))
    assert len(set(digests)) == 1
