"""Words that are none of time here: a greeting at the beginning, "2" for "to" and "4" for "for"."""

from __future__ import annotations

_GREETINGS = frozenset({"morning", "afternoon", "evening"})
_EVERYBODY = frozenset({"all", "guys", "team", "folks", "there", "everyone"})
_ANSWERING = frozenset({"please", "if", "or", "and", "not", "say", "any", "preferably"})
_SHORT = 5
"""A greeting has a message after it: more tokens than these."""


def greets(texts: list[str]) -> bool:
    """Whether the first of these tokens is a greeting and no time of day."""
    if len(texts) <= 2 or texts[0] not in _GREETINGS:  # noqa: PLR2004 - a greeting and two words after it
        return False
    following, then = texts[1], texts[2]
    opens = following in {",", "!", "."} and then not in _ANSWERING and then.isalpha() and len(texts) > _SHORT
    return following in _EVERYBODY or opens


_GIVEN = frozenset(
    {"me", "us", "u", "my", "our", "him", "her", "a", "an", "the", "this", "next", "sat", "sun", "mon", "tmrw"}
)
_SOUGHT = frozenset(
    {
        "anything",
        "appt",
        "appointment",
        "slot",
        "opening",
        "openings",
        "available",
        "free",
        "good",
        "ok",
        "works",
        "work",
    }
)
_DONE = frozenset(
    {"come", "book", "see", "get", "make", "be", "do", "have", "change", "move", "know", "ask", "reschedule"}
)


def shorthand(texts: list[str], i: int) -> str:
    """The word that a "2" or "4" is short for: "need 2 book", "anything 4 sat"; empty when it is a number."""
    before, after = texts[i - 1] if i else "", texts[i + 1] if i + 1 < len(texts) else ""
    if texts[i] == "2":
        return "to" if after in _DONE else ""
    return "for" if before in _SOUGHT and after in _GIVEN else ""
