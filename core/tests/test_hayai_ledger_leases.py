"""Leases with real processes: a fair share, a quick taking over, and nothing from those who come back from the dead."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hayai.errors import Unavailable
from hayai.ledger.leases import _RELEASE, Changes, _share
from hayai.ledger.roster import Roster
from hayai.testing.ledger import describe, ledger_database, opened

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from hayai.testing.ledger import Opened
    from hayai.testing.postgres_server import PostgresServer, ServedDatabase

PROCESS = Path(__file__).with_name("ledger_process.py")
NAMES = {f"lease-{place}" for place in range(8)}


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[ServedDatabase]:
    """The ledger's tables, empty."""
    database = ledger_database(postgres_server)
    yield database
    postgres_server.drop(database.name)


@pytest.fixture
async def it(database: ServedDatabase) -> AsyncIterator[Opened]:
    """A ledger to look into."""
    async with opened(database) as it:
        yield it


class Worker:
    """A child process that works under its share, and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[list[str]] = []
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.said.append(line.decode().split())

    @property
    def held(self) -> dict[str, int]:
        """The leases that it holds, with the epochs, by what it says."""
        held: dict[str, int] = {}
        for what, *rest in self.said:
            if what == "acquired":
                held[rest[0]] = int(rest[1])
            elif what in {"releasing", "lost"}:
                held.pop(rest[0], None)
        return held

    def count(self, what: str, since: int = 0) -> int:
        """How often it said that."""
        return sum(line[0] == what for line in self.said[since:])


@asynccontextmanager
async def working(database: ServedDatabase, count: int) -> AsyncGenerator[list[Worker]]:
    """So many workers; killed at the end."""
    workers: list[Worker] = []
    try:
        workers += [await started(database) for _ in range(count)]
        yield workers
    finally:
        for each in workers:
            if each.process.returncode is None:
                each.process.kill()
            await each.process.wait()
            await each.reading


async def started(database: ServedDatabase) -> Worker:
    """One more."""
    command = (sys.executable, str(PROCESS), "leases", await describe(database))
    return Worker(await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE))


async def until(true: Callable[[], bool], seconds: float = 30) -> float:
    """How many seconds it took to be so."""
    begun = time.monotonic()
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    return time.monotonic() - begun


def shared(workers: list[Worker]) -> bool:
    """Whether every lease is held by one of them, and all have their share."""
    held = [set(each.held) for each in workers]
    fair = all(len(NAMES) // len(workers) <= len(each) <= -(-len(NAMES) // len(workers)) for each in held)
    return fair and set.union(*held) == NAMES and sum(map(len, held)) == len(NAMES)


async def overlaps(it: Opened) -> int:
    """How many commits under an epoch came later than one under a later epoch of the same lease."""
    (row,) = await it.pool.fetch(
        "select count(distinct handler), count(*) filter (where exists (select from hayai.inbox late where "
        "late.handler = i.handler and late.run::int < i.run::int and late.handled_at >= i.handled_at)) as overlaps "
        "from hayai.inbox i"
    )
    assert row["count"] == len(NAMES)
    return int(row["overlaps"])


@pytest.mark.parametrize(("leases", "workers"), [(8, 1), (8, 3), (8, 5), (8, 20), (1, 7)])
def test_shares_are_even_and_make_up_the_whole(leases: int, workers: int) -> None:
    """Whoever goes away with the odd ones."""
    shares = [_share("handler/0", leases, workers, before) for before in range(workers)]
    assert sum(shares) == leases
    assert max(shares) - min(shares) <= 1


@pytest.mark.fault
async def test_three_workers_share_and_a_killed_ones_leases_are_taken_over(database: ServedDatabase) -> None:
    """In under five seconds, all of them under new epochs and as somebody's unfinished work."""
    async with working(database, 3) as workers:
        await until(lambda: shared(workers))
        killed, *others = workers
        left = killed.held
        killed.process.kill()
        assert await until(lambda: shared(others)) < 5
        taken = [line for each in others for line in each.said if line[0] == "acquired" and line[3] == "orphaned"]
        assert {line[1]: int(line[2]) for line in taken} == {name: epoch + 1 for name, epoch in left.items()}


@pytest.mark.fault
async def test_who_comes_and_who_goes_is_reckoned_with_at_once(database: ServedDatabase) -> None:
    """In under two seconds each way; what is given back is nobody's unfinished work."""
    async with working(database, 1) as workers:
        (first,) = workers
        await until(lambda: shared([first]))
        workers.append(second := await started(database))
        await until(lambda: bool(second.said))
        assert await until(lambda: shared([first, second])) < 2
        second.process.send_signal(signal.SIGTERM)
        await second.process.wait()
        assert await until(lambda: shared([first])) < 2
        assert [line[3] for each in workers for line in each.said if line[0] == "acquired"] == ["given"] * 16


