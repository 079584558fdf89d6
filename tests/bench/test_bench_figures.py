"""What the benchmark says of its figures, and what its gate refuses."""

from __future__ import annotations

import json

from bench.figures import Figure, Need, cost, rates, table
from bench.measure import Taken

SLOW, MIDDLE, FAST = Taken(100, 4.0, 0.002), Taken(100, 2.0, 0.004), Taken(100, 1.0, 0.001)


def test_a_rate_is_the_median_of_the_rounds_beside_the_median_of_the_peers() -> None:
    """One round that was disturbed changes neither side."""
    (figure,) = rates("publish", {"ours": [SLOW, FAST, FAST], "peer": [MIDDLE, SLOW, MIDDLE]}, "ours", {"peer": None})
    assert (figure.value, figure.peer_value, figure.ratio) == (100, 50, 2)


def test_the_processors_time_is_told_in_microseconds_an_event() -> None:
    """Two milliseconds for a hundred events are twenty microseconds each."""
    figure = cost("publish", {"ours": [SLOW], "peer": [MIDDLE]}, "ours", "peer")
    assert (figure.value, figure.peer_value) == (20, 40)


def test_the_gate_refuses_a_ratio_that_is_short() -> None:
    """And takes one that is just reached."""
    assert Figure("consume", 59, "events/s", "raw", 100, Need(ratio=0.6)).fails
    assert not Figure("consume", 60, "events/s", "raw", 100, Need(ratio=0.6)).fails


def test_the_gate_refuses_a_processors_time_that_is_too_long() -> None:
    """Which needs no peer."""
    assert Figure("consume", 18.1, "us CPU/event", need=Need(value=18)).fails


def test_the_gate_refuses_what_costs_more_than_the_peer_by_too_much() -> None:
    """Here more is worse, so the ratio has an upper end; without a peer's value it is not kept."""
    need = Need(most=1.1)
    assert Figure("router", 11.1, "us CPU/event", "handler", 10, need).fails
    assert not Figure("router", 11, "us CPU/event", "handler", 10, need).fails
    assert Figure("router", 11, "us CPU/event", "handler", None, need).fails
    assert str(need) == "<= 1.1 x"


def test_a_time_that_is_too_long_is_said_and_never_refused() -> None:
    """A busy machine alone could cause it."""
    late = Figure("latency", 7, "ms", need=Need(value=5, gated=False))
    assert (late.verdict, late.fails) == ("short", False)


def test_a_ratio_is_required_of_nothing_without_a_peers_value() -> None:
    """A peer that gave no value cannot be beaten."""
    assert Figure("consume", 60, "events/s", "raw", 0, Need(ratio=0.6)).verdict == "short"


def test_the_file_holds_the_six_words_that_others_read() -> None:
    """A figure without a peer says null, and everything is JSON."""
    told = json.loads(json.dumps(Figure("idle", 0.4, "% of a core").told()))
    empty = {"peer": None, "peer_value": None, "ratio": None}
    assert told == {"name": "idle", "value": 0.4, "unit": "% of a core", **empty}


def test_the_table_shows_what_is_required_beside_what_was_seen() -> None:
    """One line a figure below the head."""
    *_, line = table([Figure("consume", 6000, "events/s", "raw", 8000, Need(ratio=0.6))]).splitlines()
    shown = [cell.strip() for cell in line.strip("|").split("|")]
    assert shown == ["consume", "6,000", "events/s", "raw", "8,000", "0.75", ">= 0.6 x", "met"]
