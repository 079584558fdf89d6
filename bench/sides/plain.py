"""A transaction for each event, written plainly with nats-py and asyncpg, as most services do it."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import nats
from nats.aio.msg import Msg

from bench.load import TENANT, confirmed
from bench.measure import Stopwatch
from bench.sides.cloudevent import CloudEvent
from bench.sides.raw import stand

_INBOX = "insert into plain_inbox (event, handler) values ($1, $2) on conflict do nothing returning true"
_OUTBOX = "insert into plain_outbox (tenant, id, type, subject, body) values ($1, $2, $3, $4, $5)"
TABLES = """
create table if not exists plain_inbox (event text, handler text, primary key (event, handler));
create table if not exists plain_outbox (
    position bigint generated always as identity primary key,
    tenant text, id text, type text, subject text, body bytea);
"""


async def consume(*, url: str, name: str, events: int, database: dict[str, Any], connections: int) -> dict[str, float]:
    """Typed, in no order, one follow-up each, with so many transactions at once; from the first event on."""
    client, waiting = await nats.connect(url), asyncio.Queue[Msg]()
    pool = await asyncpg.create_pool(**_where(database), min_size=connections, max_size=connections)
    done, watches, committed = asyncio.Event(), list[Stopwatch](), 0

    async def work() -> None:
        nonlocal committed
        while True:
            message = await waiting.get()
            if not watches:
                watches.append(Stopwatch())
            await _commit(pool, name, CloudEvent.model_validate_json(message.data))
            await client.publish(message.reply, b"+ACK")
            committed += 1
            if committed == events:
                done.set()

    workers = [asyncio.create_task(work()) for _ in range(connections)]
    await stand(client, name, waiting.put)
    await done.wait()
    taken = watches[0].taken(events)
    for worker in workers:
        worker.cancel()
    await client.flush()
    await client.close()
    pool.terminate()
    return taken.told()


async def _commit(pool: Any, handler: str, event: CloudEvent) -> None:
    body = confirmed().model_dump_json().encode()
    subject = f"ev.{TENANT}.{event.subject}.appointment.confirmed.v1"
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(_INBOX, event.id, handler):
            await connection.execute(_OUTBOX, TENANT, event.id, "appointment.confirmed.v1", subject, body)


def _where(database: dict[str, Any]) -> dict[str, Any]:
    user, password = database["users"]["owner"]
    return {"user": user, "password": password, **{name: database[name] for name in ("host", "port", "database")}}