@pytest.mark.fault
async def test_a_worker_that_was_stopped_is_refused_when_it_goes_on(database: ServedDatabase, it: Opened) -> None:
    """Its leases have gone to the other meanwhile: what it commits under their old epochs does not count."""
    async with working(database, 2) as workers:
        zombie, other = workers
        await until(lambda: shared(workers))
        held = zombie.held
        os.kill(zombie.process.pid, signal.SIGSTOP)
        await until(lambda: shared([other]))
        told = len(zombie.said)
        os.kill(zombie.process.pid, signal.SIGCONT)
        await until(lambda: zombie.count("lost", told) == len(held))
        await until(lambda: shared(workers))
        assert await overlaps(it) == 0


@pytest.mark.fault
async def test_no_lease_is_anybodys_twice_while_workers_come_and_die(database: ServedDatabase, it: Opened) -> None:
    """Whatever was committed under an epoch was committed before anything under the next."""
    async with working(database, 2) as workers:
        for _ in range(3):
            await until(lambda: shared([each for each in workers if each.process.returncode is None]))
            workers[-2].process.kill()
            await workers[-2].process.wait()
            workers.append(await started(database))
        await until(lambda: shared(workers[-2:]))
    assert await overlaps(it) == 0
    assert await it.pool.fetch("select from hayai.lease where epoch < 2") == []


@pytest.mark.fault
async def test_who_is_taken_for_dead_goes_on_as_another_worker(database: ServedDatabase, it: Opened) -> None:
    """And holds nothing of what it held, so that nobody else can have it as well."""
    async with working(database, 2) as workers:
        await until(lambda: shared(workers))
        told = [len(each.said) for each in workers]
        await it.pool.fetch("delete from hayai.worker")
        for each, before, held in [(each, told[place], each.held) for place, each in enumerate(workers)]:
            await until(lambda each=each, before=before, held=held: each.count("lost", before) == len(held))  # type: ignore[misc]
        await until(lambda: shared(workers))
        assert await overlaps(it) == 0
        assert await it.pool.fetch("select from hayai.lease where epoch < 2") == []


@pytest.mark.fault
async def test_the_time_of_day_is_nothing_to_leases(database: ServedDatabase, it: Opened) -> None:
    """Whatever the database's clock is set to: nothing changes hands but what a dead worker held."""
    async with working(database, 2) as workers:
        await until(lambda: shared(workers))
        told = [len(each.said) for each in workers]
        for offset in ("'-10 minutes'", "'1 year'"):
            await it.pool.fetch(f"update hayai.worker set expires_at = expires_at + interval {offset}")
            await asyncio.sleep(1)
        assert [each.count("lost", before) for each, before in zip(workers, told, strict=True)] == [0, 0]
        killed, other = workers
        killed.process.kill()
        assert await until(lambda: shared([other])) < 5


async def test_who_retires_takes_nothing_more(it: Opened) -> None:
    """What is free by then is for others: it would be given back as if it had been worked on."""
    nothing = Changes(lambda *_: None, _left, lambda _: None)
    ours, others = (it.ledger.leases(["one"], nothing, seconds=20) for _ in range(2))
    await others.start()
    await ours.start()
    ours.retire()
    await others.stop()
    await ours._round()
    assert ours.held == {}
    await ours.stop()


