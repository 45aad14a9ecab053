"""samples/*.txt -> samples/vocabulary.tiktoken and .json: a small byte-level vocabulary.

Run `python -m samples.make_vocabulary` after a change of the sample novels.
"""

from __future__ import annotations

import argparse
import base64
import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from tasks.backends.hugging_face import convert_hugging_face
from tasks.backends.tokenizers import CONTROL_TOKENS

SAMPLES = Path(__file__).resolve().parent
NUM_RANKS = 2_048
# cl100k's pattern as it was first published: line ends are one piece, at the end of a text as before more of it
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def main() -> None:
    """Train on the sample novels and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SAMPLES, help="folder to write to")
    out: Path = parser.parse_args().out
    texts = [path.read_text(encoding="utf-8-sig") for path in sorted(SAMPLES.glob("*.txt"))]
    ranks = train_vocabulary(texts)
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()]
    special = {token: len(ranks) + place for place, token in enumerate(CONTROL_TOKENS)}
    sidecar = json.dumps({"pattern": PATTERN, "special_tokens": special}, indent=2) + "\n"
    (out / "vocabulary.tiktoken").write_bytes("".join(lines).encode())
    (out / "vocabulary.json").write_bytes(sidecar.encode())


def train_vocabulary(texts: list[str]) -> dict[bytes, int]:
    """Return ranks by bytes: the 256 bytes, then merges in the order in which they were learnt."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PATTERN), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=NUM_RANKS, initial_alphabet=alphabet, show_progress=False)
    )
    return convert_hugging_face(json.loads(tokenizer.to_str()), sha256="").ranks


if __name__ == "__main__":
    main()
