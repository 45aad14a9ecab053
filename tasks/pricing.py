"""Usage + rates -> GPU hours and money."""

from __future__ import annotations

from schemas.ledger import Usage
from schemas.settings import CostSettings

SECONDS_PER_HOUR, MILLION = 3_600.0, 1_000_000.0


def count_gpu_hours(busy_seconds: float, rates: CostSettings) -> float:
    """Return the hours that the GPUs were kept busy: all of them serve while any request is in flight."""
    return busy_seconds / SECONDS_PER_HOUR * rates.num_gpus


def price_usage(usage: Usage, busy_seconds: float, rates: CostSettings) -> float:
    """Return what answers cost, in the currency of the rates: GPUs by the hour, or tokens by the million, or both."""
    computed = usage.prompt_tokens - usage.cached_tokens
    tokens = (
        computed * rates.input_price
        + usage.cached_tokens * rates.cached_price
        + usage.completion_tokens * rates.output_price
    )
    return count_gpu_hours(busy_seconds, rates) * rates.gpu_hour + tokens / MILLION


def add_usage(*usages: Usage) -> Usage:
    """Return the sum of usages, field by field."""
    return Usage(**{name: sum(getattr(usage, name) for usage in usages) for name in Usage.model_fields})


def subtract_usage(whole: Usage, part: Usage) -> Usage:
    """Return what is left of a usage, nothing below 0."""
    return Usage(**{name: max(0, getattr(whole, name) - getattr(part, name)) for name in Usage.model_fields})
