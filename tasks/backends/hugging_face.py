"""tokenizer.json -> Vocabulary: Hugging Face's byte-level BPE in tiktoken's terms, exactly or not at all.

Why the two count alike: tiktoken merges any two neighbours whose bytes together are a token, lowest rank first; Hugging
Face merges listed pairs only, first listed first. Two neighbours can meet over a token's bytes only if merging these
bytes alone brings them there, since nothing has reached across their ends yet. So a token is always reached by the one
pair that its own bytes end with; with tokens ranked by the place of that pair both engines take the same steps.
Tokens that their own bytes do not reach are left out, or kept for whole pieces where `ignore_merges` says so.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

from schemas.errors import ConfigError
from tasks.backends.vocabularies import NormalForm, Vocabulary, check_bytes

Pair = tuple[bytes, bytes]

_GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# between digits that were split off before: a digit ends a run of white space as the text's end does
_GPT2_BETWEEN_DIGITS = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+"
# what Oniguruma (there) and fancy-regex (here) read alike; `^`, `$`, `.`, `\w`, `\b` and `{m,n}+` they do not
_READ_ALIKE = re.compile(
    r"(?:\\[pP]\{[A-Z][a-z]?\}|\\[sSrnt\\/\-.+*?()\[\]{}|^$'\"]|\(\?i?:|\(\?[!=]|\((?!\?)|[)|]|\[\^?|\]"
    r"|\{\d+(?:,\d*)?\}(?!\+)|[?*+]|[^\\()\[\]{}|?*+^$.&#])+"
)


def convert_hugging_face(content: dict[str, Any], sha256: str) -> Vocabulary:
    """Convert a tokenizer.json; ConfigError names the first part that tiktoken could not reproduce."""
    model = content["model"]
    added = {str(row["content"]): int(row["id"]) for row in content.get("added_tokens") or ()}
    _check_model(model)
    _check_added(content.get("added_tokens") or ())
    tokens = _byte_tokens(model["vocab"], added)
    merges = _byte_merges(model["merges"], tokens)
    order = _rank_tokens(tokens, merges, whole_pieces=bool(model.get("ignore_merges")))
    return Vocabulary(
        pattern=_one_pattern(content["pre_tokenizer"]),
        ranks={token: rank for rank, token in enumerate(order)},
        special_tokens=added,
        sha256=sha256,
        ids=tuple(tokens[token] for token in order),
        normal_form=_normal_form(content.get("normalizer")),
    )


def _check_model(model: dict[str, Any]) -> None:
    if model.get("type") != "BPE":
        raise ConfigError(f"its model is {model.get('type')}, only byte-level BPE can be counted exactly")
    for name in ("byte_fallback", "dropout", "continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(name):
            raise ConfigError(f"its model has {name}, which cannot be counted exactly")


def _check_added(added: Sequence[dict[str, Any]]) -> None:
    """Refuse added tokens that stand in ordinary text, such as runs of spaces; control tokens are never recognised."""
    for row in added:
        token = str(row["content"])
        if not row.get("special") and not re.fullmatch(r"<\S+>|\[\S+\]|\{\S+\}", token):
            raise ConfigError(
                f"its added token {token!r} would be found in ordinary text, which cannot be counted exactly"
            )


def _normal_form(normalizer: dict[str, Any] | None) -> NormalForm | None:
    if normalizer is None:
        return None
    if normalizer["type"] == "Sequence" and len(normalizer["normalizers"]) < 2:
        return _normal_form(next(iter(normalizer["normalizers"]), None))
    if normalizer["type"] not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise ConfigError(f"its normalizer {normalizer['type']} cannot be reproduced")
    return cast(NormalForm, normalizer["type"])


def _one_pattern(pre_tokenizer: dict[str, Any] | None) -> str:
    """Say the pre-tokenizers as one pattern that matches every character of a text."""
    steps = [pre_tokenizer] if pre_tokenizer else []
    while any(step["type"] == "Sequence" for step in steps):
        steps = [part for step in steps for part in step.get("pretokenizers", (step,))]
    if not steps or steps[-1]["type"] != "ByteLevel":
        raise ConfigError("its pre_tokenizer does not end with ByteLevel: not a byte-level vocabulary")
    if steps[-1].get("add_prefix_space", True):
        raise ConfigError("its pre_tokenizer adds a space before the text, which cannot be counted piecewise")
    splits = steps[:-1]
    splits_words = bool(steps[-1].get("use_regex", True))
    if len(splits) + splits_words > 2 or (len(splits) + splits_words == 2 and splits[0]["type"] != "Digits"):
        raise ConfigError(
            f"its pre_tokenizer splits {len(splits) + splits_words} times in a row, which is not one pattern"
        )
    if len(splits) == 2:
        raise ConfigError(
            "its pre_tokenizer splits digits before another pattern than GPT-2's, which is not one pattern"
        )
    if not splits:
        return _GPT2 if splits_words else r"[\s\S]+"
    if splits[0]["type"] == "Digits":
        digits = r"\p{N}" if splits[0]["individual_digits"] else r"\p{N}+"
        return f"{digits}|{_GPT2_BETWEEN_DIGITS}" if splits_words else rf"{digits}|\P{{N}}+"
    return _split_pattern(splits[0])


def _split_pattern(step: dict[str, Any]) -> str:
    """Take a Split's pattern; what it leaves between two matches is a piece of its own, which tiktoken would drop."""
    if step["type"] != "Split":
        raise ConfigError(f"its pre_tokenizer {step['type']} cannot be reproduced")
    pattern = step["pattern"].get("Regex")
    if str(step["behavior"]).lower() != "isolated" or step.get("invert") or pattern is None:
        raise ConfigError("its Split is not a regular expression with behavior Isolated")
    if not _READ_ALIKE.fullmatch(pattern):
        raise ConfigError(f"its pattern has signs that two regex engines read in two ways: {pattern}")
    return rf"{pattern}|(?:(?!{pattern})[\s\S])+"


