"""Limits: rates by a clock that the test moves, and places."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hayai_web import limits
from hayai_web.limits import Places, Rate, neighbourhood

if TYPE_CHECKING:
    from hayai.testing.clock import MovableClock


def test_a_rate_lets_a_minutes_worth_through_and_then_one_by_one(clock: MovableClock) -> None:
    """Six a minute are six at once, then one every ten seconds."""
    rate = Rate(6, clock)
    for _ in range(6):
        assert rate.wait("ada") == 0
        rate.take("ada")
    assert rate.wait("ada") == 10
    clock.advance(timedelta(seconds=4))
    assert rate.wait("ada") == 6
    clock.advance(timedelta(seconds=6))
    assert rate.wait("ada") == 0


def test_a_rate_never_saves_up_more_than_a_minute(clock: MovableClock) -> None:
    """After a night there are six, not six hundred."""
    rate = Rate(6, clock)
    clock.advance(timedelta(hours=8))
    rate.give_back("ada")
    for _ in range(6):
        rate.take("ada")
    assert rate.wait("ada") > 0


def test_a_clock_that_jumps_back_takes_nothing_away(clock: MovableClock) -> None:
    """Nor does it give."""
    rate = Rate(2, clock)
    rate.take("ada")
    clock.advance(timedelta(hours=-1))
    assert rate.wait("ada") == 0


def test_each_key_has_its_own_rate(clock: MovableClock) -> None:
    """One who writes too fast slows nobody else."""
    rate = Rate(1, clock)
    rate.take("ada")
    assert rate.wait("ada") > 0
    assert rate.wait("bob") == 0


def test_a_rate_remembers_the_keys_used_last(clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded, however many visitors come."""
    monkeypatch.setattr(limits, "_MOST_REMEMBERED", 2)
    rate = Rate(1, clock)
    for key in ("ada", "bob", "eve"):
        rate.take(key)
    assert [rate.wait(key) > 0 for key in ("ada", "bob", "eve")] == [False, True, True]


def test_places_are_taken_and_given_back() -> None:
    """Also by those that found none free."""
    places = Places(1)
    with places.place("ada") as first, places.place("ada") as second, places.place("bob") as other:
        assert (first, second, other) == (True, False, True)
    with places.place("ada") as again:
        assert again


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_counts_with_those_that_its_owner_has_as_well(host: str, counted: str) -> None:
    """A whole IPv6 network of 64 bits belongs to one subscriber."""
    assert neighbourhood(host) == counted
