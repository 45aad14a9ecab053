"""Recipe -> what the card of such a data set says in words."""

from __future__ import annotations

from typing import NamedTuple

from schemas.runs import Manifest
from schemas.settings import Recipe

PAPER = "https://arxiv.org/abs/2605.17064"


class Words(NamedTuple):
    """What a card and `croissant.json` say of a data set in words."""

    title: str
    summary: str
    tags: tuple[str, ...]
    collection: str  # where the texts are from, and what happens to them
    steps: tuple[str, ...]  # how a row is made
    limits: tuple[str, ...]
    biases: tuple[str, ...]
    personal: tuple[str, ...]


_BOOKS = (
    "Novels and stories from catalogues such as Project Gutenberg's; what is not the author's text (licences, credits, "
    "notes of transcribers, advertisements) is taken out, and every removed line is on record."
)
_BOOK_LIMITS = (
    "Cleaning and dividing go by rules: a note that looks like prose may have stayed, a heading in an unknown form may "
    "have been missed. A book whose evidence disagrees is refused.",
    "The prose is old: spelling, vocabulary and views are those of its time.",
    "Well-known books are in the training data of most language models, so a model may know the continuation by "
    "heart. A score on the sides `validation` and `test` tells of unseen authors only as far as the base model has not "
    "seen them.",
)
_BOOK_BIASES = (
    "What volunteers chose to digitise: mostly works in English, mostly by men, mostly from Britain and North America, "
    "mostly before 1930.",
    "The books hold the stereotypes and slurs of their time, unchanged, and nothing warns of them in the text.",
)
_BOOK_PERSONAL = (
    "Names of authors with the years of their lives, as catalogued. People in the books are invented or long dead; "
    "prefaces and dedications name real people of their time. No personal data was looked for or added.",
)
_PLAN_LIMITS = (
    "Plans are made by a program or a language model, not by the authors: they may be wrong, and no human has read "
    "them all. `findings` in the table `books` holds what could be measured.",
    "Ratings are opinions of that model, not measurements.",
)
_STORIES = "Stories from files that the maker of this snapshot gave: nothing but their form was changed."
_STORY_LIMITS = ("Nothing is known of a story but what its file says; duplicates are found by text alone.",)
_STORY_BIASES = ("Whatever the givers of the files preferred: nothing was balanced.",)
_STORY_PERSONAL = (
    "Writers of stories on the web may have put real people into them; no personal data was looked for.",
)

WORDS: dict[Recipe, Words] = {
    "prompt-to-book": Words(
        title="Scriptorium trajectories",
        summary=(
            "Training sequences that go from a user's prompt, through plans of growing detail, to a human author's own "
            "prose: for models that write books."
        ),
        tags=("books", "long-context", "creative-writing", "planning", "prompt-to-book"),
        collection=_BOOKS,
        steps=(
            "A text is fetched, cleaned, screened, and divided into chapters, scenes and paragraphs without the loss "
            "of a character.",
            "A model summarises it bottom-up: scenes, chapters, arcs, people, world, style, the whole, and prompts "
            "that ask for it.",
            "Every plan is checked against the text it tells of: see below.",
            "The hierarchy is turned round: prompt first, plans from coarse to fine, each chapter's prose after its "
            "plan. Every row is read back by a parser of its own and compared.",
        ),
        limits=(*_PLAN_LIMITS, *_BOOK_LIMITS),
        biases=_BOOK_BIASES,
        personal=_BOOK_PERSONAL,
    ),
    "outline-to-text": Words(
        title="Scriptorium outlines and passages",
        summary="Pairs of an outline and the passage of a novel that it tells of, in the author's own words.",
        tags=("books", "creative-writing", "outline-to-text"),
        collection=_BOOKS,
        steps=(
            "A text is fetched, cleaned, screened, divided, and cut into passages at the borders of paragraphs.",
            "A model writes the outline of each passage.",
            "A row is the outline (and, where asked for, another passage as a model of style) as the prompt, the "
            "passage as what is to be learnt.",
        ),
        limits=("Outlines are made by a program or a language model and may be wrong.", *_BOOK_LIMITS),
        biases=_BOOK_BIASES,
        personal=_BOOK_PERSONAL,
    ),
    "tagged-story": Words(
        title="Scriptorium tagged stories",
        summary=(
            "Pairs of a prompt with tags of what is wanted (genre, tone, point of view, length) and a human's story."
        ),
        tags=("stories", "creative-writing", "controllable-generation", "tagged-story"),
        collection=_STORIES,
        steps=(
            "Prompts and stories are read line by line, and tokens of other tools are turned back into text.",
            "Tags are measured on the story; a share of them is left out, by seed.",
            "All stories of one prompt are on one side.",
        ),
        limits=("Tags are measured by simple rules and may miss what a reader would say.", *_STORY_LIMITS),
        biases=_STORY_BIASES,
        personal=_STORY_PERSONAL,
    ),
    "title-to-story": Words(
        title="Scriptorium titles and stories",
        summary="Pairs of a title and a human's story.",
        tags=("stories", "creative-writing", "title-to-story"),
        collection=_STORIES,
        steps=("Titles and bodies are read from a table.", "They are divided into sides by seed."),
        limits=_STORY_LIMITS,
        biases=_STORY_BIASES,
        personal=_STORY_PERSONAL,
    ),
}


def cite(manifest: Manifest, words: Words) -> str:
    """Return BibTeX of a snapshot, and of the paper behind it."""
    return f"""@misc{{scriptorium-{manifest.recipe}-{manifest.version},
  title = {{{words.title}, snapshot {manifest.version}}},
  author = {{Scriptorium}},
  year = {{{manifest.created[:4]}}},
  note = {{content sha256 {manifest.content_sha256}}}
}}

@misc{{arxiv-2605-17064,
  howpublished = {{arXiv:2605.17064}},
  note = {{the method of prompt-to-book trajectories}},
  year = {{2026}},
  url = {{{PAPER}}}
}}"""