def _byte_tokens(vocab: dict[str, int], added: dict[str, int]) -> dict[bytes, int]:
    """Return ids by bytes, without added tokens and without strings that no bytes are written as."""
    decoder = _byte_alphabet()
    tokens = {
        bytes(decoder[char] for char in token): int(number)
        for token, number in vocab.items()
        if token and token not in added and all(char in decoder for char in token)
    }
    check_bytes(tokens)
    return tokens


def _byte_alphabet() -> dict[str, int]:
    """Return GPT-2's character for each byte: itself where it is printable, else one from U+0100 on."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}


def _byte_merges(merges: Sequence[str | Sequence[str]], tokens: dict[bytes, int]) -> dict[Pair, int]:
    """Return the place of each pair in the list; of a pair listed twice the last counts, as in `tokenizers`."""
    decoder = _byte_alphabet()
    places: dict[Pair, int] = {}
    for place, merge in enumerate(merges):
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        pair = bytes(decoder[char] for char in left), bytes(decoder[char] for char in right)
        if any(part not in tokens for part in (*pair, pair[0] + pair[1])):
            raise ConfigError(f"its merge {left} + {right} makes or joins something that is no token")
        places[pair] = place
    return places


def _rank_tokens(tokens: dict[bytes, int], merges: dict[Pair, int], *, whole_pieces: bool) -> list[bytes]:
    """Order tokens as tiktoken must rank them: bytes, tokens by the place of their last merge, whole pieces."""
    reached: dict[int, bytes] = {}
    unreached: list[bytes] = []
    for token in tokens:
        if len(token) > 1:
            parts = _merge_alone(token, merges)
            last = merges.get((parts[0], parts[1])) if len(parts) == 2 else None
            if last is not None:
                reached[last] = token
            elif whole_pieces and len(parts) == 2:
                raise ConfigError(
                    f"its token {token!r} exists as a whole piece only, but its two halves are tokens that meet"
                )
            else:
                unreached.append(token)
    single = [bytes([byte]) for byte in range(256)]
    return single + [reached[place] for place in sorted(reached)] + (unreached if whole_pieces else [])


def _merge_alone(token: bytes, merges: dict[Pair, int]) -> list[bytes]:
    """Merge a token's bytes by themselves until two parts are left, or until no listed pair is."""
    parts = [token[place : place + 1] for place in range(len(token))]
    never = sys.maxsize
    while len(parts) > 2:
        places = [merges.get(pair, never) for pair in pairwise(parts)]
        first = min(places)
        if first == never:
            break
        where = places.index(first)
        parts[where : where + 2] = [parts[where] + parts[where + 1]]
    return parts
