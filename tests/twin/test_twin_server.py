"""The twin's model of a server does what a real nats-server does: random scripts give the same history on both.

Each run draws other scripts. It prints its seed: `HAYAI_TWIN_SEED=123 make test TEST=tests/twin` repeats it, and
HAYAI_TWIN_STEPS says how many steps are to be compared. A script is compared up to the first step that the server did
too near to something of its own, since nobody could tell which was first: a busy machine needs more scripts.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from nats.aio.client import Client

from hayai.bus.twin.consumer import TwinConsumer
from hayai.bus.twin.recent import RecentIds
from hayai.bus.twin.requests import Requests
from hayai.bus.twin.store import Store
from hayai.bus.twin.stream import TwinStream
from hayai.bus.twin.timetable import Timetable
from hayai.bus.twin.unsettled import Unsettled
from hayai.testing.servers import NatsServer
from tests.twin.coverage import MUST_OCCUR, covered
from tests.twin.examples import EXAMPLES
from tests.twin.model import Model
from tests.twin.real import Real
from tests.twin.script import scripts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.twin.history import History
    from tests.twin.script import Script

AT_ONCE = 60
"""Scripts that run beside each other on the one server, each on a stream of its own; examples among them."""
STEPS = int(os.environ.get("HAYAI_TWIN_STEPS", "2500"))
MOST_WAVES = 7
_COMPARED = "steps compared"
_MEMORY = Path("/dev/shm")
"""Where a server that syncs every write does not wait for a disk."""
SEED = int(os.environ.get("HAYAI_TWIN_SEED", random.SystemRandom().randrange(2**32)))


@dataclass(frozen=True)
class Recorded:
    """What a script came to on the real server, where its subjects had that prefix."""

    script: Script
    prefix: str
    history: History

    def on_the_twin(self) -> History:
        """What the twin makes of it, as far as that is decided."""
        return Model(self.script, self.prefix, self.history).run()

    def told(self, twin: History) -> str:
        """Both histories side by side, up to where they part; empty where they do not."""
        until = self.history.first_difference(twin)
        if until is None:
            return ""
        lines = [str(self.script.stream), *map(str, self.script.consumers)]
        for step, moment in zip(self.script.all_steps[: until + 1], self.history, strict=False):
            lines.append(f"{moment.began - self.history[0].began:6.2f} s  {step}: {moment.outcome()}")
        return "\n".join([*lines, f"but on the twin: {twin[until].outcome()}"])


def drawn(wave: int) -> list[Script]:
    """The examples, and as many random scripts as there is room for beside them."""
    made: list[Script] = list(EXAMPLES)

    @seed(SEED + wave)
    @settings(max_examples=AT_ONCE, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(scripts())
    def collect(script: Script) -> None:
        made.append(script)

    collect()
    return made[:AT_ONCE]


async def on_the_server(url: str, several: list[Script]) -> list[Recorded]:
    """Run them, all at once; they begin one after another, so that their steps do not fall together."""
    client = Client()
    await client.connect(url)
    running = [Real(client, url, script) for script in several]
    await asyncio.gather(*(each.prepare() for each in running))
    histories = await asyncio.gather(*(each.run(place / AT_ONCE) for place, each in enumerate(running)))
    await asyncio.gather(*(each.clear() for each in running))
    await client.close()
    return [Recorded(*each) for each in zip(several, (one.prefix for one in running), histories, strict=True)]


def missing(found: Counter[str]) -> list[str]:
    """What has not occurred yet."""
    return [kind for kind in MUST_OCCUR if not found[kind]]


@pytest.fixture(scope="module")
def recorded() -> list[Recorded]:
    """What the real server made of the scripts: so many that all occurred that must."""
    print(f"HAYAI_TWIN_SEED={SEED}")
    recorded: list[Recorded] = []
    found: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as store,
        NatsServer(store=Path(store)) as server,
    ):
        for wave in range(MOST_WAVES):
            several = asyncio.run(on_the_server(server.url, drawn(wave)))
            recorded += several
            for each in several:
                twin = each.on_the_twin()
                found += covered(each.script, twin)
                found[_COMPARED] += len(twin)
            if found[_COMPARED] >= STEPS and not missing(found):
                break
    return recorded


def test_random_scripts_give_the_same_history_on_the_twin_and_on_a_real_server(recorded: list[Recorded]) -> None:
    """Answers to publishers, deliveries in their order with request, sequence and count, what is left at the end."""
    found: Counter[str] = Counter()
    for each in recorded:
        twin = each.on_the_twin()
        assert not (told := each.told(twin)), f"HAYAI_TWIN_SEED={SEED}\n{told}"
        found += covered(each.script, twin)
        found[_COMPARED] += len(twin)
    print(f"{len(recorded)} scripts of {sum(len(each.history) for each in recorded)} steps; what happened:")
    print("\n".join(f"{count:6} {kind}" for kind, count in sorted(found.items())))
    assert missing(found) == []


def _never(*_: object) -> None:
    return None


_ADD, _ASK = Timetable.add, Requests.add
FAULTS: dict[str, tuple[type, str, Callable[..., Any]]] = {
    "an id is never forgotten": (RecentIds, "_forget", _never),
    "a full stream takes more": (TwinStream, "_check_room", _never),
    "an expectation is not looked at": (TwinStream, "_check_expected", _never),
    "a late nak is heeded at once": (Unsettled, "later", lambda self, sequence, _delay, _now: self.again(sequence)),
    "word of work is not heeded": (Unsettled, "at_work", _never),
    "what is overdue is not looked for": (Unsettled, "due", _never),
    "a pause is not heeded": (TwinConsumer, "pause", _never),
    "a purge leaves the consumer as it is": (TwinConsumer, "purged", _never),
    "a removal leaves the consumer as it is": (TwinConsumer, "removed", _never),
    "requests do not take turns": (Requests, "_requeue", lambda self, request: self._waiting.appendleft(request)),
    "a request never ends": (Requests, "add", lambda self, request: _ASK(self, replace(request, expires=inf))),
    "a schedule does not wait for its time": (Timetable, "add", lambda self, it, _at, now: _ADD(self, it, now, now)),
    "what is removed is still counted": (Store, "remove", lambda self, sequence: bool(self.messages.pop(sequence, 0))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_twin_is_found(recorded: list[Recorded], monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """The scripts are worth something: each of these would part the histories."""
    where, name, broken = FAULTS[fault]
    monkeypatch.setattr(where, name, broken)
    assert any(each.told(each.on_the_twin()) for each in recorded)
