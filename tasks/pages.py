"""Templates -> Environment: what every page and card is rendered with."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


def open_templates(*, autoescape: bool) -> Environment:
    """Return the templates; HTML wants `autoescape`, so that no book and no answer can bring in markup."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
