"""Hayai: a private AI-automation platform, built around an event bus.

The rooms, from the ground up; each imports only those above it in this list:

    errors, clock, sentences    what goes wrong and what the bus does about it; what time it is; wording
    tokens, event, envelope     opaque ids; a fact that happened; the CloudEvent that carries it
    vocabulary/                 the words that every plugin shares
    schedule, availability/     what a business offers and when; which starts are free
    ports/                      what a tier must provide, one small abstract class a file
    booking/, ics               the rules that every calendar keeps; appointments as iCalendar
    business                    a business file: who it is, when it is open, what it offers
    settings, placeholders      a tier file and the environment, read once
    plugins, tier               entry points, checked; one adapter for each port
    pools, migrations           our own Postgres connections, and the tables that they find
    handlers                    an event in, the events that follow out
    contracts/, fronts          who publishes and reads which version; other ways to write an agent
    simulators                  the far end of a channel, played on this machine
    bus/                        publish and subscribe: the twin in memory, the engine on JetStream
    channel                     a network that customers write through
    web/, local/, new/          the HTTP door; the services of a laptop; skeletons of new plugins
    doctor, runtime/, cli/      what is wrong; builds everything and runs it; the `hayai` command

`hayai.testing` stands beside the house: contracts, twins and fixtures that make a plugin drop-in.
"""

from typing import TYPE_CHECKING, Any

from hayai.bus.base import Bus as Bus
from hayai.bus.memory import MemoryBus as MemoryBus
from hayai.channel import Channel as Channel
from hayai.envelope import Envelope as Envelope
from hayai.errors import HayaiError as HayaiError
from hayai.errors import PermanentError as PermanentError
from hayai.errors import TransientError as TransientError
from hayai.event import Event as Event
from hayai.event import Personal as Personal
from hayai.handlers import Context as Context
from hayai.handlers import Handlers as Handlers
from hayai.handlers import Keyed as Keyed
from hayai.handlers import Policy as Policy
from hayai.tier import Tier as Tier

if TYPE_CHECKING:
    from hayai.bus.outside import connect as connect


def __getattr__(name: str) -> Any:
    """`connect`, loaded when it is asked for: it brings the NATS client with it."""
    if name == "connect":
        from hayai.bus.outside import connect

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
