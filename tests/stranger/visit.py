"""What a stranger's install runs: the tier file in argv[1], its secrets, and one message through its handlers."""

import asyncio
import sys
from pathlib import Path

from hayai.bus.memory import MemoryBus
from hayai.bus.streams import EVENTS
from hayai.envelope import decode
from hayai.handlers import Handlers
from hayai.plugins import load, load_object
from hayai.ports.secrets import Secrets
from hayai.settings import Table, read_settings, settings_for_all
from hayai.tier import Tier, build
from hayai.vocabulary.messages import MessageReceived


async def visit(table: Table, agent: str) -> None:
    """Print a secret that the tier's adapter holds, then every event that follows a message."""
    adapter = load("hayai.secrets", table.adapter, Secrets)
    secrets = build(adapter, settings_for_all([(adapter, table)])[0], {})
    await secrets.start()
    print((await secrets.read("greeting")).get_secret_value())
    bus = MemoryBus()
    for subscription in load_object("hayai.agents", agent, Handlers):
        await bus.subscribe(subscription, Tier({"secrets": secrets}))
    await bus.publish(MessageReceived(channel="web", person="ada", text="Hello"), tenant="smile-dental")
    await bus.settle()
    for stored in bus.log.streams[EVENTS.name]:
        print(decode(stored.body).type)
    await bus.stop()
    await secrets.stop()


if __name__ == "__main__":
    install = read_settings(Path(sys.argv[1]), {})
    asyncio.run(visit(install.port("secrets"), install.agents[0]))
