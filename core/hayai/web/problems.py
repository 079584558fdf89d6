"""Problems: what an HTTP caller gets for each of our errors (RFC 9457, application/problem+json)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hayai.errors import (
    AppointmentGone,
    BookingRefused,
    CallerUnknown,
    Conflict,
    HayaiError,
    MessageTooLarge,
    PermanentError,
    RateLimited,
    ResourceUnknown,
    TenantFull,
    TenantWrong,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

_log = logging.getLogger(__name__)
_AWAY = 503
_STATUS: tuple[tuple[type[HayaiError], int], ...] = (
    (CallerUnknown, 401),
    (TenantWrong, 403),
    (AppointmentGone, 404),
    (ResourceUnknown, 404),
    (BookingRefused, 409),
    (MessageTooLarge, 413),
    (Conflict, 409),
    (RateLimited, 429),
    (TenantFull, 507),
    (TransientError, _AWAY),
    (PermanentError, 422),
)
_SAID = {
    404: "There is nothing at this address: /openapi.json lists what there is.",
    405: "This address does not take that method: the header Allow says which it takes.",
}
"""For what the router refuses in two words."""


def answer_problems(app: FastAPI) -> None:
    """Turn every HayaiError, every request that is refused or does not parse, and every defect into one problem."""
    app.add_exception_handler(HayaiError, _ours)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _defect)


def _ours(request: Request, error: Exception) -> JSONResponse:
    del request
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return _problem(status, type(error).__name__, _detail(error, status), _headers(error))


def _detail(error: Exception, status: int) -> str:
    """The error's sentence, but for a server of ours that is away: that one names addresses, and goes to the log."""
    if status != _AWAY:
        return str(error)
    _log.warning("A request was answered with 503: %s", error)
    return "Something that this needs does not answer just now: send the same request again in a few seconds."


def _headers(error: Exception) -> Mapping[str, str]:
    if isinstance(error, CallerUnknown):
        return {"WWW-Authenticate": 'Bearer realm="hayai", Basic realm="hayai"'}
    if isinstance(error, TransientError):
        return {"Retry-After": str(round(getattr(error, "after", None) or 5))}
    return {}


def _refused(request: Request, error: Exception) -> JSONResponse:
    """The router's refusals, and those that a channel raises as FastAPI has it."""
    del request
    assert isinstance(error, HTTPException), "registered for no other"
    phrase = HTTPStatus(error.status_code).phrase
    detail = _SAID.get(error.status_code, phrase) if error.detail == phrase else str(error.detail)
    return _problem(error.status_code, phrase.title().replace(" ", ""), detail, error.headers or {})


def _unreadable(request: Request, error: Exception) -> JSONResponse:
    """Names the places and the kinds of fault, never the values: they may be a person's."""
    del request
    wrong: list[dict[str, Any]] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    places = ", ".join(f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in wrong)
    return _problem(
        422, "RequestUnreadable", f"This request does not fit the API ({places}): /openapi.json says what does.", {}
    )


def _defect(request: Request, error: Exception) -> JSONResponse:
    """Says nothing of the error: the server logs it."""
    del request, error
    return _problem(500, "Defect", "Something is wrong on our side: try again, and tell whoever runs this.", {})


def _problem(status: int, title: str, detail: str, headers: Mapping[str, str]) -> JSONResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")
