"""Name or file -> TiktokenTokenizer: exact token counts of one model, never a guess."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from pathlib import Path

import tiktoken

from schemas.errors import ConfigError, PipelineError
from tasks.backends.hugging_face import convert_hugging_face
from tasks.backends.vocabularies import Vocabulary, convert_tekken, read_tiktoken

CONTROL_TOKENS = ("<|start_header_id|>", "<|stop_header_id|>", "<|eot_id|>")
SAMPLES = "samples"
_SAMPLES_FILE = Path(__file__).resolve().parents[2] / "samples" / "vocabulary.tiktoken"


class TiktokenTokenizer:
    """A vocabulary behind tiktoken's engine: text is ordinary, control tokens are never recognised in it."""

    def __init__(self, location: str, vocabulary: Vocabulary) -> None:
        self.location = location
        self.name = Path(location).name
        self.sha256 = vocabulary.sha256
        self._ids = vocabulary.ids
        self._normal_form = vocabulary.normal_form
        self._special = vocabulary.special_tokens
        self._first_free_id = vocabulary.highest_id + 1
        self._encoding = tiktoken.Encoding(
            self.name, pat_str=vocabulary.pattern, mergeable_ranks=vocabulary.ranks, special_tokens={}
        )

    @property
    def identity(self) -> str:
        """Name without folder, and sha256 of the vocabulary."""
        return f"{self.name}:{self.sha256}"

    @property
    def control_ids(self) -> dict[str, int]:
        """Ids of the three control tokens: the vocabulary's own, else new ones after its last."""
        new = [token for token in CONTROL_TOKENS if token not in self._special]
        ids = self._special | {token: self._first_free_id + place for place, token in enumerate(new)}
        return {token: ids[token] for token in CONTROL_TOKENS}

    @property
    def num_vocab(self) -> int:
        """Rows of an embedding that has one for every id, the control tokens' included."""
        return max(self._first_free_id, *(number + 1 for number in self.control_ids.values()))

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`, control tokens not recognised."""
        return len(self._ranks(text))

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text` in the original vocabulary, control tokens not recognised."""
        ranks = self._ranks(text)
        return ranks if self._ids is None else [self._ids[rank] for rank in ranks]

    def _ranks(self, text: str) -> list[int]:
        if self._normal_form is not None:
            text = unicodedata.normalize(self._normal_form, text)
        try:
            return self._encoding.encode_ordinary(text)
        except BaseException as error:
            # a Rust panic is no Exception; the regex engine gives up on about a million spaces in a row
            if type(error).__name__ != "PanicException":
                raise
            raise PipelineError(
                f"tokenizer {self.name}: a text of {len(text)} characters has a run too long to split"
            ) from None


def open_tokenizer(name: str) -> TiktokenTokenizer:
    """Open 'samples', an encoding that tiktoken can load, or a .tiktoken, tokenizer.json or tekken.json file.

    Raises:
        ConfigError: there is no such file or encoding, or its counts cannot be reproduced exactly.

    """
    if name == SAMPLES:
        return TiktokenTokenizer(SAMPLES, _read_vocabulary(_SAMPLES_FILE))
    path = Path(name).expanduser()
    if path.is_dir():
        path = path / "tokenizer.json"
    if path.is_file():
        path = path.resolve()
        return TiktokenTokenizer(str(path), _read_vocabulary(path))
    if path.suffix or len(path.parts) != 1:
        raise ConfigError(f"tokenizer {name}: no such file")
    return TiktokenTokenizer(name, _load_encoding(name))


def _read_vocabulary(path: Path) -> Vocabulary:
    try:
        data = path.read_bytes()
        if path.suffix == ".tiktoken":
            return read_tiktoken(path, data)
        content, sha256 = json.loads(data), hashlib.sha256(data).hexdigest()
        return convert_tekken(content, sha256) if "config" in content else convert_hugging_face(content, sha256)
    except ConfigError as error:
        raise ConfigError(f"tokenizer {path}: {error}") from error
    except OSError as error:
        raise ConfigError(f"tokenizer {path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"tokenizer {path}: not a vocabulary ({type(error).__name__}: {error})") from error


def _load_encoding(name: str) -> Vocabulary:
    """Load an encoding that tiktoken knows by name, from its cache or the place it comes from."""
    if name not in tiktoken.list_encoding_names():
        known = ", ".join(tiktoken.list_encoding_names())
        raise ConfigError(f"tokenizer {name}: neither a file nor one of samples, {known}")
    try:
        encoding = tiktoken.get_encoding(name)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"tokenizer {name}: tiktoken cannot load it here; give its .tiktoken file instead") from error
    pattern, ranks = encoding._pat_str, encoding._mergeable_ranks
    special = {token: encoding.encode_single_token(token) for token in encoding.special_tokens_set}
    ordered = sorted(ranks, key=lambda token: ranks[token])
    return Vocabulary(pattern, ranks, special, hashlib.sha256(repr((pattern, ordered)).encode()).hexdigest())
