"""Book id -> page: a file name and a relative link that no id can turn into anything else."""

from __future__ import annotations

import hashlib
import re

FOLDER = "report"
INDEX, REFUSED = "index.html", "refused.html"
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")  # no capitals: some disks take A.html and a.html for one file


def name_page(book_id: str) -> str:
    """Return where a book's page lies in the report; a plain id is its own name, any other is cleaned and hashed."""
    if _PLAIN.fullmatch(book_id):
        return f"books/{book_id}.html"
    slug = re.sub(r"[^a-z0-9]+", "-", book_id.lower())[:40].strip("-")
    return f"books/{slug}~{hashlib.sha256(book_id.encode()).hexdigest()[:16]}.html"  # no plain id holds '~'


def name_list(first: str, number: int) -> str:
    """Return the name of page `number`, from 1, of a list whose first page is `first`."""
    return first if number == 1 else f"{first.removesuffix('.html')}-{number}.html"
