"""MemoryEffects: the twin of the ledger's effects for one process: claimed, done, unknown, in a dictionary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hayai.errors import EffectUnknown, HayaiError, OutcomeUnclear

if TYPE_CHECKING:
    from hayai.effects import Act, EffectKind, Reconcile

_UNKNOWN = object()


class MemoryEffects:
    """The acts of one handler for one event, kept in `acts`, which others may share."""

    def __init__(self, acts: dict[tuple[str, ...], Any], whose: tuple[str, str, str]) -> None:
        self._acts = acts
        self._whose = whose

    async def once(self, kind: EffectKind, meaning: str, act: Act, reconcile: Reconcile | None = None) -> Any:
        """See hayai.effects.Effects.once."""
        key = (*self._whose, kind.name, meaning)
        found = self._acts.get(key)
        if found is _UNKNOWN:
            if kind.unknown == "reconcile" and reconcile is not None:
                if (result := await reconcile()) is not None:
                    self._acts[key] = json.dumps(result)
                    return result
            elif kind.unknown != "again":
                raise EffectUnknown(f"Whether {kind.name} was done for this event nobody can say.")
        elif found is not None:
            return json.loads(found)
        return await self._do(key, act)

    async def _do(self, key: tuple[str, ...], act: Act) -> Any:
        self._acts[key] = _UNKNOWN
        try:
            result = await act()
        except (EffectUnknown, OutcomeUnclear):
            raise
        except HayaiError:  # the act says that nothing was done
            del self._acts[key]
            raise
        self._acts[key] = json.dumps(result)
        return json.loads(self._acts[key])
