"""Store: the versions of events that were installed here, in Postgres; written at install, checked at start.

An event stays in its stream for as long as the stream keeps it, so what an earlier release published is read by this
one too. A version is on the list from its first install until an operator takes it off.
"""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hayai.contracts.schemas import breaks, schema
from hayai.contracts.versions import told
from hayai.errors import ContractBroken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from hayai.contracts.registry import Registry
    from hayai.pools import Pool

_READ = "select type, schema, parts, seen_at from hayai.event_contract order by type"
_KEEP = """
insert into hayai.event_contract (type, schema, parts) values ($1, $2::jsonb, $3)
on conflict (type) do update set schema = excluded.schema, parts = excluded.parts, seen_at = now()
"""
_FORGET = "delete from hayai.event_contract where type = $1 returning type"


@dataclass(frozen=True)
class Installed:
    """One version of an event as the last install that had it described it."""

    type: str
    """The wire type."""
    schema: dict[str, Any]
    parts: tuple[str, ...]
    seen_at: datetime


async def installed(pool: Pool) -> dict[str, Installed]:
    """What was installed here, by wire type. Raises Unavailable."""
    async with pool.unbound() as connection:
        rows = await connection.fetch(_READ)
    return {
        row["type"]: Installed(row["type"], json.loads(row["schema"]), tuple(row["parts"]), row["seen_at"])
        for row in rows
    }


async def install(pool: Pool, registry: Registry) -> list[str]:
    """Keep the contracts of `registry`; the wire types that are new. Raises ContractBroken, Unavailable."""
    known = await installed(pool)
    refuse([*registry.disagreements(), *conflicts(registry, known)])
    async with pool.unbound() as connection:
        for wire_type, event in registry.events().items():
            parts = registry.contracts[event.type].parts
            await connection.execute(_KEEP, wire_type, json.dumps(schema(event)), list(parts))
    return sorted(registry.events().keys() - known)


async def check(pool: Pool, registry: Registry) -> None:
    """Return when the plugins agree with each other and with what was installed. Raises ContractBroken, Unavailable."""
    known = await installed(pool)
    refuse([*registry.disagreements(), *conflicts(registry, known), *_unknown(registry, known)])


async def forget(pool: Pool, wire_type: str) -> bool:
    """Take a version off the list, now that no stream holds it any more; whether it was there. Raises Unavailable."""
    async with pool.unbound() as connection:
        return bool(await connection.fetch(_FORGET, wire_type))


def refuse(problems: list[str]) -> None:
    """Raise ContractBroken with all `problems`, if there is one."""
    if len(problems) == 1:
        raise ContractBroken(problems[0])
    if problems:
        raise ContractBroken("\n  - ".join([f"The contracts of events are broken in {len(problems)} ways:", *problems]))


def conflicts(registry: Registry, known: Mapping[str, Installed]) -> list[str]:
    """A sentence for each version that changed since it was installed, and each that a handler cannot read any more."""
    return [*_changed(registry, known), *_left_behind(registry, known)]


def _changed(registry: Registry, known: Mapping[str, Installed]) -> Iterator[str]:
    for wire_type, event in registry.events().items():
        before = known.get(wire_type)
        if before and (why := breaks(before.schema, schema(event))):
            yield (
                f"{wire_type} of {', '.join(registry.contracts[event.type].parts)} is not what it was when it was "
                f"installed ({'; '.join(why)}): raise the version of {event.__name__} to {event.version + 1} and give "
                f"it an upcast(), or go back to the release of before."
            )


def _left_behind(registry: Registry, known: Mapping[str, Installed]) -> Iterator[str]:
    for wire_type, before in known.items():
        name, _, version = wire_type.rpartition(".v")
        contract = registry.contracts.get(name)
        if contract is None or any(each.event.wire_type() == wire_type for each in contract.producers):
            continue  # what is published still, the registry judges by itself
        for consumer in contract.consumers:
            if int(version) not in consumer.reads:
                yield (
                    f"{wire_type} of {', '.join(before.parts)} may still be in the stream, and {consumer} reads "
                    f"{told(consumer.reads)} only: give {consumer.event.__name__} an upcast() from v{version}, or run "
                    f"`hayai events forget {wire_type}` when no such event is left."
                )


def _unknown(registry: Registry, known: Mapping[str, Installed]) -> Iterator[str]:
    if new := sorted(registry.events().keys() - known):
        yield f"{', '.join(new)} came with a plugin after the last install: run `hayai migrate`, then start again."
