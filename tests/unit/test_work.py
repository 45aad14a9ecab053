"""A value that exists is not made again."""

import zstandard

from schemas.books import Rejection
from schemas.corpus_settings import ScreenSettings
from schemas.value import Value
from tasks.backends.stores import LocalStore
from tasks.work import Work

CALLS = []


class Word(Value):
    text: str


def shout(word: Word, settings: ScreenSettings) -> Word:
    CALLS.append(word.text)
    return Word(text=word.text.upper())


def make(work, text="salt", settings=None):
    return work.make(Word, "7", shout, settings or ScreenSettings(), Word(text=text))


def test_a_value_is_made_once_and_comes_back_equal(tmp_path):
    CALLS.clear()
    first = make(Work(LocalStore(tmp_path)))
    second = make(Work(LocalStore(tmp_path)))
    assert first == second == (first[0], Word(text="SALT"))
    assert CALLS == ["salt"]


def test_another_input_or_setting_makes_another_value(tmp_path):
    CALLS.clear()
    work = Work(LocalStore(tmp_path))
    keys = {make(work)[0], make(work, "sand")[0], make(work, settings=ScreenSettings(min_words=1))[0]}
    assert len(keys) == len(CALLS) == 3


def test_a_value_tells_its_hash_without_being_read(tmp_path):
    work = Work(LocalStore(tmp_path))
    key, value = make(work)
    assert work.digest(key) == value.digest()
    assert work.digest("shout/7/none.json.zst") is None


def test_ordinary_tools_read_the_file(tmp_path):
    key, value = make(Work(LocalStore(tmp_path)))
    with zstandard.open(tmp_path / key, "rb") as file:
        stream = file.read()
    reader = zstandard.ZstdDecompressor().stream_reader((tmp_path / key).read_bytes(), read_across_frames=True)
    assert value.to_json() in (stream, reader.read())


def test_a_damaged_value_is_made_again(tmp_path, caplog):
    CALLS.clear()
    work = Work(LocalStore(tmp_path))
    key, _ = make(work)
    (tmp_path / key).write_bytes((tmp_path / key).read_bytes()[:-3])
    assert make(work)[1] == Word(text="SALT")
    assert len(CALLS) == 2
    assert "damaged" in caplog.text


def test_the_path_names_stage_and_book(tmp_path):
    key, _ = make(Work(LocalStore(tmp_path)))
    assert key.startswith("test_work/7/")
    assert key.endswith(".json.zst")
    assert Work(LocalStore(tmp_path)).load(Rejection, "none") is None
