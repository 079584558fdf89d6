"""Whether a message begins with a greeting: "Afternoon, the boiler ..." does, "afternoon, if you can" answers."""

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
