"""Row + chat template -> which tokens are trained on: by its stages, by the template's markers, and where they part.

A row says twice what to learn: by `stages`, with a weight each, and by `messages`, whose assistant turns trainers find
by the `{% generation %}` markers of a chat template. The two agree if every token of a target's own text is marked, and
no other token but the end of its turn: whether a model learns to say that is the template's affair, and told apart.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from transformers import PreTrainedTokenizerFast

from schemas.errors import ConfigError

Row = Mapping[str, Any]  # with `stages` and `messages`, as read from Parquet
Kind = Literal["changed", "missing", "leaked", "shared"]


class Target(NamedTuple):
    """A stage that is trained on; `start:end` are its text's characters in the rendered row."""

    role: str
    weight: float
    start: int
    end: int


class ChatRow(NamedTuple):
    """A row as a chat template renders it."""

    text: str
    ids: list[int]
    ranges: list[tuple[int, int]]  # of each token, in characters of `text`
    targets: tuple[Target, ...]


class Fault(NamedTuple):
    """A place where the two masks part.

    `changed`: the template does not hold a turn's text as it is; `missing`: a token of a target that is not marked;
    `leaked`: a marked token of no target; `shared`: a token with characters of a target and of the template.
    """

    kind: Kind
    role: str  # of the stage, 'user' for a turn of context; of a leak, the last target's before it
    token: int | None  # its place in the row; None: a text as a whole
    text: str


class MaskReport(NamedTuple):
    """What comparing found."""

    num_tokens: int
    num_own: int  # tokens that are all of a target's text
    faults: tuple[Fault, ...]
    ends: tuple[str, ...]  # what is marked after targets: () for nothing, ('<|im_end|>',), both where they differ

    @property
    def agrees(self) -> bool:
        """Whether both masks label the same texts."""
        return not self.faults


class TextChangedError(ConfigError):
    """A chat template that does not hold a turn's text as it is."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"chat template: it changes the text of {fault.role} at {fault.text!r}")
        self.fault = fault


def compare_masks(row: Row, tokenizer: PreTrainedTokenizerFast, template: str | None = None) -> MaskReport:
    """Hold the mask of a template's markers against that of the row's stages.

    Args:
        row: of any layout.
        tokenizer: a fast one, for its offsets.
        template: default: the tokenizer's own.

    Raises:
        ConfigError: `messages` do not hold the stages, or the tokenizer takes the rendered row for other tokens.
    """
    try:
        chat = render_chat(row, tokenizer, template)
    except TextChangedError as error:
        return MaskReport(0, 0, (error.fault,), ())
    marked: Any = tokenizer.apply_chat_template(
        row["messages"], chat_template=template, return_dict=True, return_assistant_tokens_mask=True
    )
    if list(marked["input_ids"]) != chat.ids:
        raise ConfigError("tokenizer: a row's turns and their rendered text are not the same tokens")
    return _compare(chat, marked["assistant_masks"], frozenset(tokenizer.all_special_ids))


def weigh_tokens(
    row: Row, tokenizer: PreTrainedTokenizerFast, template: str | None = None
) -> tuple[list[int], list[float]]:
    """Return the ids of a row as a chat, and what each weighs in the loss: its stage's weight if it is all of its text.

    Markers know 0 and 1 only; this is how a trainer of chats gets the weights.

    Raises:
        ConfigError: `messages` do not hold the stages, or the template changes a text.
    """
    chat = render_chat(row, tokenizer, template)
    return chat.ids, [target.weight if target and whole else 0.0 for target, whole in _place_tokens(chat)]


def render_chat(row: Row, tokenizer: PreTrainedTokenizerFast, template: str | None = None) -> ChatRow:
    """Render a row and find its targets in it.

    The row is rendered twice, with its texts and with marks in their places: where a mark stands, the text begins,
    however often its words occur in the row.

    Raises:
        ConfigError: `messages` do not hold the stages, or the template changes a text (TextChangedError).
    """
    turns = row["messages"]
    stages = [stage for stage in row["stages"] if stage["loss"] > 0]
    taught = [turn["content"] for turn in turns if turn["role"] == "assistant"]
    if taught != [stage["text"] for stage in stages]:
        raise ConfigError(f"{len(taught)} assistant turns do not hold the texts of {len(stages)} stages with a weight")
    text = _render(turns, tokenizer, template)
    mark = next(char for char in map(chr, range(0xE000, 0xF900)) if char not in text)  # of the private use area
    frame = _render(
        [{**turn, "content": f"{mark}{place}{mark}"} for place, turn in enumerate(turns)], tokenizer, template
    )
    roles = iter(stage["role"] for stage in stages)
    names = [next(roles) if turn["role"] == "assistant" else "user" for turn in turns]
    starts = _find_turns([turn["content"] for turn in turns], names, text, re.split(f"{mark}([0-9]+){mark}", frame))
    taught_at = [start for start, name in zip(starts, names, strict=True) if name != "user"]
    targets = (
        Target(stage["role"], stage["loss"], start, start + len(stage["text"]))
        for stage, start in zip(stages, taught_at, strict=True)
    )
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return ChatRow(text, list(encoded["input_ids"]), list(_cover(encoded["offset_mapping"])), tuple(targets))


def _render(turns: list[dict[str, str]], tokenizer: PreTrainedTokenizerFast, template: str | None) -> str:
    return str(tokenizer.apply_chat_template(turns, chat_template=template, tokenize=False))


def _find_turns(contents: Sequence[str], names: Sequence[str], text: str, frame: Sequence[str]) -> list[int]:
    """Return where each turn's text begins; `frame` is what stands between the marks, and the marks' numbers."""
    marks = [int(number) for number in frame[1::2]]
    if marks != list(range(len(contents))):
        lost = next(place for place in range(len(contents) + 1) if marks[place : place + 1] != [place])
        raise TextChangedError(Fault("changed", (*names, "user")[lost], None, (*contents, text)[lost][:40]))
    starts: list[int] = []
    parts, at = [frame[0]], len(frame[0])
    for content, after in zip(contents, frame[2::2], strict=True):
        starts.append(at)
        parts += [content, after]
        at += len(content) + len(after)
    expected = "".join(parts)
    if expected != text:
        pairs = enumerate(zip(expected, text, strict=False))
        at = next((place for place, (one, other) in pairs if one != other), min(len(expected), len(text)))
        name = names[max(bisect_right(starts, at) - 1, 0)]
        raise TextChangedError(Fault("changed", name, None, expected[at : at + 40]))
    return starts


def _cover(offsets: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the tokens' ranges; characters that a tokenizer leaves out of its offsets are the next token's."""
    covered = 0
    for start, end in offsets:
        yield min(start, covered), end
        covered = max(covered, end)


