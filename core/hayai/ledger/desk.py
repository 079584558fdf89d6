"""Desk: the statements by which outward acts are claimed, settled and taken over, and what this process has in hand.

What became of an act is known to this process before it is known to the database; should that be away just then, the
desk remembers, and tells it the next time the act is asked for.
"""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.errors import Unavailable
from hayai.tokens import fresh

if TYPE_CHECKING:
    import asyncpg

    from hayai.ledger.outcome import Fence
    from hayai.pools import Pool

Key = tuple[str, str, str, str, str]
"""Tenant, event, handler, kind and meaning."""

_PATIENCE = "5 minutes"
"""After this time a claim under no lease is nobody's: no handler works for so long."""
_SETTLE_SECONDS = 10.0
_PAUSE = 0.2

# Constants of this file, put together: nothing that came from outside is in them.
# ruff: noqa: S608
_OF = "where (tenant, event, handler, kind, meaning) = ($1, $2, $3, $4, $5)"
# A statement does not see its own insert: what comes back of `e` was there before. It may be somebody's that was not
# committed when the statement began; then nothing comes back, and it is asked again.
_CLAIM = f"""
with fence as materialized (
    select $6::text is null or hayai.fence_holds($6, $7) as holds
), claimed as (
    insert into hayai.effect (tenant, event, handler, kind, meaning, state, lease, epoch, claim)
    select $1, $2, $3, $4, $5, 'claimed', $6, $7, $8 from fence where holds
    on conflict do nothing returning true
)
select holds, exists (select from claimed) as mine, e.state, e.result, e.claim,
       case when (e.lease, e.epoch) = ($6, $7) then true
            when e.lease is not null and not hayai.fence_holds(e.lease, e.epoch) then true
            else e.claimed_at < now() - interval '{_PATIENCE}' end as left_behind
  from fence left join (select * from hayai.effect {_OF}) e on true
"""
_AGAIN = f"""
update hayai.effect
   set state = 'claimed', attempts = attempts + 1, lease = $6, epoch = $7, claim = $8, claimed_at = now()
 {_OF} and claim = $9 and state <> 'done' returning true
"""
_DONE = f"update hayai.effect set state = 'done', result = $6::json, done_at = now() {_OF} and state <> 'done'"
_UNKNOWN = f"update hayai.effect set state = 'unknown' {_OF} and claim = $6 and state = 'claimed'"
_UNDONE = f"delete from hayai.effect {_OF} and claim = $6 and state <> 'done'"


@dataclass(frozen=True)
class Claim:
    """What was found when an act was claimed; `mine` where it is ours to do."""

    holds: bool
    mine: bool
    token: str
    state: str | None = None
    result: str | None = None
    left_behind: bool = False
    """Whoever claimed it will not come back to say what became of it."""


class Desk:
    """The acts of one process; `pool` is one of the role "ledger"."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._in_hand: set[Key] = set()
        self._unsettled: dict[Key, tuple[str, str | None]] = {}

    def take(self, key: Key) -> None:
        """Have it in hand until put_back(). Raises Unavailable where this process has it already."""
        if key in self._in_hand:
            raise Unavailable("This very act is being done by this process just now: try again in a moment.")
        self._in_hand.add(key)

    def put_back(self, key: Key) -> None:
        """Have it in hand no more."""
        self._in_hand.discard(key)

    async def claim(self, key: Key, fence: Fence | None) -> Claim:
        """Ours to do, or what is known of it. Raises Unavailable."""
        await self._settle_what_is_left(key)
        token = fresh()
        for _ in range(3):
            row = await self._asked(key, fence, token)
            if row["mine"] or not row["holds"] or row["state"] is not None:
                claim = row["claim"] or token
                return Claim(row["holds"], row["mine"], claim, row["state"], row["result"], bool(row["left_behind"]))
        raise Unavailable("Others claim and give up this very act just now: try again in a moment.")

    async def again(self, key: Key, fence: Fence | None, found: Claim) -> str:
        """Take over what was found; the token of our own claim. Raises Unavailable where somebody was faster."""
        token = fresh()
        if not await self._pool.fetch(_AGAIN, *key, *_columns(fence), token, found.token):
            raise Unavailable("Another process is at this very act just now: try again in a moment.")
        return token

    async def done(self, key: Key, result: str) -> None:
        """It was done, and this JSON came of it. Raises Unavailable, and remembers."""
        self._unsettled[key] = (_DONE, result)
        deadline = asyncio.get_running_loop().time() + _SETTLE_SECONDS
        while key in self._unsettled:
            try:
                await self._settle_what_is_left(key)
            except Unavailable:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_PAUSE)

    async def undone(self, key: Key, token: str) -> None:
        """It was not done. Remembers where the database is away."""
        await self._tell(key, _UNDONE, token)

    async def unknown(self, key: Key, token: str) -> None:
        """Nobody can say whether it was done. Remembers where the database is away."""
        await self._tell(key, _UNKNOWN, token)

    async def _tell(self, key: Key, statement: str, token: str) -> None:
        self._unsettled[key] = (statement, token)
        try:
            await self._settle_what_is_left(key)
        except Unavailable:
            return

    async def _settle_what_is_left(self, key: Key) -> None:
        if key in self._unsettled:
            statement, value = self._unsettled[key]
            await self._pool.fetch(statement, *key, value)
            self._unsettled.pop(key, None)

    async def _asked(self, key: Key, fence: Fence | None, token: str) -> asyncpg.Record:
        (row,) = await self._pool.fetch(_CLAIM, *key, *_columns(fence), token)
        return row


def _columns(fence: Fence | None) -> tuple[str | None, int | None]:
    return (fence.lease, fence.epoch) if fence else (None, None)
