"""Refusals: which error of ours it is that the SDK or its transport raised, in words without the customer's own."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx2
import openai

from hayai.errors import AnswerUnusable, HayaiError, PermanentError, RateLimited, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVER = 500
_SPENT = "insufficient_quota"
"""The code of a 429 that no waiting mends."""
_MEANINGS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[HayaiError], str], ...] = (
    (openai.RateLimitError, PermanentError, "has no credit left: top up the account, or raise its limit"),
    (
        (openai.AuthenticationError, openai.PermissionDeniedError),
        PermanentError,
        "refuses the key: correct `key` under [models], or let it use this model",
    ),
    (openai.NotFoundError, PermanentError, "is not there: correct `model` or `url` under [models]"),
    (openai.InternalServerError, Unavailable, "has a fault of its own"),
    (openai.ConflictError, Unavailable, "is at it already"),
    (openai.APIStatusError, PermanentError, "refuses the question: the model may not take tools, or not so much text"),
    (openai.APIResponseValidationError, AnswerUnusable, "sent what is no answer of a model"),
    (openai.APITimeoutError, Unavailable, "did not answer in time"),
    (
        openai.APIConnectionError,
        Unavailable,
        "cannot be reached, or broke off: see that it is up and `url` right",
    ),
    ((openai.APIError, httpx2.HTTPError, httpx2.StreamError), Unavailable, "broke off in the middle of its answer"),
    (Exception, AnswerUnusable, "sent what is no answer of a model"),
)
"""First match first."""


def meaning(refused: Exception, place: str) -> HayaiError:
    """The error of ours; the SDK's own text may hold what was asked."""
    if isinstance(refused, openai.APIStatusError) and _later(refused):
        return RateLimited(f"{place} asks to slow down.", after=wanted(refused.response.headers))
    error, said = next((error, said) for kinds, error, said in _MEANINGS if isinstance(refused, kinds))
    return error(f"{place} {said}.")


def _later(refused: openai.APIStatusError) -> bool:
    """Whether it is a matter of waiting: a 429 that is not about money, or a fault whose end the server names."""
    if isinstance(refused, openai.RateLimitError):
        return refused.code != _SPENT
    return refused.status_code >= _SERVER and wanted(refused.response.headers) is not None


def wanted(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds to wait that the server names, as milliseconds, seconds or a date; None where it names none."""
    with suppress(ValueError):
        if (millis := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(millis) / 1000)
    named = headers.get("retry-after")
    if named is None:
        return None
    with suppress(ValueError):
        return max(0.0, float(named))
    with suppress(ValueError):
        return max(0.0, (parsedate_to_datetime(named) - (now or datetime.now(UTC))).total_seconds())
    return None