def _place_tokens(chat: ChatRow) -> Iterator[tuple[Target | None, bool]]:
    """Yield for every token the target of which it has characters, and whether it has no others."""
    place = 0
    for start, end in chat.ranges:
        while place < len(chat.targets) and chat.targets[place].end <= start:
            place += 1
        target = chat.targets[place] if place < len(chat.targets) else None
        if target is None or end <= target.start or start == end:
            yield None, False
        else:
            yield target, target.start <= start and end <= target.end


def _compare(chat: ChatRow, marked: Sequence[int], special: Collection[int]) -> MaskReport:
    placed = list(_place_tokens(chat))
    texts = [chat.text[start:end] for start, end in chat.ranges]
    ends = [_find_end(chat, marked, special, token) for token in _last_tokens(chat, placed)]
    in_ends = {token for end in ends for token in end}
    faults: list[Fault] = []
    role = ""
    for token, (target, whole) in enumerate(placed):
        role = target.role if target else role
        if target and not whole:
            faults.append(Fault("shared", role, token, texts[token]))
        elif target and not marked[token]:
            faults.append(Fault("missing", role, token, texts[token]))
        elif not target and marked[token] and token not in in_ends:
            faults.append(Fault("leaked", role, token, texts[token]))
    said = sorted({"".join(texts[token] for token in end) for end in ends})
    return MaskReport(len(chat.ids), sum(whole for _, whole in placed), tuple(faults), tuple(said) if any(said) else ())


def _last_tokens(chat: ChatRow, placed: Sequence[tuple[Target | None, bool]]) -> Iterator[int]:
    """Yield the token that ends each target."""
    for token, (target, _) in enumerate(placed):
        if target and (token + 1 == len(placed) or placed[token + 1][0] is not target):
            yield token


def _find_end(chat: ChatRow, marked: Sequence[int], special: Collection[int], last: int) -> list[int]:
    """Return the marked tokens straight after a target that end its turn: one special token, and white space."""
    end: list[int] = []
    num_special = 0
    for token in range(last + 1, len(chat.ids)):
        num_special += chat.ids[token] in special
        is_blank = chat.text[slice(*chat.ranges[token])].isspace()
        if not marked[token] or num_special > 1 or not (is_blank or chat.ids[token] in special):
            break
        end.append(token)
    return end
