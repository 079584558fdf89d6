"""The short form of `make chaos`, scenario by scenario, for those who run the tests.

Two are left to `make chaos`, since they judge more than our own code: how soon a cluster chooses its leader is
nats-server's affair, and what jumping clocks do to the order of commits is open (docs/reliability-servers.md).
"""

from __future__ import annotations

import asyncio
import secrets

import pytest

from tests.chaos.plan import Plan, table
from tests.chaos.scenarios import SCENARIOS

pytestmark = [pytest.mark.fault, pytest.mark.timeout(400)]


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - {"clock", "cluster"}))
def test_the_promises_hold_under_this_fault(name: str) -> None:
    """No breach; what was printed has the seed that repeats the run."""
    plan = Plan(secrets.randbelow(1_000_000))
    print(f"seed {plan.seed}")
    report = asyncio.run(SCENARIOS[name](plan))
    print(table([report]))
    assert report.breaches == [], f"seed {plan.seed}"
