"""Train side -> ExamplePool -> the example of each story: never itself, and no phrase of the target in it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import nsmallest

from schemas.stories import Example, ExamplePool
from tasks.likeness.shingles import hash_shingles, hash_words
from tasks.stories.sides import draw

POOL_SIZE = 512  # all 450 of Tiny Love Stories' train side, and enough of any larger one: 1 MB at most
COPY_WORDS = 8  # a run of so many words in both would show the target


def choose_pool(story_ids: Sequence[str], seed: int) -> list[str]:
    """Return the stories that examples are drawn from: those with the least hashes, so that growth changes few."""
    return nsmallest(POOL_SIZE, story_ids, key=lambda story_id: (place_in(story_id, seed), story_id))


def place_in(story_id: str, seed: int) -> float:
    """Return a story's place in the pool."""
    return draw(seed, "example", story_id)


def list_runs(text: str) -> frozenset[int]:
    """Return the hashes of every run of words that an example must not share with a target."""
    return frozenset(hash_shingles(hash_words(text), COPY_WORDS).tolist())


class Examples:
    """A pool that examples are drawn from: a story takes the first fitting one after its own hash."""

    def __init__(self, pool: ExamplePool, seed: int) -> None:
        self._examples, self._seed = pool.examples, seed
        self._places = [place_in(example.story_id, seed) for example in pool.examples]
        self._runs: dict[str, frozenset[int]] = {}

    def draw(self, story_id: str, prompt_key: str, text: str) -> Example | None:
        """Return the example of a story, or None where none fits."""
        runs = list_runs(text)
        for example in self._from(draw(self._seed, "for", story_id)):
            if example.story_id == story_id or example.prompt_key == prompt_key:
                continue
            if example.story_id not in self._runs:
                self._runs[example.story_id] = list_runs(example.text)
            if runs.isdisjoint(self._runs[example.story_id]):
                return example
        return None

    def _from(self, place: float) -> Iterator[Example]:
        at = bisect_left(self._places, place)
        yield from self._examples[at:]
        yield from self._examples[:at]
