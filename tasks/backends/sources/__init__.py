"""Where a book's bytes come from: a folder (a mirror's, or one's own), a mirror's base URL, or Gutenberg's harvest."""

from __future__ import annotations

from urllib.parse import urlsplit

from schemas.corpus_settings import SourceSettings
from schemas.errors import ConfigError
from tasks.backends.sources.downloads import Downloads
from tasks.backends.sources.folder import FolderSource
from tasks.backends.sources.harvest import HARVEST_PATH, HarvestSource
from tasks.backends.sources.mirror import MirrorSource
from tasks.backends.sources.polite import PoliteClient, shown
from tasks.fetching.soundness import RefusedError, is_html
from tasks.protocols import Store, TextSource

__all__ = ["FolderSource", "HarvestSource", "MirrorSource", "open_source", "refresh_feed"]


def open_source(settings: SourceSettings, cache: Store, max_bytes: int) -> TextSource:
    """Return the folder, mirror or harvest that the settings name.

    Args:
        settings: of the source.
        cache: keeps what was downloaded.
        max_bytes: a larger file is refused (fetch.max_bytes).

    Raises:
        ConfigError: there is no such folder, it holds no text, its table is wrong, or the URL is not a mirror's.
    """
    parts = urlsplit(settings.location)
    if parts.scheme in ("http", "https"):
        if settings.table is not None:
            raise ConfigError(f"{settings.table}: source.table tells of a folder's books, not of a mirror's")
        kind = HarvestSource if parts.path.rstrip("/").endswith(HARVEST_PATH) else MirrorSource
        return kind(settings.location, settings, cache, max_bytes)
    if len(parts.scheme) > 1:
        raise ConfigError(f"{shown(settings.location)}: a source is a folder or an http(s) URL, not {parts.scheme}://")
    return FolderSource(settings.location, max_bytes, settings.table)


def refresh_feed(url: str, settings: SourceSettings, cache: Store, max_bytes: int) -> tuple[bytes, bool]:
    """Return a feed such as Gutenberg's pg_catalog.csv.gz, and whether it has changed since it was last asked for.

    Raises:
        ConfigError: it is not there, or lies where robots may not go.
        TransientError: the host is busy.
    """
    downloads = Downloads(PoliteClient(url, settings), cache, max_bytes, settings.download_timeout_s)
    try:
        changed = downloads.refresh(shown(url), check_feed)
    except (RefusedError, FileNotFoundError) as error:
        raise ConfigError(f"{shown(url)}: no feed there: {error}") from error
    return downloads.kept(shown(url)), changed


def check_feed(data: bytes) -> None:
    """Raise RefusedError where a page was answered for a feed."""
    if is_html(data) or not data.strip():
        raise RefusedError("html-answer", f"{len(data)} bytes of HTML or nothing at all")
