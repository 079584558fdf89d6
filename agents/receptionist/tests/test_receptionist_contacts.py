"""Telephone numbers and mail addresses, however they are written; and what only looks like one."""

from __future__ import annotations

import pytest

from hayai_receptionist.contacts import contact_in


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("030/555 04 433", "030/555 04 433"),
        ("0151/2345678", "0151/2345678"),
        ("call me on 207 555 0101", "207 555 0101"),
        ("guy at example dot com", "guy@example.com"),
        ("guy(at)example.com", "guy@example.com"),
        ("two zero seven five five five zero one zero one", "2075550101"),
    ],
)
def test_a_contact_is_read_in_many_forms(text: str, contact: str) -> None:
    """The number or the address as it can be used."""
    assert contact_in(text)[0] == contact


@pytest.mark.parametrize("text", ["10/12/2026 at 3", "tomorrow at 3.30pm", "one or two", "2026-12-10 10:30", "at noon"])
def test_a_date_or_a_time_is_no_contact(text: str) -> None:
    """Figures that tell a time are left to the grammar."""
    assert contact_in(text) == ("", None)


def test_what_leads_to_a_number_is_part_of_it() -> None:
    """So "call me on" does not ask for a call."""
    assert contact_in("Bob, call me on 2075550101")[1] == (5, 26)
