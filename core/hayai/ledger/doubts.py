"""Doubts: the outward acts of which nobody can say whether they were done, until a person says so."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from hayai.ledger.asking import asked
from hayai.tokens import derived

if TYPE_CHECKING:
    from datetime import datetime

    from hayai.pools import Pool

# Constants of this file, put together: nothing that came from outside is in them.
# ruff: noqa: S608
_COLUMNS = "tenant, event, handler, kind, meaning, claimed_at"
_ALL = f"select {_COLUMNS} from hayai.effect where state = 'unknown' order by claimed_at limit $1"
_ONE = "where (tenant, event, handler, kind, meaning, claimed_at) = ($1, $2, $3, $4, $5, $6) and state = 'unknown'"
_DONE = f"update hayai.effect set state = 'done', result = $7::json, done_at = now() {_ONE} returning true"
_UNDONE = f"delete from hayai.effect {_ONE} returning true"


@dataclass(frozen=True)
class Doubt:
    """One such act, last claimed at that time."""

    tenant: str
    event: str
    handler: str
    kind: str
    meaning: str
    claimed_at: datetime

    @property
    def reference(self) -> str:
        """A short name for it, the same until it is claimed again."""
        return derived("doubt", *(str(each) for each in astuple(self)))[:12]


class Doubts:
    """What a person decides; `pool` is one of the role "ledger"."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def waiting(self, most: int = 100) -> list[Doubt]:
        """The oldest first. Raises DatabaseUnfit, Unavailable."""
        return [Doubt(*row) for row in await asked(self._pool, _ALL, most)]

    async def was_done(self, doubt: Doubt, result: Any = None) -> bool:
        """Record it, with the JSON value that the act would have returned; False where the doubt is over already."""
        return bool(await self._pool.fetch(_DONE, *astuple(doubt), json.dumps(result)))

    async def was_not_done(self, doubt: Doubt) -> bool:
        """Forget it, so that it is done when the event is handled again; False where the doubt is over already."""
        return bool(await self._pool.fetch(_UNDONE, *astuple(doubt)))
