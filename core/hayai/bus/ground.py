"""Ground: the streams stand on the server before anything is built on them, and keep what this tier promises."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from hayai.bus.jetstream import JetStream, Refused
from hayai.bus.streams import broken_promises, other_limits
from hayai.errors import SettingsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

_log = logging.getLogger(__name__)


async def ensure(jetstream: JetStream, streams: Iterable[dict[str, Any]]) -> None:
    """Create the `streams` that are missing; those that are there stay as they are, whatever their configuration.

    Raises SettingsError where one keeps less than it should, Unavailable.
    """
    for declared in streams:
        found = await jetstream.stream(declared["name"])
        if found is None:
            found = await _created(jetstream, declared)
        if broken := broken_promises(declared, found["config"]):
            raise SettingsError(
                f"The stream {declared['name']} on the server keeps less than this tier promises "
                f"({'; '.join(broken)}). It was left as it is: edit it with `nats stream edit`, or correct [bus]."
            )
        if other := other_limits(declared, found["config"]):
            _log.warning("The stream %s has limits of its own: %s.", declared["name"], "; ".join(other))


async def _created(jetstream: JetStream, declared: dict[str, Any]) -> dict[str, Any]:
    try:
        return await jetstream.create_stream(declared)
    except Refused as wrong:
        raise Unavailable(
            f"The stream {declared['name']} of at most {declared['max_bytes']} bytes cannot be created ({wrong}): "
            "give the server that much storage, or lower the stream's bytes under [bus]."
        ) from None
