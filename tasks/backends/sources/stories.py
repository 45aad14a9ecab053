"""Where stories come from: pairs of line files as WritingPrompts has them, or tables of titles and stories."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.corpus_settings import SourceSettings
from schemas.errors import ConfigError
from schemas.settings import Settings
from schemas.stories import Form, RawStory, Side
from tasks.backends.sources.folder import FolderSource
from tasks.backends.sources.story_tables import TABLES, read_table_stories
from tasks.stories.source import StorySource

SAMPLES = "samples/stories"
PROMPTS, STORIES = ".wp_source", ".wp_target"
MAX_NAME = 40  # characters of a name within an id
_SIDES: dict[str, Side] = {
    "train": "train", "valid": "validation", "validation": "validation", "val": "validation", "dev": "validation",
    "test": "test",
}  # fmt: skip


def open_stories(settings: Settings, at_root: Path) -> StorySource | None:
    """Return the files of stories that the settings name, or None where the recipe is one of books.

    Args:
        settings: recipe and source; the default source of books stands for the stories kept beside them.
        at_root: the repository, for a relative location that the current folder does not have.

    Raises:
        ConfigError: there are no such files, a pair's counts differ, or a table lacks its columns.
    """
    location = settings.source.location
    if location == SourceSettings().location:
        location = SAMPLES
    path = Path(location).expanduser()
    path = path if path.exists() or path.is_absolute() else at_root / path
    if settings.recipe == "tagged-story":
        return PromptFiles(path)
    return StoryTables(path) if settings.recipe == "title-to-story" else None


class _Pair(NamedTuple):
    """Two files whose lines belong to each other."""

    slug: str
    side: Side | None
    prompts: Path
    stories: Path


class PromptFiles:
    """`NAME.wp_source` and `NAME.wp_target`: line i of one is the prompt of line i of the other."""

    form: Form = "tokenised"

    def __init__(self, path: Path) -> None:
        """Count and hash the files.

        Raises:
            ConfigError: there is no pair, a file has no counterpart, or their numbers of lines differ.
        """
        self.name = slugify(path.stem if path.is_file() else path.resolve().name)
        files = sorted(path.rglob(f"*{PROMPTS}")) if path.is_dir() else [path.with_suffix(PROMPTS)]
        if not files or not path.exists():
            raise ConfigError(f"{path}: no NAME{PROMPTS} there with its NAME{STORIES}; give --source their folder")
        root = path if path.is_dir() else path.parent
        _check_alone(root, files)
        slugs = name_files(files, root)
        self._pairs = [
            _Pair(slug, _SIDES.get(file.stem.lower()), file, file.with_suffix(STORIES))
            for slug, file in zip(slugs, files, strict=True)
        ]
        self.fingerprint = hash_names([(pair.slug, *_measure_pair(pair)) for pair in self._pairs])

    def iter_stories(self) -> Iterator[RawStory]:
        """Yield every pair of lines."""
        for pair in self._pairs:
            with pair.prompts.open("rb") as prompts, pair.stories.open("rb") as stories:
                for number, (prompt, story) in enumerate(zip(prompts, stories, strict=True), 1):
                    yield RawStory(make_id(self.name, pair.slug, number), pair.side, _decode(prompt), _decode(story))


class StoryTables:
    """A table with a title and a story a row: JSON, JSON lines, CSV or Parquet; or a folder of such files."""

    form: Form = "plain"

    def __init__(self, path: Path) -> None:
        """Hash the files.

        Raises:
            ConfigError: there is no such file.
        """
        self.name = slugify(path.stem if path.is_file() else path.resolve().name)
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        self._files = [file for file in found if file.suffix.lower() in TABLES and file.is_file()]
        if not self._files:
            kinds = ", ".join(TABLES)
            raise ConfigError(f"{path}: no table of stories there; give --source a file or folder of {kinds}")
        self._slugs = name_files(self._files, path if path.is_dir() else path.parent)
        hashes = [(slug, _hash_file(file)[0]) for slug, file in zip(self._slugs, self._files, strict=True)]
        self.fingerprint = hash_names(hashes)
        for file in self._files:
            next(read_table_stories(file), None)  # wrong columns are told before anything is written

    def iter_stories(self) -> Iterator[RawStory]:
        """Yield every row; what it lacks is empty."""
        for slug, file in zip(self._slugs, self._files, strict=True):
            for number, (title, story) in enumerate(read_table_stories(file), 1):
                yield RawStory(make_id(self.name, slug, number), None, title, story)


def slugify(name: str) -> str:
    """Return a name as ids may hold it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_NAME].strip("-") or "stories"


def make_id(name: str, slug: str, number: int) -> str:
    """Return 'writingprompts-train-000017': source, file and line; a source of one file is not named twice."""
    return f"{name}-{number:06d}" if slug == name else f"{name}-{slug}-{number:06d}"


def name_files(files: Sequence[Path], root: Path) -> list[str]:
    """Return a slug a file; ConfigError where two files would have one."""
    slugs: dict[str, Path] = {}
    for file in files:
        slug = slugify(file.relative_to(root).with_suffix("").as_posix())
        if slug in slugs:
            raise ConfigError(f"{slugs[slug]} and {file}: stories of both would be called {slug!r}; rename one")
        slugs[slug] = file
    return list(slugs)


def hash_names(parts: Iterable[tuple[str, ...]]) -> str:
    """Return a hash of the files' names and hashes."""
    return hashlib.sha256("\n".join(" ".join(part) for part in parts).encode()).hexdigest()


def _check_alone(root: Path, files: Sequence[Path]) -> None:
    """Raise where a file has no counterpart."""
    targets = set(root.rglob(f"*{STORIES}")) if len(files) > 1 else {files[0].with_suffix(STORIES)}
    missing = [file.with_suffix(STORIES) for file in files if not file.with_suffix(STORIES).is_file()]
    missing += [file.with_suffix(PROMPTS) for file in sorted(targets) if not file.with_suffix(PROMPTS).is_file()]
    if missing:
        raise ConfigError(f"{missing[0]}: no such file; every NAME{PROMPTS} needs its NAME{STORIES}")


def _measure_pair(pair: _Pair) -> tuple[str, str]:
    """Return the hashes of both files; ConfigError where one has more lines."""
    (prompts, num_prompts), (stories, num_stories) = _hash_file(pair.prompts), _hash_file(pair.stories)
    if num_prompts != num_stories:
        raise ConfigError(
            f"{pair.prompts} has {num_prompts} lines, {pair.stories} has {num_stories}: line i of one must be the "
            "prompt of line i of the other; take both from one release"
        )
    return prompts, stories


def _hash_file(file: Path) -> tuple[str, int]:
    """Return a file's sha256 and its number of lines; a last line without its end counts."""
    digest, num_lines, last = hashlib.sha256(), 0, b"\n"
    try:
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
                num_lines += block.count(b"\n")
                last = block[-1:]
    except OSError as error:
        raise ConfigError(f"{file}: it cannot be read: {error.strerror}") from error
    return digest.hexdigest(), num_lines + (last != b"\n")


def _decode(line: bytes) -> str:
    return line.decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r\n")


class NoBooks(FolderSource):
    """The source of books of a recipe that has none."""

    def __init__(self) -> None:
        self.root, self._files, self._entries = Path(), {}, {}
