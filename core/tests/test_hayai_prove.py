"""The power-loss test, on a real loop device."""

from __future__ import annotations

import pytest

from hayai.errors import LocalStackRefused
from hayai.prove.durability import prove


@pytest.mark.fault
async def test_an_acknowledged_event_survives_the_loss_of_power() -> None:
    """Nothing is lost with sync always, and the same cut loses events at the default."""
    try:
        report = await prove(300)
    except LocalStackRefused as wrong:
        pytest.skip(str(wrong))
    assert report.always.lost == 0
    assert report.contrast.lost > 0
