"""A process that works on a ledger until it is killed: `python ledger_process.py WHAT ADDRESSES`; it says what it does.

relay    publishes the outbox: a line for each event, its subject and id
leases   holds a share of eight leases: a line for each that comes or goes
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from hayai.ledger.relay import Relay
from hayai.pools import Pool
from hayai.testing.ledger import Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.ledger.outcome import Outgoing


async def send(several: Sequence[Outgoing]) -> None:
    """The bus: what is printed is stored."""
    await asyncio.sleep(0.1)
    os.write(1, "".join(f"{each.subject} {each.id}\n" for each in several).encode())


async def relay(pool: Pool) -> None:
    """Publish."""
    await Relay(pool, send).start()


async def main(what: str, addresses: str) -> None:
    """Work for ever."""
    pool = Pool(Told(addresses), role="ledger")
    await pool.start()
    await {"relay": relay}[what](pool)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
