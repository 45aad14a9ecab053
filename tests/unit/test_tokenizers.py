from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiktoken.registry
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from schemas.errors import ConfigError, PipelineError
from tasks.backends.tokenizers import CONTROL_TOKENS, open_tokenizer

ROOT = Path(__file__).resolve().parents[2]
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
WORDS = (
    *(
        "'s",
        "'S",
        "'ſ",
        "it'll",
        "é",
        "e\u0301",
        "ﬁ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "\u3000",
        "\x85",
        "\x1c",
        "\x00",
        "1",
        "23",
    ),
    *(
        "²",
        "Ⅷ",
        "٣",
        "½",
        "ǅ",
        "日本",
        "😀",
        "👩‍👩‍👧",
        "\ufffd",
        "\u200b",
        "\u0378",
        "İ",
        "ß",
        "_",
        "—",
        "<|eot_id|>",
        "aab",
        " a",
    ),
)


def byte_level(use_regex: bool) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def split_by(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), byte_level(False)])


KINDS: dict[str, Callable[[], pre_tokenizers.PreTokenizer]] = {
    "gpt2": lambda: byte_level(True),
    "whole text": lambda: byte_level(False),
    "llama 3": lambda: split_by(LLAMA3),
    "gaps": lambda: split_by(r" ?[a-z]+(?!x)|\p{N}{2}"),
    "single digits": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level(False)]),
    "digits": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(False), byte_level(False)]),
    "single digits, gpt2": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level(True)]),
    "digits, gpt2": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(False), byte_level(True)]),
}


def train(
    pre_tokenizer: pre_tokenizers.PreTokenizer, normalizer: normalizers.Normalizer | None = None
) -> dict[str, Any]:
    """A tiny tokenizer.json, as an object."""
    chance = random.Random(7)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    text = "".join(
        chance.choice(("ab", "b", "a ", "  ", "it's ", "one ", "\n", "12", "é", "the lamp ", "日本"))
        for _ in range(4000)
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=alphabet, special_tokens=["<s>"], show_progress=False
    )
    tokenizer.train_from_iterator([text[start : start + 500] for start in range(0, len(text), 500)], trainer)
    content: dict[str, Any] = json.loads(tokenizer.to_str())
    return content


def adversarial_texts() -> list[str]:
    chance = random.Random(11)
    texts = ["".join(chance.choices(WORDS, k=chance.randrange(1, 40))) for _ in range(200)]
    texts += ["".join(chance.choices("ab 1", k=chance.randrange(1, 60))) for _ in range(100)]
    valid = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    texts += ["".join(map(chr, chance.sample(valid, 50))) for _ in range(50)]
    return [*texts, *(" " * length for length in range(1, 20)), "", "a" * 3000, " a" * 500, " " * 3000 + "x"]


