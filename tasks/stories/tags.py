"""Story -> what a reader could have wished of it: measured on the text, and as a model told it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from schemas.plans import Tag
from schemas.story_answers import TagsAnswer
from tasks.extraction.extract import list_words, split_sentences
from tasks.extraction.measure import measure_voice, strip_paragraph_quotes
from tasks.extraction.names import count_lower, find_people
from tasks.grammar.pairs import TAG_KEYS, is_tag_value
from tasks.stories.sides import draw

FIRST_SHARE = 0.015  # of I, me, my outside of speech marks, as for books; from there on it is a first-person telling
SECOND_SHARE = 0.03  # of you, your: a narrator who addresses the reader now and then stays below
SECOND_PERSON = frozenset(("you", "your", "yours", "yourself", "you're", "you've", "you'll", "you'd"))
LENGTHS = ((150, "tiny"), (400, "short"), (800, "medium"))  # words below which; else long
DIALOGUE = ((0.05, "none"), (0.35, "some"))  # share of words in speech marks below which; else much
MAX_CHARACTERS = 3
MIN_MENTIONS = 2


def measure_tags(text: str) -> tuple[Tag, ...]:
    """Return what can be measured on a story: pov, length, dialogue, and its characters' names."""
    voice, num_words = measure_voice(text), len(text.split())
    found = find_people(text, count_lower(text), min_mentions=1)  # within sentences: a short story has few
    people = islice((person.name for person in found if person.num_mentions >= MIN_MENTIONS), MAX_CHARACTERS)
    return (
        Tag("pov", _find_person(text, voice.first_person_share)),
        Tag("length", next((name for limit, name in LENGTHS if num_words < limit), "long")),
        Tag("dialogue", next((name for limit, name in DIALOGUE if voice.dialogue_share < limit), "much")),
        *(Tag("character", name) for name in people if is_tag_value(name)),
    )


def add_told(measured: Sequence[Tag], told: TagsAnswer, text: str) -> tuple[Tag, ...]:
    """Return the measured tags with genre and tone; characters that stand in the story replace its bare names."""
    tags = [Tag("genre", tidy(told.genre).lower()), Tag("tone", tidy(told.tone).lower())]
    tags += [tag for tag in measured if tag.key != "character"]
    cast = [person for person in told.characters if stands_in(person.name, text)]
    named = [Tag("character", f"{tidy(person.name)}, {tidy(person.role)}") for person in cast]
    tags += named or [tag for tag in measured if tag.key == "character"]
    return order_tags(tag for tag in tags if is_tag_value(tag.value))


def drop_tags(tags: Iterable[Tag], story_id: str, share: float, seed: int) -> tuple[Tag, ...]:
    """Return the tags that a training row shows: each is left out by a hash of its own."""
    return tuple(tag for tag in tags if draw(seed, "drop", story_id, *tag) >= share)


def order_tags(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """Return tags in the order of the grammar; of one key, in their own."""
    return tuple(sorted(tags, key=lambda tag: TAG_KEYS.index(tag.key)))


def tidy(value: str) -> str:
    """Return a value on one line without what marks a tag, and without a full stop at its end."""
    return " ".join(re.sub(r"[|<>\x00-\x1f]", " ", value).split()).rstrip(" .,;")


def stands_in(name: str, text: str) -> bool:
    """Tell whether a story has a name, letter for letter."""
    return re.search(rf"\b{re.escape(name.strip())}\b", text) is not None if name.strip() else False


def cut_story(text: str, max_words: int) -> int:
    """Return where a target ends: the whole story, or the last sentence that ends within so many words.

    Where not one sentence does, the words decide.
    """
    words = list(islice(re.finditer(r"\S+", text), max_words + 1))
    if len(words) <= max_words:
        return len(text)
    limit = words[-2].end()
    return max((end for end in _sentence_ends(text[:limit], limit) if end <= limit), default=0) or limit


def _sentence_ends(text: str, limit: int) -> Iterator[int]:
    """Yield the ends of the sentences of a beginning; its last sentence counts where its line ends there, too."""
    at = 0
    for line in text.split("\n"):
        for sentence in split_sentences(line):
            at = text.index(sentence, at) + len(sentence)
            if at < limit or re.search(r"[.!?]['\"”’)]*$", sentence):
                yield at


def _find_person(text: str, first_person_share: float) -> str:
    if first_person_share > FIRST_SHARE:
        return "first"
    words = list_words(strip_paragraph_quotes(text))
    share = sum(word in SECOND_PERSON for word in words) / max(1, len(words))
    return "second" if share > SECOND_SHARE else "third"
