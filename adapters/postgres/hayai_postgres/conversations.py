"""PostgresConversations: transcripts and memories in Postgres, kept apart by tenant in the database itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hayai.ports.conversations import Conversations, Line, Memory

if TYPE_CHECKING:
    import asyncpg

    from hayai.pools import Pool
    from hayai.ports.base import Settings

# The update changes nothing and locks the row: appends to one conversation go one after the other, so that each sees
# the last one's position, and no number is left out by one that fails.
_LOCK = """
insert into hayai.conversation (tenant, id) values ($1, $2)
on conflict (tenant, id) do update set id = excluded.id
"""
_APPEND = """
insert into hayai.line (tenant, conversation, position, id, speaker, body, said_at, choices)
select $1, $2, coalesce(max(position), 0) + 1, $3, $4, $5, $6, $7
  from hayai.line where tenant = $1 and conversation = $2
on conflict (tenant, conversation, id) do nothing
returning position
"""
_LINE = "select * from hayai.line where tenant = $1 and conversation = $2 and id = $3"
_LINES = """
select * from hayai.line where tenant = $1 and conversation = $2 and position > $3 order by position limit $4
"""
_RECALL = "select state, handled, outcome from hayai.memory where tenant = $1 and conversation = $2 and agent = $3"
_REMEMBER = """
insert into hayai.memory (tenant, conversation, agent, state, handled, outcome)
values ($1, $2, $3, $4::jsonb, $5, $6::jsonb)
on conflict (tenant, conversation, agent) do update
   set state = excluded.state, handled = excluded.handled, outcome = excluded.outcome, kept_at = now()
"""


class PostgresConversations(Conversations):
    """Tables hayai.conversation, hayai.line and hayai.memory; every call joins the transaction open in the task."""

    def __init__(self, settings: Settings, *, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool

    async def append(self, tenant: str, conversation: str, line: Line) -> Line:
        """The line with its position; where one with that id is there already, that one. Raises Unavailable."""
        said = replace(line, text=storable(line.text), choices=tuple(map(storable, line.choices)))
        async with self._pool.transaction(tenant) as connection:
            await connection.execute(_LOCK, tenant, conversation)
            position = await connection.fetchval(
                _APPEND, tenant, conversation, said.id, said.speaker, said.text, said.at, list(said.choices)
            )
            if position is None:
                return _line(await connection.fetchrow(_LINE, tenant, conversation, said.id))
        return replace(said, position=position)

    async def lines(self, tenant: str, conversation: str, *, after: int = 0, limit: int = 200) -> list[Line]:
        """The lines behind position `after`, in order, at most `limit`. Raises Unavailable."""
        async with self._pool.transaction(tenant) as connection:
            return [_line(row) for row in await connection.fetch(_LINES, tenant, conversation, after, limit)]

    async def recall(self, tenant: str, conversation: str, agent: str) -> Memory | None:
        """What that agent keeps, or None. Raises Unavailable."""
        async with self._pool.transaction(tenant) as connection:
            row = await connection.fetchrow(_RECALL, tenant, conversation, agent)
        if row is None:
            return None
        return Memory(json.loads(row["state"]), row["handled"], json.loads(row["outcome"]))

    async def remember(self, tenant: str, conversation: str, agent: str, memory: Memory) -> None:
        """Keep `memory` in place of what was there. Raises Unavailable."""
        state, outcome = json.dumps(storable(memory.state)), json.dumps(storable(memory.outcome))
        async with self._pool.transaction(tenant) as connection:
            await connection.execute(_REMEMBER, tenant, conversation, agent, state, memory.handled, outcome)


def storable(value: Any) -> Any:
    """The same, with U+FFFD for what Postgres cannot hold in a text: NUL, and half of a surrogate pair.

    A customer's keyboard makes neither, but a script does, and a line of it must not fail for ever.
    """
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {storable(key): storable(each) for key, each in value.items()}
        case list() | tuple():
            return [storable(each) for each in value]
        case _:
            return value


def _line(row: asyncpg.Record | None) -> Line:
    assert row is not None
    return Line(
        id=row["id"],
        speaker=row["speaker"],
        text=row["body"],
        at=row["said_at"],
        choices=tuple(row["choices"]),
        position=row["position"],
    )
