"""LedgerEffects: each outward act is claimed before it is done and recorded after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hayai.errors import EffectUnknown, Fenced, HayaiError, OutcomeUnclear, Unavailable
from hayai.telemetry.trace import acting

if TYPE_CHECKING:
    from hayai.effects import Act, EffectKind, Reconcile
    from hayai.ledger.desk import Claim, Desk, Key
    from hayai.ledger.outcome import Fence


class LedgerEffects:
    """The acts of one handler for one event, given as (tenant, event, handler)."""

    def __init__(self, desk: Desk, whose: tuple[str, str, str], fence: Fence | None) -> None:
        self._desk = desk
        self._whose = whose
        self._fence = fence

    async def once(self, kind: EffectKind, meaning: str, act: Act, reconcile: Reconcile | None = None) -> Any:
        """See hayai.effects.Effects.once."""
        key: Key = (*self._whose, kind.name, meaning)
        self._desk.take(key)
        try:
            found = await self._desk.claim(key, self._fence)
            if not found.holds:
                raise Fenced("Another process works in this partition by now: this one does nothing outside for it.")
            if found.state == "done":
                return json.loads(found.result or "null")
            if found.mine:
                return await self._do(key, act, found.token)
            if found.state == "claimed" and not found.left_behind:
                raise Unavailable("Another process is at this very act just now: try again in a moment.")
            return await self._after_unknown(kind, key, found, act, reconcile)
        finally:
            self._desk.put_back(key)

    async def _do(self, key: Key, act: Act, claim: str) -> Any:
        try:
            with acting(key[3]):
                result = await act()
        except (EffectUnknown, OutcomeUnclear):
            await self._desk.unknown(key, claim)
            raise
        except HayaiError:  # the act says that nothing was done
            await self._desk.undone(key, claim)
            raise
        except BaseException:
            await self._desk.unknown(key, claim)
            raise
        return await self._record(key, result)

    async def _record(self, key: Key, result: Any) -> Any:
        """What is returned is what will be returned the next time."""
        try:
            text = json.dumps(result, allow_nan=False)
        except (TypeError, ValueError):
            await self._desk.done(key, "null")
            raise TypeError(f"An act of kind {key[3]} returned no JSON value: return what JSON can say.") from None
        await self._desk.done(key, text)
        return json.loads(text)

    async def _after_unknown(
        self, kind: EffectKind, key: Key, found: Claim, act: Act, reconcile: Reconcile | None
    ) -> Any:
        """Somebody claimed it and will not come to record what became of it."""
        if kind.unknown == "reconcile" and reconcile is not None:
            if (result := await reconcile()) is not None:
                return await self._record(key, result)
        elif kind.unknown != "again":
            await self._desk.unknown(key, found.token)
            raise EffectUnknown(
                f"Whether {kind.name} was done for this event nobody can say: look at the provider's records, say "
                "with `hayai ledger doubts` what they show, and then retry the dead letter or drop it."
            )
        return await self._do(key, act, await self._desk.again(key, self._fence, found))
