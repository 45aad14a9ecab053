"""Settings of the corpus: one class per stage, from sources to divisions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.value import Value


class SourceSettings(Value):
    """Where books come from, and which of them."""

    location: str = Field(
        "samples",
        description="folder or base URL of a Gutenberg mirror, its robot/harvest page, or a folder of .txt and .epub",
    )
    table: str | None = Field(
        None,
        description="CSV of a folder's books (file or id, title, author, language, rights); default: the one in it",
    )
    catalogue: str | None = Field(
        None, description="pg_catalog.csv, plain or .gz; else the RDF beside the file, else its header"
    )
    books: str = Field("all", description="'all', ids separated by commas, such as 84,1342, or 'none': only takedowns")
    takedown: str | None = Field(
        None, description="file of ids and sha256 hashes, one a line, that no snapshot may hold from now on"
    )
    request_interval_s: float = Field(
        2.0, ge=0.0, description="seconds between two requests to a mirror (Gutenberg asks for 2)"
    )
    timeout_s: float = Field(60.0, gt=0.0, description="seconds to wait for a mirror's next bytes")
    download_timeout_s: float = Field(600.0, gt=0.0, description="seconds that one file may take in one go")
    max_retry_after_s: float = Field(
        300.0, ge=0.0, description="longest wait that a busy mirror may ask for; beyond it the book is left for later"
    )
    hosts: tuple[str, ...] = Field((), description="other hosts to which the mirror may redirect")
    contact: str | None = Field(None, description="URL or address that a mirror's owner finds in the User-Agent")


class SelectSettings(Value):
    """CatalogueEntry -> Selection: which books of a catalogue, where they are not named one by one.

    The defaults are English narrative fiction. An empty list asks nothing.
    """

    ids: tuple[str, ...] = Field((), description="only these ids")
    types: tuple[str, ...] = Field(("Text",), description="of the catalogue: Text, Sound, Dataset, Image and so on")
    languages: tuple[str, ...] = Field(("en",), description="a book in one more language is left out")
    locc: tuple[str, ...] = Field(
        ("P",), description="first letters of the Library of Congress class; P is language and literature"
    )
    subjects_include: tuple[str, ...] = Field(
        ("fiction", "stories", "tales", "fables", "novels", "romances", "bildungsromans", "robinsonades"),
        description="words; kept is a book with a subject heading whose last word of either list is one of these",
    )
    subjects_exclude: tuple[str, ...] = Field(
        (
            "poetry", "poems", "verse", "rhyme", "rhymes", "ballads", "sonnets",
            "drama", "plays", "tragedies", "tragicomedy", "comedies", "comedy", "librettos", "dialogues",
            "history and criticism", "criticism", "appreciation", "authorship", "technique", "plots", "bibliography",
            "biography", "autobiography", "autobiographies", "correspondence", "diaries", "personal narratives",
            "description and travel", "essays", "sermons", "speeches", "quotations",
            "dictionaries", "periodicals", "study and teaching",
        ),
        description="words; left out is a book with a heading whose last word of either list is one of these",
    )  # fmt: skip
    shelves_include: tuple[str, ...] = Field((), description="words of a bookshelf, one of which must be there")
    shelves_exclude: tuple[str, ...] = Field((), description="words of a bookshelf, none of which may be there")
    born_after: int | None = Field(None, description="every author was born after this year; negative: BCE")
    born_before: int | None = None
    died_after: int | None = None
    died_before: int | None = Field(None, description="every author had died before this year")
    active_before: int | None = Field(None, description="every author was born or at work before this year")
    unknown_years: bool = Field(False, description="keep authors without such a year where one is asked for")


class FetchSettings(Value):
    """CatalogueEntry -> RawBook."""

    max_bytes: int = Field(64_000_000, ge=1_000, description="a larger file is refused, packed or unpacked")


class CleanSettings(Value):
    """RawBook -> CleanBook."""

    footnotes: Literal["move", "drop", "keep"] = Field(
        "move", description="notes within the text go to its end, or away, with the labels that call them; or stay"
    )
    emphasis: Literal["keep", "strip"] = Field("keep", description="marks such as _word_ and =word=")
    max_guessed_share: float = Field(
        0.3,
        ge=0.0,
        le=1.0,
        description="share of the printed lines that rules may take whose extent is a guess; more is over-stripped",
    )
    max_outer_lines: int = Field(
        1_200, ge=100, description="most filled lines before the start mark, or after the end mark; more hold a book"
    )
    min_text_share: float = Field(
        0.9, ge=0.0, le=1.0, description="share of printable characters that a text must have"
    )
    max_unreadable_share: float = Field(
        0.001, ge=0.0, le=1.0, description="share of characters that are lost for good (U+FFFD, broken UTF-8)"
    )
    max_line_chars: int = Field(1_000_000, ge=1_000, description="a file with a longer line is no book")


class ScreenSettings(Value):
    """CleanBook -> CleanBook or Rejection."""

    languages: tuple[str, ...] = Field(("en",), min_length=1, description="ISO 639-1 codes that are kept")
    min_words: int = Field(3_000, ge=0, description="shorter texts are rejected")
    min_story_words: int = Field(250, ge=0, description="shorter stories of a collection are rejected: fables, mottoes")
    max_speech_share: float = Field(
        0.3, ge=0.0, le=1.0, description="share of the text in speeches under a speaker's name; above it: drama"
    )
    max_verse_share: float = Field(0.5, ge=0.0, le=1.0, description="share of the text in lines of verse")
    max_verse_joints: float = Field(
        18.0, ge=0.0, description="verse lines that begin in mid-sentence, per 1000 words: verse has 30 and more"
    )
    max_list_share: float = Field(0.1, ge=0.0, le=1.0, description="share of the text in tables and lists: reference")
    max_alphabetical_share: float = Field(
        0.4, ge=0.0, le=1.0, description="share of the text in entries in alphabetical order: reference"
    )
    max_odd_share: float = Field(0.02, ge=0.0, le=1.0, description="share of characters that prose has no use for")
    min_dialogue_share: float = Field(
        0.0, ge=0.0, le=1.0, description="share of paragraphs that must begin with speech; 0: any"
    )
    min_told: float = Field(
        0.85, gt=0.0, description="words of persons and the past per word of exposition; a text with fewer is suspected"
    )
    min_story_score: float = Field(
        -2.0, description="lowest score of style of a suspected text, higher the less it tells; fiction is above 0"
    )
    min_style_score: float = Field(
        -7.5,
        description="lowest score of style of any text: travels by the calendar, not novels of few words of speech",
    )
    catalogue_weight: float = Field(
        1.5, ge=0.0, description="how far a catalogue that knows the kind of a text moves both limits"
    )
    min_breaks: int = Field(2, ge=1, description="signs that a text breaks off, of three, that reject it")
    max_repeated_run: int = Field(
        250, ge=10, description="words in a row that may come again; of 241 sound works, the longest run has 56"
    )
    max_repeated_share: float = Field(
        0.03, ge=0.0, le=1.0, description="share of a work in runs of 10 words that stood before; novels: to 0.005"
    )
    max_looped_share: float = Field(
        0.02, ge=0.0, le=1.0, description="share in 8 words that come 4 times within 1,000; novels: to 0.002"
    )
    max_duplicate_share: float = Field(
        0.015, ge=0.0, le=1.0, description="share in paragraphs that stood before; novels: to 0.004"
    )
    max_top_share: float = Field(
        0.006, ge=0.0, le=1.0, description="share of all occurrences of one run of 4 words; novels: to 0.006"
    )
    free_words: int = Field(
        1_000, ge=0, description="words that a work may repeat whatever their share is: tales live by it, to 531 words"
    )
    free_top_words: int = Field(200, ge=0, description="the same of one run of 4 words; tales: to 108")


class SignSettings(Value):
    """CleanBook -> Signature."""

    shingle_words: int = Field(
        5, ge=1, le=20, description="words in a row that are compared as one; 5 as Lee et al. (2022) and FineWeb do"
    )
    permutations: int = Field(
        128, ge=16, le=1_024, description="of MinHash: an estimate of 0.5 is off by 0.04; FineWeb takes 112"
    )


class DuplicateSettings(Value):
    """Signatures -> duplicates.

    Of the 80 reference works, texts of one work share 0.87 to 1.0 of their shingles, two translations of one source
    0.02, other books of one author at most 0.004. With one word in thirteen changed 0.5 is left.
    """

    min_similarity: float = Field(
        0.5, gt=0.0, le=1.0, description="shared shingles among all of two books (Jaccard): from here on editions"
    )
    min_titled_similarity: float = Field(
        0.2, gt=0.0, le=1.0, description="the same where author, title and volume agree, too: revised editions"
    )
    min_contained: float = Field(
        0.7, gt=0.0, le=1.0, description="share of a book's shingles that stand in a longer one: a part of it"
    )
    min_omnibus: float = Field(
        0.5, gt=0.0, le=1.0, description="share of a book that others hold under titles of their own: they stay, not it"
    )
    min_across_sides: float = Field(
        0.2,
        gt=0.0,
        le=1.0,
        description="share of the shorter of two works in different splits that the other holds: from here on, only "
        "the held-out one stays; two translations of a tale share at most 0.15",
    )


class DecontaminateSettings(Value):
    """SegmentedBook + evaluation texts -> which works were not to be trained on.

    Runs of 13 words are GPT-3's (arXiv:2005.14165, appendix C), which dropped documents with more than 10 of them; half
    of a text is the limit of Tulu 3 (arXiv:2411.15124). Without `texts` nothing is compared.
    """

    texts: str | None = Field(
        None,
        min_length=1,
        description="file or folder of evaluation texts: .txt is one text, each row of .jsonl and .parquet another",
    )
    column: str = Field("text", min_length=1, description="where a row of .jsonl or .parquet has its text")
    ngram_words: int = Field(13, ge=3, le=50, description="words of a run; a shorter text is compared with nothing")
    max_shared: int = Field(10, ge=0, description="different runs that a work may share with any one text")
    max_share: float = Field(0.5, ge=0.0, le=1.0, description="share of a text's runs that a work may hold")
    max_long_share: float = Field(
        0.001, ge=0.0, le=1.0, description="the same of a long text, beyond max_shared: two novels share to 0.0002"
    )


class SegmentSettings(Value):
    """CleanBook -> SegmentedBook."""

    min_chapter_words: int = Field(
        150, ge=1, description="a heading with less under it is held for a line of a contents table"
    )
    min_collection_score: float = Field(
        2.0, description="evidence that makes a book a collection, each story a work; higher leaves more books whole"
    )


class RefreshSettings(Value):
    """What the nightly refresh asks for and builds."""

    max_books: int | None = Field(None, ge=1, description="new and changed books of one run; the next runs go on")
    recheck_days: int = Field(30, ge=1, description="a mirror is asked again whether a book has changed after so long")
    max_rechecks: int = Field(500, ge=0, description="of these questions, at most so many in one run")
