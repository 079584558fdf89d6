"""A process that works on a ledger until it is killed: `python ledger_process.py WHAT ADDRESSES`; it says what it does.

relay    publishes the outbox: a line for each event, its subject and id
effect   sends a text under the first epoch of the lease `one`, and hangs before it can say so
leases   works under its share of eight leases: a line for each that comes or goes, and for each commit
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

from hayai.effects import EffectKind
from hayai.errors import Fenced, Unavailable
from hayai.ledger.leases import Changes
from hayai.ledger.ledger import Ledger
from hayai.ledger.outcome import Fence, Outcome
from hayai.ledger.relay import Relay
from hayai.pools import Pool
from hayai.testing.ledger import Told
from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.ledger.leases import Leases
    from hayai.ledger.outcome import Outgoing


async def send(several: Sequence[Outgoing]) -> None:
    """The bus: what is printed is stored."""
    await asyncio.sleep(0.1)
    os.write(1, "".join(f"{each.subject} {each.id}\n" for each in several).encode())


async def relay(pool: Pool) -> None:
    """Publish."""
    await Relay(pool, send).start()


async def effect(pool: Pool) -> None:
    """The act is done, and nobody is told."""

    async def act() -> None:
        print("sent", flush=True)
        await asyncio.Event().wait()

    effects = Ledger(pool, pool).effects("acme", "e1", "answer", fence=Fence("one", 1))
    await effects.once(EffectKind("sms", "ask"), "reply", act)


async def leases(pool: Pool) -> None:
    """Commit one outcome after the other under each lease."""
    ledger = Ledger(pool, pool)
    working: dict[str, asyncio.Task[None]] = {}

    async def work(fence: Fence) -> None:
        while True:
            try:
                await ledger.commit([Outcome("acme", fence.lease, fresh(), run=str(fence.epoch), fence=fence)])
                print(f"committed {fence.lease} {fence.epoch}", flush=True)
            except Fenced:
                print(f"fenced {fence.lease} {fence.epoch}", flush=True)
            except Unavailable:
                print("unavailable", flush=True)
            await asyncio.sleep(0.05)

    def acquired(name: str, epoch: int, orphaned: bool) -> None:
        print(f"acquired {name} {epoch} {'orphaned' if orphaned else 'given'}", flush=True)
        working[name] = asyncio.create_task(work(Fence(name, epoch)))

    async def releasing(name: str) -> bool:
        working.pop(name).cancel()
        print(f"releasing {name}", flush=True)
        return True

    def lost(name: str) -> None:
        working.pop(name).cancel()
        print(f"lost {name}", flush=True)

    held = ledger.leases([f"lease-{place}" for place in range(8)], Changes(acquired, releasing, lost))
    await held.start()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.create_task(leave(held)))


async def leave(held: Leases) -> None:
    """Give all leases back and end."""
    await held.stop(list(held.held))
    os._exit(0)


async def main(what: str, addresses: str) -> None:
    """Work for ever."""
    pool = Pool(Told(addresses), role="ledger")
    await pool.start()
    await {"relay": relay, "effect": effect, "leases": leases}[what](pool)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
