"""What answers cost."""

import pytest

from schemas.ledger import Usage
from schemas.settings import CostSettings
from tasks.pricing import count_gpu_hours, price_usage

USAGE = Usage(prompt_tokens=3_000_000, cached_tokens=1_000_000, completion_tokens=500_000)


def test_gpus_are_paid_by_the_hour_all_of_them():
    rates = CostSettings(gpu_hour=2.5, num_gpus=4)
    assert count_gpu_hours(1_800.0, rates) == 2.0
    assert price_usage(USAGE, 1_800.0, rates) == 5.0


def test_tokens_are_paid_by_the_million_and_cached_ones_at_their_own_price():
    rates = CostSettings(gpu_hour=0.0, input_price=1.0, cached_price=0.1, output_price=4.0)
    assert price_usage(USAGE, 1_800.0, rates) == pytest.approx(2.0 + 0.1 + 2.0)
