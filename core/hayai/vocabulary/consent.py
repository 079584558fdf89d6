"""Consent: what a customer has said about being written to, with the words that carriers and the law know."""

from typing import Literal

from hayai.event import Event

Purpose = Literal["answer", "service", "marketing"]
"""Why we write: to answer what was asked, about what was booked, or to sell."""
PURPOSES: tuple[Purpose, ...] = ("answer", "service", "marketing")


class ConsentWithdrawn(Event, type="consent.withdrawn", version=1):
    """A customer wants no more of it by this channel; it was recorded before this was published."""

    channel: str
    person: str
    purposes: tuple[Purpose, ...]
    word: str
    """Which of the known words it was, never the customer's own."""


class ConsentGiven(Event, type="consent.given", version=1):
    """A customer allows it by this channel, again or for the first time; recorded before this was published."""

    channel: str
    person: str
    purposes: tuple[Purpose, ...]
    word: str


class HelpAsked(Event, type="help.asked", version=1):
    """A customer sent HELP: they want to know who writes to them."""

    channel: str
    person: str
