"""Template + values -> page: one file that needs no other, with a policy that lets nothing else run or load."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from tasks.pages import TEMPLATES, open_templates


def render_page(template: str, **values: object) -> bytes:
    """Return a page; whatever is put into it is escaped."""
    return _environment().get_template(template).render(**values).encode()


def digest_templates() -> str:
    """Return a hash of all that shapes a page beside its values and code."""
    files = sorted(TEMPLATES.glob("report*"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def show_figure(value: float) -> str:
    """Return a measured value as a person reads it: at most three decimals, thousands apart."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def shorten_number(number: int) -> str:
    """Return a count as a headline has room for it: whole below a million, else rounded: '82.5 M'."""
    for unit, name in ((10**9, "bn"), (10**6, "M")):
        if number >= unit:
            digits = 2 if number < 10 * unit else 1
            return f"{number / unit:,.{digits}f} {name}"
    return f"{number:,}"


@cache
def _environment() -> Environment:
    """Return the templates with style and script, which every page carries itself.

    A page that is opened from a disk, saved alone, or served beside pages of an older build then looks as it was made.
    """
    environment = open_templates(autoescape=True)
    style, script = (TEMPLATES.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    environment.globals |= {"style": Markup(style), "script": Markup(script), "policy": policy}
    environment.filters |= {"figure": show_figure, "short": shorten_number}
    return environment


def _source(text: str) -> str:
    """Return how a policy names an inline block: by its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
