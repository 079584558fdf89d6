"""Durable: one handler's place in its stream, kept by the server under the handler's name."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hayai.bus.jetstream import Refused
from hayai.bus.streams import NANOSECONDS, filter_of, stream_of
from hayai.errors import HandlerMisdeclared
from hayai.ledger.places import Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from hayai.bus.bookmarks import Bookmarks
    from hayai.bus.jetstream import JetStream
    from hayai.handlers import Subscription


_INHERITED = "hayai-inherited"


class Durable:
    """The consumer of one subscription: created where it begins, found again later, recreated where it was lost."""

    def __init__(
        self,
        jetstream: JetStream,
        subscription: Subscription,
        *,
        ensure_streams: Callable[[], Awaitable[None]],
        bookmarks: Bookmarks,
        recreated: Callable[[int], Awaitable[None]],
        partition: int,
        ack_wait: float,
        max_pending: int,
    ) -> None:
        self.name = f"{subscription.name}_{partition}"
        self._spare = f"{self.name}_spare"
        self.born = ""
        """When its stream was made, in the server's words: one that was made later is another one."""
        self._making = asyncio.Lock()
        """One at a time makes the consumer anew: who leaves may meet the one who is just taking over."""
        self.stream = stream_of(subscription.event.type).name
        self._jetstream = jetstream
        self._ensure_streams = ensure_streams
        self._bookmarks = bookmarks
        self._recreated = recreated
        self._config: dict[str, Any] = {
            "durable_name": self.name,
            "filter_subject": filter_of(subscription.event.type, partition),
            "ack_policy": "explicit",
            "ack_wait": int(ack_wait * NANOSECONDS),
            # The tries are counted by us: the server would skip the event for ever after its own last one.
            "max_deliver": -1,
            "max_ack_pending": max_pending,
            "replay_policy": "instant",
        }

    def drift(self, found: dict[str, Any]) -> list[str]:
        """Where the consumer that was `found` on the server has another configuration, as words."""
        return [
            f"{key} {found.get(key)!r} instead of {value!r}"
            for key, value in self._config.items()
            if found.get(key) != value
        ]

    async def find_or_create(self) -> int:
        """The stream sequence up to which all is handled; the consumer of a new handler begins with the next event.

        Raises HandlerMisdeclared where the name belongs to a handler of another event, Unavailable.
        """
        self.born = _born(await self._jetstream.stream(self.stream))
        found = await self._jetstream.consumer(self.stream, self.name)
        if found is None:
            found = await self._begin()
        elif (other := found["config"].get("filter_subject")) != self._config["filter_subject"]:
            raise HandlerMisdeclared(
                f"The consumer {self.name} on the server reads {other} and this handler wants "
                f"{self._config['filter_subject']}: give the handler a name of its own, or delete the consumer."
            )
        elif stale := {key: value for key, value in self._config.items() if found["config"].get(key) != value}:
            found = await self._jetstream.create_consumer(self.stream, {**found["config"], **stale}, action="update")
        return int(found["ack_floor"]["stream_seq"])

    async def _begin(self) -> dict[str, Any]:
        """Make the consumer where there is none: where one died in take_over(), or was at work, or at the end."""
        spare = await self._jetstream.consumer(self.stream, self._spare)
        if spare is not None:
            inherited = {**self._config, "metadata": _inheriting(spare)}
            found = await self._create(_beginning_after(spare["ack_floor"]["stream_seq"], inherited))
            await self._jetstream.delete_consumer(self.stream, self._spare)
            return found
        place = await self._bookmarks.find(self.name)
        if place is not None:
            after = place.floor if place.born == self.born else 0
            found = await self._create(_beginning_after(after, self._config))
            await self._recreated(after)
            return found
        found = await self._create({**self._config, "deliver_policy": "new"})
        await self._bookmarks.keep(self.name, Place(self.born, found["ack_floor"]["stream_seq"]))
        return found

    async def _create(self, config: dict[str, Any]) -> dict[str, Any]:
        """The consumer, by whichever of several processes it was made in this moment. Raises Unavailable."""
        try:
            return await self._jetstream.create_consumer(self.stream, config)
        except Refused:
            if (found := await self._jetstream.consumer(self.stream, self.name)) is None:
                raise
            return found

    async def take_over(self) -> int:
        """Have back what a process that died had in hand, before anything that came later. Raises Unavailable.

        The stream sequence of the last that was in anybody's hands who died; 0 where nothing was.

        Without this the server would wait until their acknowledgements are overdue, and hand out later events of the
        same keys in between. What was acknowledged out of order comes again as well. The consumer is made anew, since
        a reset leaves the requests of a process that hangs, or whose machine is gone, and the server would go on to
        answer these.
        """
        async with self._making:
            found = await self._jetstream.consumer(self.stream, self.name)
            if found is None:
                return 0
            inheriting = _inheriting(found)
            if found["num_ack_pending"] or found["num_waiting"]:
                await self._make_anew(found, {"metadata": inheriting})
            else:
                await self._jetstream.delete_consumer(self.stream, self._spare)  # who made it died without use for it
            return int(inheriting[_INHERITED])

    async def catch_up(self, held: Callable[[int], int]) -> bool:
        """Whether the server has it; and have back, before anything that came later, what was lost on its way to us.

        The server thinks that we have it, and would wait until the acknowledgement is overdue. Nor must it answer what
        we asked for on another connection. `held` says how many we have up to a stream sequence. Only for a consumer
        that is ours alone. Raises Unavailable.
        """
        async with self._making:
            found = await self._jetstream.consumer(self.stream, self.name)
            if found is not None and (
                found["num_waiting"] or found["num_ack_pending"] > held(found["delivered"]["stream_seq"])
            ):
                await self._make_anew(found)
            elif found is not None:
                await self._jetstream.delete_consumer(self.stream, self._spare)  # perhaps we were cut off before that
            return found is not None

    async def give_back(self) -> None:
        """Let whoever works here next begin with what we leave unfinished, before anything later. Raises Unavailable.

        Given back one by one (-NAK), events would come out of order: what the server sends while our inbox is being
        closed finds nobody, and the server puts it behind everything else that it has to hand out again.
        """
        async with self._making:
            found = await self._jetstream.consumer(self.stream, self.name)
            if found is not None and found["num_ack_pending"]:
                await self._make_anew(found)

    async def _make_anew(self, found: dict[str, Any], changes: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Make the consumer that was `found` again, to hand out whatever it has no acknowledgement of."""
        again = _beginning_after(found["ack_floor"]["stream_seq"], {**found["config"], **changes})
        # Should we die between deleting and creating, the place is kept under another name.
        spare = {**again, "durable_name": self._spare, "name": self._spare}
        # One that is there is of somebody who did die there: it is older, and for a moment there is no other.
        if await self._jetstream.consumer(self.stream, self._spare) is None:
            await self._jetstream.create_consumer(self.stream, spare)
        await self._jetstream.delete_consumer(self.stream, self.name)
        await self._jetstream.create_consumer(self.stream, again)
        await self._jetstream.delete_consumer(self.stream, self._spare)

    async def exists(self) -> bool:
        """Whether the server has it. Raises Unavailable."""
        return await self._jetstream.consumer(self.stream, self.name) is not None

    async def unsettled(self) -> int:
        """How many events the server has handed out and not heard of, those given back included. Raises Unavailable."""
        found = await self._jetstream.consumer(self.stream, self.name)
        return int(found["num_ack_pending"]) if found else 0

    async def gone(self, sequences: set[int]) -> set[int]:
        """Those of `sequences` that the stream holds no more. Raises Unavailable."""
        found = await self._jetstream.stream(self.stream, with_deleted=True)
        if found is None:
            return set()
        state = found["state"]
        return {each for each in sequences if each < state["first_seq"]} | sequences.intersection(
            state.get("deleted") or ()
        )

    async def recreate(self, after: int) -> int:
        """Make it again, to go on behind the sequence `after`; where it goes on in truth.

        A stream that was made since, or is younger than that place, is another one, and is read from its beginning.
        """
        stream = await self._jetstream.stream(self.stream)
        if stream is None:
            await self._ensure_streams()
            stream = await self._jetstream.stream(self.stream)
        if stream is None or stream["state"]["last_seq"] < after or _born(stream) != self.born:
            after = 0
        self.born = _born(stream)
        await self._jetstream.create_consumer(self.stream, _beginning_after(after, self._config))
        return after


def _born(stream: dict[str, Any] | None) -> str:
    return str(stream["created"]) if stream else ""


def _inheriting(found: dict[str, Any]) -> dict[str, str]:
    """The metadata for the next consumer: up to where events may have been in the hands of a process that died.

    It is kept there since a process may die between making a consumer anew and reading what is in it.
    """
    metadata: dict[str, str] = found["config"].get("metadata") or {}
    reached = found["delivered"]["stream_seq"] if found["num_ack_pending"] else 0
    return {**metadata, _INHERITED: str(max(int(metadata.get(_INHERITED, 0)), reached))}


def _beginning_after(sequence: int, config: dict[str, Any]) -> dict[str, Any]:
    return {**config, "deliver_policy": "by_start_sequence", "opt_start_seq": sequence + 1}
