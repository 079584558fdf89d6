"""Backoff: doubling, jittered, bounded."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hayai.bus.retry import backoff
from hayai.errors import RateLimited, Unavailable
from hayai.handlers import Policy


@given(failures=st.integers(1, 5000), first=st.floats(0.001, 10), longest=st.floats(0.001, 1000))
def test_a_wait_lies_in_the_upper_half_of_a_doubling_that_is_bounded(
    failures: int, first: float, longest: float
) -> None:
    """However often it failed."""
    whole = min(longest, first * 2.0 ** min(failures - 1, 900))
    waited = backoff(Policy(first_delay=first, longest_delay=longest), failures)
    assert whole / 2 <= waited <= whole


def test_handlers_that_failed_together_do_not_come_back_together() -> None:
    """A hundred waits are nearly a hundred different ones."""
    assert len({backoff(Policy(), 3) for _ in range(100)}) > 90


def test_a_wait_that_a_vendor_named_is_kept() -> None:
    """Where it is longer than ours, even beyond the policy's longest."""
    policy = Policy(first_delay=1, longest_delay=2)
    assert backoff(policy, 1, RateLimited("Slowly.", after=90)) == 90
    assert backoff(policy, 1, RateLimited("Slowly.")) <= 1
    assert 0.5 <= backoff(policy, 1, RateLimited("Slowly.", after=0.1)) <= 1
    assert backoff(policy, 1, Unavailable("Away.")) <= 1


def test_the_default_policy_outlasts_five_minutes_of_outage_and_ends_a_defect_soon() -> None:
    """However the jitter falls: a bus or a database that was restarted finds its events tried again, not given up."""
    policy = Policy()
    wholes = [min(policy.longest_delay, policy.first_delay * 2.0**n) for n in range(policy.attempts - 1)]
    assert sum(wholes) / 2 >= 300
    assert sum(wholes[: policy.defects - 1]) <= 8


@pytest.mark.parametrize("after", [math.nan, math.inf, -math.inf, -5.0])
def test_a_wait_that_is_no_length_of_time_is_not_kept_to(after: float) -> None:
    """A vendor's header says anything; ours goes on."""
    assert 0.5 <= backoff(Policy(first_delay=1), 1, RateLimited("Slowly.", after=after)) <= 1


def test_nobody_is_made_to_wait_for_more_than_a_day() -> None:
    """A number of milliseconds that was meant as seconds, or worse."""
    assert backoff(Policy(), 1, RateLimited("Slowly.", after=1e300)) == 86_400
