"""The memory bus makes of handlers what the bus on a real server does: random deeds on random keys end alike."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hayai.bus.memory import MemoryBus
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import SlotTaken, TransientError
from hayai.handlers import Policy
from hayai.testing.bus_words import BellRung, DoorOpened, Ears
from hayai.testing.servers import NatsServer
from hayai.vocabulary.operations import DeadLettered

if TYPE_CHECKING:
    from hayai.bus.base import Bus
    from hayai.handlers import Context, Returned

COUNT = 60
SEED = int(os.environ.get("HAYAI_TWIN_SEED", random.SystemRandom().randrange(2**32)))
POLICY = Policy(attempts=4, defects=2, first_delay=0.01, longest_delay=0.03, timeout=0.2, concurrency=256)
PATIENCE = 60.0


@dataclass(frozen=True)
class Deed:
    """What a handler makes of one event of that key: it fails as `tries` say, try after try, then it succeeds."""

    key: str
    tries: tuple[str, ...]
    follows: bool
    repeats: bool
    """It is published under the id of the event before it."""


Lane = tuple[str, str]
"""Tenant and key."""


@dataclass
class Outcome:
    """What came of many deeds."""

    tries: dict[Lane, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """The number of the event and of the attempt, in the order of the tries."""
    followed: dict[Lane, list[int]] = field(default_factory=lambda: defaultdict(list))
    """The number of each event from which another one followed, in the order in which these were handled."""
    letters: Counter[tuple[str, str, int]] = field(default_factory=Counter[tuple[str, str, int]])
    """Tenant, error and attempts of what was given up."""


_failures = st.lists(st.sampled_from(["transient", "transient", "permanent", "defect", "slow"]), max_size=4)
_deeds = st.builds(
    Deed,
    st.sampled_from(["a", "b", "c"]),
    _failures.map(tuple),
    follows=st.booleans(),
    repeats=st.sampled_from([False, False, False, True]),
)


def drawn() -> dict[str, list[Deed]]:
    """What each of many tenants publishes, in its order."""
    made: dict[str, list[Deed]] = {}

    @seed(SEED)
    @settings(max_examples=COUNT, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(_deeds, min_size=5, max_size=12))
    def collect(deeds: list[Deed]) -> None:
        made[f"tenant-{len(made)}"] = deeds

    collect()
    return made


async def fail(how: str) -> None:
    """One try of a deed."""
    match how:
        case "transient":
            raise TransientError("not now")
        case "permanent":
            raise SlotTaken("Somebody was faster.")
        case "defect":
            raise ValueError(how)
        case "slow":
            await asyncio.sleep(PATIENCE)


async def outcome(bus: Bus, deeds: dict[str, list[Deed]]) -> Outcome:
    """Publish everything, every tenant in its order and all at once, and wait for all that comes of it."""
    found, ended, followed = Outcome(), asyncio.Semaphore(0), asyncio.Semaphore(0)
    following: list[int] = []

    async def act(event: BellRung, context: Context) -> Returned:
        found.tries[context.tenant, context.envelope.subject].append((event.number, context.attempt))
        deed = deeds[context.tenant][event.number]
        if context.attempt <= len(deed.tries):
            await fail(deed.tries[context.attempt - 1])
        ended.release()
        if not deed.follows:
            return None
        following.append(event.number)
        return DoorOpened(number=event.number)

    async def note(event: DoorOpened, context: Context) -> None:
        found.followed[context.tenant, context.envelope.subject].append(event.number)
        followed.release()

    async def bury(letter: DeadLettered, context: Context) -> None:
        found.letters[context.tenant, letter.error, letter.attempts] += 1
        ended.release()

    await Ears(act).listen(bus, policy=POLICY)
    await Ears(note).listen(bus, DoorOpened)
    await Ears(bury).listen(bus, DeadLettered)
    stored = await asyncio.gather(*(publish(bus, tenant, several) for tenant, several in deeds.items()))
    async with asyncio.timeout(PATIENCE):
        for _ in range(sum(stored)):
            await ended.acquire()
        for _ in following:
            await followed.acquire()
    return found


async def publish(bus: Bus, tenant: str, deeds: list[Deed]) -> int:
    """Publish an event for each deed of one tenant; how many of them have an id of their own."""
    ids: list[str] = []
    for number, deed in enumerate(deeds):
        again = ids[-1] if deed.repeats and ids else None
        sent = await bus.publish(BellRung(number=number), tenant=tenant, key=deed.key, id=again)
        ids.append(sent.id)
    return len(set(ids))


async def test_handlers_meet_the_same_on_the_memory_bus_and_on_a_real_server() -> None:
    """Every key's tries in their order, with their attempts; what followed; the dead letters."""
    deeds = drawn()
    memory = MemoryBus()
    twin = await outcome(memory, deeds)
    await memory.stop()
    with NatsServer() as server:
        nats = NatsBus(NatsSettings(url=server.url, partitions=2))
        await nats.start()
        real = await outcome(nats, deeds)
        await nats.stop()
    kinds = Counter(error for _, error, _ in real.letters.elements())
    tries = sum(len(each) for each in real.tries.values())
    print(f"HAYAI_TWIN_SEED={SEED}: {len(deeds)} tenants, {tries} tries, dead letters {dict(kinds)}")
    assert twin == real, f"HAYAI_TWIN_SEED={SEED}"
    assert set(kinds) == {"TransientError", "SlotTaken", "ValueError", "HandlerTooSlow"}
    assert any(attempt > 1 for each in real.tries.values() for _, attempt in each)
    assert any(real.followed.values())
