"""Returned: what a route's function gives back, as the events that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from hayai.errors import PermanentError
from hayai.event import Event
from hayai.handlers import Keyed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.handlers import Returned


def following(returned: Any, published: Sequence[type[Event]], handler: str) -> Returned:
    """The events that follow: those returned, and any other value under each event of the route's `@publisher`s.

    Without a `@publisher`, a value that is no event leads nowhere, as in FastStream. Raises PermanentError where a
    `@publisher` is given what is no mapping and no model.
    """
    if returned is None or isinstance(returned, Event | Keyed):
        return returned
    if not isinstance(returned, Mapping | BaseModel | str | bytes) and isinstance(returned, Iterable):
        several = list(returned)
        if all(isinstance(each, Event | Keyed) for each in several):
            return several
    return [event.model_validate(_fields(returned, handler)) for event in published]


def _fields(returned: Any, handler: str) -> Mapping[str, Any]:
    if isinstance(returned, BaseModel):
        return returned.model_dump(mode="json")
    if isinstance(returned, Mapping):
        return cast("Mapping[str, Any]", returned)
    raise PermanentError(
        f"{handler} returned a {type(returned).__name__} for its @publisher: return an event, a model or a dict."
    )
