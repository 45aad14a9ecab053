"""The seam behind which files of stories lie: apart from `tasks.protocols`, whose code is part of every book's keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from schemas.stories import Form, RawStory


class StorySource(Protocol):
    """Files of pairs: a prompt or a title, and a story."""

    @property
    def name(self) -> str:
        """What its stories' ids begin with."""

    @property
    def form(self) -> Form:
        """How its texts are written."""

    @property
    def fingerprint(self) -> str:
        """Hash of the files' names and bytes."""

    def iter_stories(self) -> Iterator[RawStory]:
        """Yield every pair, file by file and line by line, without holding a file in memory where its format allows."""