def write(folder: Path, content: dict[str, Any]) -> str:
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def tiny_json(**changes: object) -> dict[str, Any]:
    """A tokenizer.json of bytes, 'ab' and 'abc'; `changes` replace its parts, `model_x` those of its model."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {char: place for place, char in enumerate([*alphabet, "ab", "abc"])}
    model: dict[str, Any] = {"type": "BPE", "vocab": vocab, "merges": ["a b", "ab c"], "ignore_merges": False}
    model |= {name.removeprefix("model_"): value for name, value in changes.items() if name.startswith("model_")}
    content: dict[str, Any] = {
        "model": model,
        "normalizer": None,
        "added_tokens": [],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    }
    return content | {name: value for name, value in changes.items() if not name.startswith("model_")}


@pytest.mark.parametrize("ignore_merges", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_converted_tokenizer_json_gives_hugging_face_s_own_ids(
    kind: str, ignore_merges: bool, tmp_path: Path
) -> None:
    content = train(KINDS[kind]())
    content["model"]["ignore_merges"] = ignore_merges
    theirs, ours = Tokenizer.from_str(json.dumps(content)), open_tokenizer(write(tmp_path, content))
    wrong = [text for text in adversarial_texts() if theirs.encode(text).ids != ours.encode(text)]
    assert wrong == []


def test_a_normal_form_is_applied_before_counting(tmp_path: Path) -> None:
    content = train(KINDS["gpt2"](), normalizers.NFC())
    theirs, ours = Tokenizer.from_str(json.dumps(content)), open_tokenizer(write(tmp_path, content))
    assert ours.encode("e\u0301") == ours.encode("é")
    assert [text for text in adversarial_texts() if theirs.encode(text).ids != ours.encode(text)] == []


@pytest.mark.parametrize("merges_as_lists", [False, True])
def test_merges_in_any_order_give_hugging_face_s_own_ids(merges_as_lists: bool, tmp_path: Path) -> None:
    chance, wrong = random.Random(3), []
    for _ in range(40):
        tokens, merges = ["a", "b", "c"], []
        for _ in range(chance.randrange(3, 20)):
            pair = chance.choice(tokens), chance.choice(tokens)
            if pair not in merges and len("".join(pair)) < 9:
                merges.append(pair)
                tokens.append("".join(pair))
        chance.shuffle(merges)
        vocab = list(dict.fromkeys([*sorted(pre_tokenizers.ByteLevel.alphabet()), *tokens]))
        chance.shuffle(vocab)
        written = [list(pair) if merges_as_lists else " ".join(pair) for pair in merges]
        content = tiny_json(model_vocab={token: place for place, token in enumerate(vocab)}, model_merges=written)
        theirs, ours = Tokenizer.from_str(json.dumps(content)), open_tokenizer(write(tmp_path, content))
        texts = ["".join(chance.choices("abc", k=chance.randrange(1, 30))) for _ in range(50)]
        wrong += [text for text in texts if theirs.encode(text).ids != ours.encode(text)]
    assert wrong == []


def test_a_token_that_its_own_bytes_do_not_reach_is_a_whole_piece_only(tmp_path: Path) -> None:
    vocab = tiny_json()["model"]["vocab"] | {"cab": 300, "aaa": 301}
    content = tiny_json(model_vocab=vocab, model_ignore_merges=True)
    with pytest.raises(ConfigError, match="token b'cab' exists as a whole piece only"):
        open_tokenizer(write(tmp_path, content))
    del vocab["cab"]
    theirs, ours = Tokenizer.from_str(json.dumps(content)), open_tokenizer(write(tmp_path, content))
    assert ours.encode("aaa") == [301]
    assert ours.encode("aaaab aaa") == theirs.encode("aaaab aaa").ids


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "WordPiece": ({"model_type": "WordPiece"}, "only byte-level BPE"),
    "byte fallback": ({"model_byte_fallback": True}, "byte_fallback"),
    "normalizer": ({"normalizer": {"type": "Lowercase"}}, "normalizer Lowercase"),
    "no pre-tokenizer": ({"pre_tokenizer": None}, "does not end with ByteLevel"),
    "prefix space": ({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True}}, "adds a space"),
    "spaces added": ({"added_tokens": [{"id": 400, "content": "  ", "special": False}]}, "added token '  '"),
    "no such merge": ({"model_merges": ["b c"]}, "merge b \\+ c"),
    "no bytes": ({"model_vocab": {"a": 0, "b": 1}, "model_merges": []}, "254 of the 256 single bytes"),
    "not a vocabulary": ({"model": {"type": "BPE"}}, "not a vocabulary"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_counted_exactly_is_refused(case: str, tmp_path: Path) -> None:
    changes, message = REFUSED[case]
    with pytest.raises(ConfigError, match=message):
        open_tokenizer(write(tmp_path, tiny_json(**changes)))


def _sequence(*steps: dict[str, Any], use_regex: bool = False) -> dict[str, Any]:
    last = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}
    return {"type": "Sequence", "pretokenizers": [*steps, last]}


def _split(pattern: dict[str, str], behavior: str = "Isolated") -> dict[str, Any]:
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": False}


DIGITS = {"type": "Digits", "individual_digits": True}
REFUSED_SPLITS = {
    "two patterns": (_sequence(_split({"Regex": "a"}), use_regex=True), "splits 2 times"),
    "digits, then a pattern": (_sequence(DIGITS, _split({"Regex": "a"})), "digits before another pattern"),
    "removed": (_sequence(_split({"Regex": "a"}, "Removed")), "behavior Isolated"),
    "a string": (_sequence(_split({"String": "a"})), "behavior Isolated"),
    "line ends": (_sequence(_split({"Regex": "a$"})), "two regex engines"),
    "repeated count": (_sequence(_split({"Regex": r"\p{N}{1,3}+"})), "two regex engines"),
    "white space": (_sequence({"type": "Whitespace"}), "pre_tokenizer Whitespace"),
}


@pytest.mark.parametrize("case", REFUSED_SPLITS)
def test_a_pre_tokenizer_that_is_not_one_pattern_is_refused(case: str, tmp_path: Path) -> None:
    pre_tokenizer, message = REFUSED_SPLITS[case]
    with pytest.raises(ConfigError, match=message):
        open_tokenizer(write(tmp_path, tiny_json(pre_tokenizer=pre_tokenizer)))


def test_control_tokens_keep_their_ids_and_new_ones_follow_the_last(tmp_path: Path) -> None:
    added = [{"id": 400, "content": "<|eot_id|>", "special": True}, {"id": 399, "content": "<s>", "special": True}]
    tokenizer = open_tokenizer(write(tmp_path, tiny_json(added_tokens=added)))
    assert tokenizer.control_ids == {"<|start_header_id|>": 401, "<|stop_header_id|>": 402, "<|eot_id|>": 400}
    assert tokenizer.num_vocab == 403


def test_control_tokens_in_a_text_are_ordinary_text() -> None:
    tokenizer = open_tokenizer("samples")
    assert not set(tokenizer.encode("".join(CONTROL_TOKENS))) & set(tokenizer.control_ids.values())


def test_lone_surrogates_are_counted_as_the_replacement_character() -> None:
    tokenizer = open_tokenizer("samples")
    assert tokenizer.encode("a\ud800b") == tokenizer.encode("a\ufffdb")


def test_a_very_long_run_is_counted_and_an_endless_one_is_a_clear_error() -> None:
    tokenizer = open_tokenizer("samples")
    assert 0 < tokenizer.count("a" * 300_000) <= 300_000
    with pytest.raises(PipelineError, match="1500000 characters has a run too long"):
        tokenizer.count(" " * 1_500_000)


def test_line_ends_are_the_same_tokens_at_the_end_of_a_text_as_before_more_of_it() -> None:
    tokenizer = open_tokenizer("samples")
    assert tokenizer.encode("\n\nThe lamp") == tokenizer.encode("\n\n") + tokenizer.encode("The lamp")


def test_the_samples_vocabulary_is_what_its_script_makes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "samples.make_vocabulary", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    for name in ("vocabulary.tiktoken", "vocabulary.json"):
        same = (tmp_path / name).read_bytes() == (ROOT / "samples" / name).read_bytes()
        assert same, f"samples/{name} is not made of samples/*.txt as they are: run `python -m samples.make_vocabulary`"


def _write_tiktoken(path: Path, tokens: list[bytes]) -> str:
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(tokens)]
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


BYTES = [bytes([byte]) for byte in range(256)]


def test_a_tiktoken_file_takes_its_pattern_from_the_file_beside_it(tmp_path: Path) -> None:
    name = _write_tiktoken(tmp_path / "small.tiktoken", [*BYTES, b"ab", b" ab"])
    sidecar = {"pattern": r"\s+|\S+", "special_tokens": {"<|eot_id|>": 300}}
    (tmp_path / "small.json").write_text(json.dumps(sidecar), encoding="utf-8")
    tokenizer = open_tokenizer(name)
    assert tokenizer.encode("ab ab") == [256, 32, 256]
    assert tokenizer.control_ids["<|start_header_id|>"] == 301


def test_a_tiktoken_file_of_a_known_name_needs_nothing_beside_it(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(_write_tiktoken(tmp_path / "o200k_base.tiktoken", [*BYTES, b"ab", b" ab"]))
    assert tokenizer.encode("ab ab") == [256, 257]
    assert tokenizer.control_ids["<|start_header_id|>"] == 200_019


def test_the_identity_changes_with_the_pattern_and_not_with_the_folder(tmp_path: Path) -> None:
    identities = []
    for folder, pattern in (("a", r"\S+|\s+"), ("b", r"\S+|\s+"), ("c", r"\S|\s+")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "small.json").write_text(json.dumps({"pattern": pattern}), encoding="utf-8")
        identities.append(open_tokenizer(_write_tiktoken(tmp_path / folder / "small.tiktoken", BYTES)).identity)
    assert identities[0] == identities[1] != identities[2]
    assert identities[0].startswith("small.tiktoken:")


def test_a_tiktoken_file_of_unknown_pattern_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"write odd\.json with pattern"):
        open_tokenizer(_write_tiktoken(tmp_path / "odd.tiktoken", BYTES))


@pytest.mark.parametrize("sidecar", ["[]", "{}", '{"pattern": 1}', "{"])
def test_a_broken_file_beside_a_vocabulary_is_refused(sidecar: str, tmp_path: Path) -> None:
    name = _write_tiktoken(tmp_path / "small.tiktoken", BYTES)
    (tmp_path / "small.json").write_text(sidecar, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"small\.tiktoken: "):
        open_tokenizer(name)


def test_two_tokens_of_one_number_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r50k_base.tiktoken"
    path.write_text(Path(_write_tiktoken(path, BYTES)).read_text(encoding="utf-8") + "YWI= 7\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="same number"):
        open_tokenizer(str(path))


def _tekken(num_special: int) -> dict[str, Any]:
    tokens = [*BYTES, b"ab", b"beyond the size"]
    return {
        "config": {
            "pattern": r"\S+|\s+",
            "default_vocab_size": 257 + num_special,
            "default_num_special_tokens": num_special,
        },
        "vocab": [{"rank": rank, "token_bytes": base64.b64encode(token).decode()} for rank, token in enumerate(tokens)],
        "special_tokens": [{"rank": 0, "token_str": "<unk>"}],
    }


def test_a_tekken_file_has_its_ids_after_the_special_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tekken.json"
    path.write_text(json.dumps(_tekken(10)), encoding="utf-8")
    tokenizer = open_tokenizer(str(path))
    assert tokenizer.encode("ab b") == [266, 42, 108]
    assert tokenizer.control_ids["<|start_header_id|>"] == 267


def test_a_tekken_file_that_lacks_tokens_is_refused(tmp_path: Path) -> None:
    content = _tekken(10)
    content["config"]["default_vocab_size"] = 300
    (tmp_path / "tekken.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigError, match="each of the ranks 0 to 289 once"):
        open_tokenizer(str(tmp_path / "tekken.json"))


def test_a_folder_stands_for_the_tokenizer_json_in_it(tmp_path: Path) -> None:
    write(tmp_path, tiny_json())
    assert open_tokenizer(str(tmp_path)).count("abc") == 1


def test_an_encoding_is_opened_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = {token: rank for rank, token in enumerate([*BYTES, b"ab"])}
    made = {"name": "tiny_base", "pat_str": r"\S+|\s+", "mergeable_ranks": ranks, "special_tokens": {"<|eot_id|>": 257}}
    monkeypatch.setattr(tiktoken.registry, "ENCODING_CONSTRUCTORS", {"tiny_base": lambda: made})
    tokenizer = open_tokenizer("tiny_base")
    assert tokenizer.encode("ab") == [256]
    assert tokenizer.control_ids["<|eot_id|>"] == 257


def test_an_encoding_that_cannot_be_loaded_asks_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> dict[str, Any]:
        raise ConnectionError("no network")

    monkeypatch.setattr(tiktoken.registry, "ENCODING_CONSTRUCTORS", {"far_base": fail})
    with pytest.raises(ConfigError, match=r"tokenizer far_base: .* give its \.tiktoken file instead"):
        open_tokenizer("far_base")


@pytest.mark.parametrize(
    ("name", "message"), [("no_such_base", "neither a file"), ("no/such.tiktoken", "no such file")]
)
def test_an_unknown_tokenizer_is_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_tokenizer(name)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("lamp", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"notes\.json: not a vocabulary"):
        open_tokenizer(str(tmp_path / "notes.json"))
