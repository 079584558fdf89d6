"""EventIndex: which events there are, where each stands in its stream, and how they hang together."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from hayai.envelope import Envelope
    from hayai.pools import Pool

# Constants of this file, put together: nothing that came from outside is in them.
# ruff: noqa: S608
_COLUMNS = 'tenant, id, type, key, conversation, cause, stream, sequence, "time"'
# An event that was stored twice stands where it was stored last; so a stream that was restored is indexed anew.
# What room events take is counted once for each place in which they are stored.
_ADD = f"""
with given as materialized (
    select * from unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
        $9::timestamptz[], $10::text[], $11::date[], $12::bigint[]) g ({_COLUMNS}, born, day, bytes)
), added as (
    insert into hayai.event_index as e ({_COLUMNS}) select {_COLUMNS} from given order by tenant, id
    on conflict (tenant, id) do update set stream = excluded.stream, sequence = excluded.sequence
     where (e.stream, e.sequence) is distinct from (excluded.stream, excluded.sequence)
    returning tenant, id
)
insert into hayai.stored as s (stream, born, day, tenant, events, bytes)
select stream, born, day, tenant, count(*), sum(bytes) from given join added using (tenant, id)
 group by 1, 2, 3, 4 order by 1, 2, 3, 4
on conflict (stream, born, day, tenant)
   do update set events = s.events + excluded.events, bytes = s.bytes + excluded.bytes
"""
_FIND = f"select {_COLUMNS} from hayai.event_index where tenant = $1 and id = $2"
_FOLLOWING = f'select {_COLUMNS} from hayai.event_index where tenant = $1 and cause = $2 order by "time", id limit $3'
_CONVERSATION = f"""
select * from (select {_COLUMNS} from hayai.event_index where tenant = $1 and conversation = $2
                order by "time" desc, id desc limit $3) newest order by "time", id
"""
_BETWEEN = f"""
select {_COLUMNS} from hayai.event_index
 where tenant = $1 and "time" >= $2 and "time" < $3 and ("time", id) > ($2, $4)
   and ($5::text is null or regexp_replace(type, '[.]v[0-9]+$', '') = $5)
   and ($6::text is null or key = $6)
 order by "time", id limit $7
"""
# Up to the first cause, which may be one that is not in the index any more, and down again.
_STORY = f"""
with recursive causes (id, cause, hops) as (
    select id, cause, 0 from hayai.event_index where tenant = $1 and id = $2
    union select e.id, e.cause, hops + 1 from causes c
            join hayai.event_index e on e.tenant = $1 and e.id = c.cause where hops < $4
), story (id, hops) as (
    (select id, 0 from causes order by hops desc limit 1)
    union select e.id, hops + 1 from story s
            join hayai.event_index e on e.tenant = $1 and e.cause = s.id where hops < $4
)
select {_COLUMNS} from hayai.event_index where tenant = $1 and id in (select id from story) order by "time", id limit $3
"""
_HOPS = 200


@dataclass(frozen=True)
class Entry:
    """One event: whose it is, its wire type, its ordering key, and its place in a stream."""

    tenant: str
    id: str
    type: str
    key: str
    conversation: str | None
    cause: str | None
    stream: str
    sequence: int
    time: datetime


class Room(NamedTuple):
    """What an event takes in its stream: when that was made (the server's words), the day (UTC), and the bytes."""

    born: str
    day: date
    bytes: int


def entry(envelope: Envelope, *, stream: str, sequence: int) -> Entry:
    """The entry of an event that was stored there."""
    return Entry(
        envelope.tenant,
        envelope.id,
        envelope.type,
        envelope.subject,
        envelope.conversation,
        envelope.cause,
        stream,
        sequence,
        envelope.time,
    )


class EventIndex:
    """Written through `pool`, one of the role "ledger"; read through `application`'s, within one tenant.

    Every lookup raises Unavailable, and KeyNotOpaque for a tenant that is no token.
    """

    def __init__(self, pool: Pool, application: Pool) -> None:
        self._pool = pool
        self._application = application

    async def add(self, entries: Sequence[tuple[Entry, Room]]) -> None:
        """Index them, in one statement; one that is there already may be added again. Raises Unavailable."""
        last = {(each.tenant, each.id): (*astuple(each), *room) for each, room in entries}
        if last:
            columns = zip(*last.values(), strict=True)
            await self._pool.fetch(_ADD, *(list(column) for column in columns))

    async def find(self, tenant: str, id: str) -> Entry | None:  # noqa: A002 - CloudEvents' word
        """The event of that id."""
        found = await self._read(tenant, _FIND, id)
        return found[0] if found else None

    async def following(self, tenant: str, cause: str, *, most: int = 100) -> list[Entry]:
        """What followed directly from the event of that id, the oldest first."""
        return await self._read(tenant, _FOLLOWING, cause, most)

    async def story(self, tenant: str, id: str, *, most: int = 1000) -> list[Entry]:  # noqa: A002 - CloudEvents' word
        """The event, what it followed from, and everything else that followed from that, the oldest first."""
        return await self._read(tenant, _STORY, id, most, _HOPS)

    async def conversation(self, tenant: str, conversation: str, *, most: int = 100) -> list[Entry]:
        """The newest events of a conversation, the oldest of them first."""
        return await self._read(tenant, _CONVERSATION, conversation, most)

    async def between(
        self,
        tenant: str,
        since: datetime,
        until: datetime,
        *,
        after: str = "",
        name: str | None = None,
        key: str | None = None,
        most: int = 100,
    ) -> list[Entry]:
        """What happened from `since` to before `until` (aware), the oldest first.

        `name` is an event's, `noun.verbed`, of any version; `key` its ordering key. The next page begins at the last
        entry's time, and `after` its id.
        """
        return await self._read(tenant, _BETWEEN, since, until, after, name, key, most)

    async def _read(self, tenant: str, query: str, *values: object) -> list[Entry]:
        async with self._application.transaction(tenant) as connection:
            return [Entry(*row) for row in await connection.fetch(query, tenant, *values)]
