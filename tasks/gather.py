"""StoryFiles -> RawBlocks: pairs by a stable hash of their prompts, so that growth moves no story to another block."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.stories import Form, RawBlock, RawStory
from tasks.stories.likeness import key_text
from tasks.stories.source import StorySource
from tasks.stories.wording import read_prompt

NUM_BLOCKS = 256  # of a source: WritingPrompts has 1,185 stories in each, 5 MB; another number would move every story
BUFFER_CHARS = 8_000_000  # of all blocks together, before they are written to disk


def iter_blocks(source: StorySource) -> Iterator[RawBlock]:
    """Yield the blocks of a source that have a story, in order; memory holds one of them at a time."""
    with TemporaryDirectory(prefix="stories-") as folder:
        _spool(source, Path(folder))
        for path in sorted(Path(folder).iterdir()):
            with path.open(encoding="utf-8") as lines:
                stories = tuple(RawStory(*json.loads(line)) for line in lines)
            yield RawBlock(block_id=path.name, source=source.name, form=source.form, stories=stories)


def block_of(name: str, prompt: str, form: Form) -> str:
    """Return the block of a prompt: 'writingprompts-0007'. Equal prompts are in one, whatever file they stand in."""
    return f"{name}-{int(key_text(read_prompt(prompt, form)[1])[:8], 16) % NUM_BLOCKS:04d}"


def is_block_of(name: str, block_id: str) -> bool:
    """Tell whether a book of a data set is a block of this source."""
    rest = block_id.removeprefix(f"{name}-")
    return rest != block_id and len(rest) == 4 and rest.isdigit()


def _spool(source: StorySource, folder: Path) -> None:
    """Divide the pairs among files of the blocks' names."""
    waiting: dict[str, list[str]] = defaultdict(list)
    size = 0
    for story in source.iter_stories():
        line = json.dumps(story)
        waiting[block_of(source.name, story.prompt, source.form)].append(line)
        size += len(line)
        if size > BUFFER_CHARS:
            _flush(waiting, folder)
            size = 0
    _flush(waiting, folder)


def _flush(waiting: dict[str, list[str]], folder: Path) -> None:
    for block_id, lines in waiting.items():
        with (folder / block_id).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    waiting.clear()
