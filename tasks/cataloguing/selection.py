"""Catalogue -> Selection: one function a rule, listed in RULES; each tells which entries pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from schemas.catalogue import Author, Selection
from schemas.corpus_settings import SelectSettings
from tasks.cataloguing.authors import NOBODY, parse_author, split_list
from tasks.cataloguing.table import Catalogue

Rule = Callable[[pl.DataFrame, SelectSettings], pl.Series | None]


def other_id(table: pl.DataFrame, settings: SelectSettings) -> pl.Series | None:
    """Keep the ids that are named."""
    return table["Text#"].is_in(list(settings.ids)) if settings.ids else None


def other_type(table: pl.DataFrame, settings: SelectSettings) -> pl.Series | None:
    """Keep texts: no sound, no data set, no pictures."""
    return table["Type"].is_in(list(settings.types)) if settings.types else None


def other_language(table: pl.DataFrame, settings: SelectSettings) -> pl.Series | None:
    """Keep what is wholly in the chosen languages: 'de; en' is a phrase book or a facing-page edition."""
    if not settings.languages:
        return None
    one = _any_of(settings.languages)
    return table["Language"].str.contains(f"^{one}(?:; {one})*$")


def other_class(table: pl.DataFrame, settings: SelectSettings) -> pl.Series | None:
    """Keep a class of the Library of Congress by its first letters, and entries that have no class."""
    if not settings.locc:
        return None
    return table["LoCC"].str.contains(f"(?:^|; ){_any_of(settings.locc)}") | (table["LoCC"] == "")


def excluded_subject(table: pl.DataFrame, settings: SelectSettings) -> pl.Series | None:
    """Leave out what a subject heading calls, say, poetry."""
    return ~_tell_forms(table, settings)["against"] if settings.subjects_exclude else None


def other_subject(table: pl.DataFrame, settings: SelectSettings) -> pl.Series | None:
    """Keep what a subject heading calls, say, fiction; where the headings are silent, what a bookshelf calls so."""
    if not settings.subjects_include:
        return None
    forms = _tell_forms(table, settings)
    shelf = table["Bookshelves"].str.contains(_words(settings.subjects_include))
    return forms["in_favour"] | (~forms["against"] & shelf)


def excluded_shelf(table: pl.DataFrame, settings: SelectSettings) -> pl.Series | None:
    """Leave out what stands on a bookshelf of these words."""
    return ~table["Bookshelves"].str.contains(_words(settings.shelves_exclude)) if settings.shelves_exclude else None


def other_shelf(table: pl.DataFrame, settings: SelectSettings) -> pl.Series | None:
    """Keep what stands on a bookshelf of these words."""
    return table["Bookshelves"].str.contains(_words(settings.shelves_include)) if settings.shelves_include else None


def other_years(table: pl.DataFrame, settings: SelectSettings) -> pl.Series | None:
    """Keep the works all of whose authors lived in the years that are asked for."""
    if not any(limit is not None for limit in _limits(settings)):
        return None
    passes = {text: _lived_then(text, settings) for text in table["Authors"].unique().to_list()}
    return pl.Series([passes[text] for text in table["Authors"].to_list()], dtype=pl.Boolean)


RULES: tuple[Rule, ...] = (
    other_id, other_type, other_language, other_class, excluded_subject, other_subject, excluded_shelf, other_shelf,
    other_years,
)  # fmt: skip


def select(catalogue: Catalogue, settings: SelectSettings) -> Selection:
    """Return the ids that pass every rule, in the catalogue's order, and how many each rule was the first to refuse."""
    table, left_out = catalogue.table, {}
    for rule in RULES:
        passes = rule(table, settings)
        kept = table if passes is None else table.filter(passes)
        if kept.height < table.height:
            left_out[rule.__name__.replace("_", "-")] = table.height - kept.height
        table = kept
    return Selection(book_ids=tuple(table["Text#"].to_list()), left_out=left_out)


def _tell_forms(table: pl.DataFrame, settings: SelectSettings) -> pl.DataFrame:
    """Return whether a subject heading of an entry speaks in its favour, and whether one speaks against it.

    A heading goes from the general to the form: 'Poets -- Fiction' is a story, 'Fiction -- History and criticism' is
    none. So the last word of either list in a heading decides; where both lists know it, it speaks against.
    """
    headings = table["Subjects"].str.replace_all(r"\s+", " ").str.split("; ")
    exploded = pl.DataFrame({"row": pl.int_range(table.height, eager=True), "heading": headings}).explode("heading")
    known = exploded["heading"].drop_nulls().unique().to_frame()
    include, exclude = (_last_place(words) for words in (settings.subjects_include, settings.subjects_exclude))
    known = known.with_columns(in_favour=include > exclude, against=(exclude >= include) & (exclude > 0))
    told = exploded.join(known, on="heading", how="left")
    told = told.group_by("row").agg(pl.col("in_favour").any(), pl.col("against").any())
    return told.sort("row").with_columns(pl.col("in_favour", "against").fill_null(False))


def _last_place(words: Sequence[str]) -> pl.Expr:
    """Return where the last of these words ends in a heading; 0 where none stands in it."""
    if not words:
        return pl.lit(0, dtype=pl.UInt32)
    return pl.col("heading").str.extract(f"(?i)^(.*{_words(words)})", 1).str.len_chars().fill_null(0)


def _words(words: Sequence[str]) -> str:
    return rf"(?i)\b{_any_of(words)}\b"


def _any_of(texts: Sequence[str]) -> str:
    return f"(?:{'|'.join(pl.escape_regex(text) for text in texts)})"


def _limits(settings: SelectSettings) -> tuple[int | None, ...]:
    return (
        settings.born_after,
        settings.born_before,
        settings.died_after,
        settings.died_before,
        settings.active_before,
    )


def _lived_then(text: str, settings: SelectSettings) -> bool:
    """Return whether every author fits; a year that nobody knows fits only where the settings say so."""
    authors = [author for author in map(parse_author, split_list(text)) if author.role is None]
    if not authors:
        return settings.unknown_years
    return all(_fits(author, settings) for author in authors)


def _fits(author: Author, settings: SelectSettings) -> bool:
    asked = (
        (author.born, settings.born_after, settings.born_before),
        (author.died, settings.died_after, settings.died_before),
        (author.first_year, None, settings.active_before),
    )
    for year, after, before in asked:
        if after is None and before is None:
            continue
        if year is None or author.surname.casefold() in NOBODY:
            if not settings.unknown_years:
                return False
        elif (after is not None and year <= after) or (before is not None and year >= before):
            return False
    return True
