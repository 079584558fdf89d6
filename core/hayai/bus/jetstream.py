"""JetStream: the server's API for streams and consumers, as its documents have it (JSON requests on $JS.API)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from hayai.errors import Unavailable

if TYPE_CHECKING:
    from hayai.bus.connection import Connection

_SECONDS = 5.0
_NOT_FOUND = 404


class Refused(Unavailable):
    """The server said no to a request; `code` is JetStream's own error number."""

    def __init__(self, message: str, *, status: int, code: int) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def refusal(error: dict[str, Any]) -> Refused:
    """The error object of an answer as an exception."""
    told = str(error.get("description", "no reason given"))
    return Refused(
        f"the NATS server refuses: {told}", status=int(error.get("code", 0)), code=int(error.get("err_code", 0))
    )


class JetStream:
    """Streams and consumers of one server; every method raises Unavailable, and Refused where the server says no."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stream(self, name: str, *, with_deleted: bool = False) -> dict[str, Any] | None:
        """The stream's `config` and `state`, with the places in it that were deleted; None if there is none."""
        return await self._found(f"STREAM.INFO.{name}", {"deleted_details": True} if with_deleted else {})

    async def create_stream(self, config: dict[str, Any]) -> dict[str, Any]:
        """Create a stream; the same configuration again is no error."""
        return await self._call(f"STREAM.CREATE.{config['name']}", config)

    async def consumer(self, stream: str, name: str) -> dict[str, Any] | None:
        """The consumer's `config`, `delivered` and `ack_floor`; None if there is none of that name."""
        return await self._found(f"CONSUMER.INFO.{stream}.{name}", {})

    async def consumers(self, stream: str) -> list[dict[str, Any]]:
        """All consumers of a stream, as consumer() gives one; none where there is no such stream."""
        found: list[dict[str, Any]] = []
        while page := await self._found(f"CONSUMER.LIST.{stream}", {"offset": len(found)}):
            found += page["consumers"] or []
            if not page["consumers"] or len(found) >= page["total"]:
                break
        return found

    async def create_consumer(self, stream: str, config: dict[str, Any], *, action: str = "") -> dict[str, Any]:
        """Create a durable consumer; `action` "update" changes one that is there."""
        return await self._call(
            f"CONSUMER.CREATE.{stream}.{config['durable_name']}.{config['filter_subject']}",
            {"stream_name": stream, "config": config, "action": action},
        )

    async def delete_consumer(self, stream: str, name: str) -> None:
        """End a consumer and the requests that wait on it; one that is gone already is no error."""
        await self._found(f"CONSUMER.DELETE.{stream}.{name}", {})

    async def pause_consumer(self, stream: str, name: str, until: str) -> None:
        """Have it hand out nothing before `until` (RFC 3339)."""
        await self._call(f"CONSUMER.PAUSE.{stream}.{name}", {"pause_until": until})

    async def body(self, stream: str, sequence: int) -> bytes | None:
        """What is stored at that place; None if nothing is (any more)."""
        found = await self._found(f"STREAM.MSG.GET.{stream}", {"seq": sequence})
        return None if found is None else base64.b64decode(found["message"].get("data", ""))

    async def message(self, stream: str, sequence: int) -> tuple[str, bytes] | None:
        """The subject and the body of what is stored at that place; None if nothing is (any more)."""
        found = await self._found(f"STREAM.MSG.GET.{stream}", {"seq": sequence})
        if found is None:
            return None
        return found["message"]["subject"], base64.b64decode(found["message"].get("data", ""))

    async def newest(self, stream: str, subject: str) -> int:
        """The sequence of the newest event on `subject`; 0 where there is none."""
        found = await self._found(f"STREAM.MSG.GET.{stream}", {"last_by_subj": subject})
        return 0 if found is None else int(found["message"]["seq"])

    async def next_body(self, stream: str, sequence: int, subject: str) -> bytes | None:
        """What the first event on `subject` from that place on holds; None where there is none."""
        found = await self._found(f"STREAM.MSG.GET.{stream}", {"seq": sequence, "next_by_subj": subject})
        return None if found is None else base64.b64decode(found["message"].get("data", ""))

    async def next_time(self, stream: str, sequence: int, subject: str) -> str | None:
        """When the first event on `subject` from that place on was stored, RFC 3339; None if there is none."""
        found = await self._found(f"STREAM.MSG.GET.{stream}", {"seq": sequence, "next_by_subj": subject})
        return None if found is None else str(found["message"]["time"])

    async def _found(self, verb: str, request: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return await self._call(verb, request)
        except Refused as wrong:
            if wrong.status == _NOT_FOUND:
                return None
            raise

    async def _call(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = await self._connection.request(f"$JS.API.{verb}", json.dumps(request).encode(), seconds=_SECONDS)
        told: dict[str, Any] = json.loads(answer)
        if "error" in told:
            raise refusal(told["error"])
        return told
