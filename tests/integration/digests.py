"""Rows -> their number and one hash, for readers that are compared."""

import hashlib
import json


def digest(rows):
    """Number of rows, and a hash over every value in them, whatever order they came in."""
    told = sorted(json.dumps(row, sort_keys=True, default=list) for row in rows)
    return [len(told), hashlib.sha256("\n".join(told).encode()).hexdigest()]