async def test_nobody_is_taken_for_dead_while_nobody_could_be_heard_of(
    it: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away for longer than a worker may be silent: the first to come back must not take everything."""
    ours, others = (Roster(it.pool, silence=1) for _ in range(2))
    for each in (ours, others):
        await each.sign(["one"])
    assert await ours.call() == {"one": (2, int(others.worker < ours.worker))}
    monkeypatch.setattr(ours, "_read_at", ours._read_at - 2)
    monkeypatch.setattr(ours, "_beats", {others.worker: (0, ours._beats[others.worker][1] - 2)})
    assert (await ours.call())["one"][0] == 2
    await asyncio.sleep(0.6)
    assert (await ours.call())["one"][0] == 2
    await asyncio.sleep(0.6)
    assert (await ours.call())["one"][0] == 1


@pytest.mark.parametrize("swallows", [False, True])
async def test_a_lease_that_is_lost_while_it_is_left_is_not_given_back_untold(it: Opened, *, swallows: bool) -> None:
    """It was ours again in the meantime: whoever was told that he has it must be asked to leave it once more.

    Also where the cancellation is swallowed by what is waited for, as asyncio.wait_for does.
    """
    told: list[tuple[str, str]] = []
    may_leave = asyncio.Event()

    async def releasing(name: str) -> bool:
        told.append(("releasing", name))
        with suppress(asyncio.CancelledError) if swallows else nullcontext():
            await may_leave.wait()
        await may_leave.wait()
        return True

    changes = Changes(
        acquired=lambda name, _epoch, _orphaned: told.append(("acquired", name)),
        releasing=releasing,
        lost=lambda name: told.append(("lost", name)),
    )
    nothing = Changes(acquired=lambda *_: None, releasing=releasing, lost=lambda _: None)
    names = sorted(NAMES)[:2]
    ours, others = (it.ledger.leases(names, each, seconds=20) for each in (changes, nothing))
    await ours.start()
    await others.start()
    await ours._round()
    await asyncio.sleep(0)
    (name,) = [name for what, name in told if what == "releasing"]
    ours._lose([name])
    await ours._round()  # it is ours again
    await asyncio.sleep(0)
    may_leave.set()
    await asyncio.sleep(0.3)
    of_it = [what for what, which in told if which == name]
    assert name not in ours.held
    assert of_it == ["acquired", "releasing", "lost", "acquired", "releasing"]
    await others.stop()
    await ours.stop()


async def test_what_several_reach_for_in_the_same_moment_is_one_workers(it: Opened) -> None:
    """Postgres looks at other tables no second time when a row was changed by somebody faster."""
    names, told = sorted(NAMES)[:4], list[bool]()
    nothing = Changes(lambda _name, _epoch, orphaned: told.append(orphaned), _left, lambda _: None)
    several = [it.ledger.leases(names, nothing, seconds=20) for _ in names]
    for each in several:
        await each.start()
    for _ in range(200):
        for each in several:
            each._held.clear()
            await it.pool.fetch(_RELEASE, each._roster.worker, names, True)
        await asyncio.gather(*(each._share() for each in several))
        held = [name for each in several for name in each.held]
        assert len(held) == len(set(held)), "one lease is two workers'"
    assert not any(told), "a lease was taken as if its holder were dead"
    for each in several:
        await each.stop()


async def test_what_was_left_in_disorder_is_taken_as_orphaned(it: Opened) -> None:
    """Whether it is left to make room for another worker, or at the end: the next one looks for what is unfinished."""
    taken: dict[str, bool] = {}
    names = sorted(NAMES)[:2]

    async def in_disorder(_name: str) -> bool:
        return False

    async def unasked(_name: str) -> bool:
        raise AssertionError

    def take(name: str, _epoch: int, orphaned: bool) -> None:
        taken[name] = orphaned

    ours = it.ledger.leases(names, Changes(lambda *_: None, in_disorder, lambda _: None), seconds=20)
    others = it.ledger.leases(names, Changes(take, unasked, lambda _: None), seconds=20)
    await ours.start()
    await others.start()
    await ours._round()
    await asyncio.sleep(0.3)
    await others._round()
    assert list(taken.values()) == [True]
    await ours.stop()
    await others._round()
    assert taken == dict.fromkeys(names, True)
    await others.stop()


async def test_what_is_given_back_the_second_time_is_as_orphaned_as_the_first(
    it: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away when the process was drained, and is back when it stops."""
    taken: dict[str, bool] = {}
    nothing = Changes(lambda *_: None, _left, lambda _: None)
    told = Changes(lambda name, _, orphaned: taken.update({name: orphaned}), _left, lambda _: None)
    ours, others = (it.ledger.leases(["one"], each, seconds=20) for each in (nothing, told))
    await ours.start()
    with monkeypatch.context() as patch:
        patch.setattr(ours._pool, "fetch", lambda *_: _fail())
        await ours.stop(["one"])
    await ours.stop()
    await others.start()
    assert taken == {"one": True}
    await others.stop()


async def test_a_lease_that_add_took_before_it_failed_is_given_back(
    it: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away in the middle of it: nobody works under the lease, so nobody may keep it."""
    nothing = Changes(lambda *_: None, _left, lambda _: None)
    ours, others = (it.ledger.leases([], nothing, seconds=20) for _ in range(2))
    await ours.start()
    await others.start()
    name = min(NAMES)
    with monkeypatch.context() as patch:
        patch.setattr(ours, "_gain", lambda held, **_: _fail() if held else None)
        with pytest.raises(Unavailable):
            await ours.add([name])
    await ours._round()
    await others.add([name])
    assert (list(ours.held), list(others.held)) == ([], [name])
    await others.stop()
    await ours.stop()


async def test_a_lease_that_is_asked_for_again_after_add_failed_is_told_again(
    it: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was told of it the first time is there no more."""
    told: list[str] = []
    changes = Changes(lambda name, *_: told.append(f"{name} acquired"), _left, lambda name: told.append(f"{name} lost"))
    ours = it.ledger.leases([], changes, seconds=20)
    await ours.start()

    async def share() -> None:
        await type(ours)._share(ours)
        raise Unavailable("Away.")

    with monkeypatch.context() as patch:
        patch.setattr(ours, "_share", share)
        with pytest.raises(Unavailable):
            await ours.add(["one"])
    await ours.add(["one"])
    assert told == ["one acquired", "one lost", "one acquired"]
    await ours.stop()


async def test_a_process_that_was_stopped_knows_by_its_own_clock_that_a_lease_may_be_anothers(it: Opened) -> None:
    """Before anything has told it so."""
    ours = it.ledger.leases(["one"], Changes(lambda *_: None, _left, lambda _: None), seconds=20)
    await ours.start()
    assert ours.holds("one")
    assert not ours.holds("two")
    ours._renewed_at -= 20
    assert not ours.holds("one")
    await ours.stop()


async def _left(_name: str) -> bool:
    return True


def _fail() -> None:
    raise Unavailable("Away.")
