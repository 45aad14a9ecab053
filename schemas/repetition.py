"""How much of a work's narrative comes again: the measures that web corpora are filtered by, and those of a book."""

from __future__ import annotations

from pydantic import Field

from schemas.value import Value


class Repetition(Value):
    """Repetition within one work. All shares lie between 0 and 1; of characters, letters and digits count.

    Source: lines, paragraphs and n-grams as MassiveText's filter measures them (Gopher, arXiv:2112.11446, table A1);
    rep-4 as Welleck et al. (arXiv:1908.04319); loops, runs and windows are ours, for texts of a book's length.
    """

    num_words: int = Field(ge=0)
    duplicate_lines: float = Field(description="lines that stood before, among all lines with a letter")
    duplicate_line_chars: float = Field(description="their share of the characters")
    duplicate_paragraphs: float = Field(description="paragraphs that stood before, among all with a letter")
    duplicate_paragraph_chars: float = Field(description="their share of the characters")
    top_ngrams: tuple[float, float, float] = Field(
        description="of 2, 3 and 4 words: characters of all occurrences of the one that takes most"
    )
    repeated_ngrams: tuple[float, float, float, float, float, float] = Field(
        description="of 5 to 10 words: characters in those that stood before, each character once"
    )
    rep_4: float = Field(description="4-grams that stood before within 1,000 words, among all")
    zlib_ratio: float = Field(description="bytes of 1,000 words by their compressed bytes, mean")
    looped_words: float = Field(description="words in 8-grams that stand at least 4 times within 1,000 words")
    longest_repeat: int = Field(ge=0, description="words of the longest run that stood before; 0 below 10")
