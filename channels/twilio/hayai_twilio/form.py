"""Form: the fields of a webhook, read as strictly as a signature must be read."""

from __future__ import annotations

from urllib.parse import parse_qsl

FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 250
"""A message with ten media and every field of location has about sixty."""

Fields = tuple[tuple[str, str], ...]
"""Names and values as they came, repetitions and empty values included."""


def fields(body: bytes) -> Fields:
    """The fields of a form. Raises ValueError where the body is none: not UTF-8, not name=value, or too many."""
    text = body.decode("utf-8")
    found = parse_qsl(
        text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=_MOST_FIELDS
    )
    return tuple(found)


def is_form(content_type: str) -> bool:
    """Whether a header Content-Type says that the body is a form."""
    return content_type.partition(";")[0].strip().lower() == FORM
