"""LedgerEffects: each outward act is claimed before it is done and recorded after."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hayai.errors import EffectUnknown, Fenced, HayaiError

if TYPE_CHECKING:
    from hayai.effects import Act, EffectKind, Reconcile
    from hayai.ledger.outcome import Fence
    from hayai.pools import Pool

# What is there already is returned as it was; a new row comes back with its own state, claimed, and one attempt.
_CLAIM = """
with fence as materialized (
    select $6::text is null or hayai.fence_holds($6, $7) as holds
), claimed as (
    insert into hayai.effect (tenant, event, handler, kind, meaning, state, lease, epoch)
    select $1, $2, $3, $4, $5, 'claimed', $6, $7 from fence where holds
    on conflict do nothing returning true
)
select holds, exists (select from claimed) as mine, e.state, e.result
  from fence left join hayai.effect e
    on (e.tenant, e.event, e.handler, e.kind, e.meaning) = ($1, $2, $3, $4, $5)
"""
# Constants of this file, put together: nothing that came from outside is in them.
# ruff: noqa: S608
_KEY = "where (tenant, event, handler, kind, meaning) = ($1, $2, $3, $4, $5)"
_DONE = f"update hayai.effect set state = 'done', result = $6::jsonb, done_at = now() {_KEY}"
_UNKNOWN = f"update hayai.effect set state = 'unknown' {_KEY} and state = 'claimed'"
_AGAIN = f"update hayai.effect set state = 'claimed', attempts = attempts + 1, lease = $6, epoch = $7 {_KEY}"
_UNDONE = f"delete from hayai.effect {_KEY} and state <> 'done'"


class LedgerEffects:
    """The acts of one handler for one event, given as (tenant, event, handler)."""

    def __init__(self, pool: Pool, whose: tuple[str, str, str], fence: Fence | None) -> None:
        self._pool = pool
        self._whose = whose
        self._fence = (fence.lease, fence.epoch) if fence else (None, None)

    async def once(self, kind: EffectKind, meaning: str, act: Act, reconcile: Reconcile | None = None) -> Any:
        """See hayai.effects.Effects.once."""
        key = (*self._whose, kind.name, meaning)
        (found,) = await self._pool.fetch(_CLAIM, *key, *self._fence)
        if not found["holds"]:
            raise Fenced("Another process works in this partition by now: this one does nothing outside for it.")
        if found["state"] == "done":
            return json.loads(found["result"])
        if not found["mine"]:
            return await self._after_unknown(kind, key, act, reconcile)
        return await self._do(key, act)

    async def _do(self, key: tuple[str, ...], act: Act) -> Any:
        try:
            result = await act()
        except HayaiError:  # the act says that nothing was done
            await self._pool.fetch(_UNDONE, *key)
            raise
        except BaseException:
            await self._pool.fetch(_UNKNOWN, *key)
            raise
        return await self._record(key, result)

    async def _record(self, key: tuple[str, ...], result: Any) -> Any:
        await self._pool.fetch(_DONE, *key, json.dumps(result))
        return result

    async def _after_unknown(
        self, kind: EffectKind, key: tuple[str, ...], act: Act, reconcile: Reconcile | None
    ) -> Any:
        """Somebody claimed it and did not come to record what became of it."""
        if kind.unknown == "reconcile" and reconcile is not None:
            if (result := await reconcile()) is not None:
                return await self._record(key, result)
        elif kind.unknown != "again":
            await self._pool.fetch(_UNKNOWN, *key)
            raise EffectUnknown(
                f"Whether {kind.name} was done for this event nobody can say: look at the provider's records, and "
                "then retry the dead letter or drop it."
            )
        await self._pool.fetch(_AGAIN, *key, *self._fence)
        return await self._do(key, act)
