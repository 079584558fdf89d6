"""Lanes: order within a key, many keys at once, and closing."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hayai.bus import lanes as lanes_module
from hayai.bus.lanes import Lanes

if TYPE_CHECKING:
    import pytest

Item = tuple[str, int]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(st.sampled_from("abcd"), max_size=40),
    concurrency=st.integers(1, 4),
    yields=st.lists(st.integers(0, 3), min_size=1),
    failing=st.sets(st.integers(0, 39)),
)
def test_every_item_is_done_once_and_in_its_keys_order(
    keys: list[str], concurrency: int, yields: list[int], failing: set[int]
) -> None:
    """Whatever the keys, the pace and the failures; and never more keys at once than allowed."""

    async def run() -> None:
        running: list[str] = []
        done: list[Item] = []
        finished = asyncio.Event()
        failed: set[int] = set()

        async def work(item: Item) -> float | None:
            key, number = item
            assert key not in running
            running.append(key)
            assert len(running) <= concurrency
            for _ in range(yields[number % len(yields)]):
                await asyncio.sleep(0)
            running.remove(key)
            if number in failing - failed:
                failed.add(number)
                return 0.0
            done.append(item)
            if len(done) == len(keys):
                finished.set()
            return None

        lanes: Lanes[str, Item] = Lanes(work, concurrency=concurrency)
        items = [(key, number) for number, key in enumerate(keys)]
        for item in items:
            lanes.put(item[0], item)
        async with asyncio.timeout(10):
            await (finished.wait() if items else asyncio.sleep(0))
        assert await lanes.close(1) == []
        for key in "abcd":
            assert [item for item in done if item[0] == key] == [item for item in items if item[0] == key]

    asyncio.run(run())


async def test_an_item_that_waits_for_its_next_try_leaves_its_place_to_other_keys() -> None:
    """One place, one key in a long pause: the other keys are worked all the same."""
    done: list[str] = []

    async def work(item: str) -> float | None:
        if item == "failing":
            return 60.0
        done.append(item)
        return None

    lanes: Lanes[str, str] = Lanes(work, concurrency=1)
    for item in ("failing", "b", "c"):
        lanes.put(item, item)
    await asyncio.sleep(0.01)
    assert done == ["b", "c"]
    assert await lanes.close(1) == ["failing"]


async def test_closing_returns_what_was_put_but_not_begun_in_order() -> None:
    """What is put after halt() included; what runs is finished."""
    entered, released, done = asyncio.Event(), asyncio.Event(), list[int]()

    async def work(item: int) -> None:
        entered.set()
        await released.wait()
        done.append(item)

    lanes: Lanes[str, int] = Lanes(work, concurrency=1)
    for item in (1, 2):
        lanes.put("a", item)
    await entered.wait()
    lanes.halt()
    lanes.put("a", 3)
    lanes.put("b", 4)
    closing = asyncio.create_task(lanes.close(10))
    await asyncio.sleep(0)
    released.set()
    assert await closing == [2, 3, 4]
    assert done == [1]


async def test_closing_cancels_what_runs_too_long_and_returns_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the deadline; also what pays no attention to being cancelled."""
    monkeypatch.setattr(lanes_module, "_CANCEL_GRACE", 0.05)

    async def work(item: str) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if item == "deaf":
                await asyncio.sleep(0.3)
            raise

    lanes: Lanes[str, str] = Lanes(work, concurrency=4)
    lanes.put("a", "hears")
    lanes.put("b", "deaf")
    await asyncio.sleep(0)
    assert sorted(await lanes.close(0)) == ["deaf", "hears"]


async def test_a_defect_in_the_work_itself_keeps_the_item(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged without its text, and the item is tried again."""
    monkeypatch.setattr(lanes_module, "_DEFECT_DELAY", 0.01)
    done, tries = asyncio.Event(), 0

    async def work(_item: int) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ValueError("Ada")
        done.set()

    lanes: Lanes[str, int] = Lanes(work, concurrency=1)
    lanes.put("a", 1)
    async with asyncio.timeout(5):
        await done.wait()
    assert await lanes.close(1) == []
    assert "ValueError at test_hayai_bus_lanes.py" in caplog.text
    assert "Ada" not in caplog.text


async def test_work_that_cancels_its_own_task_does_not_stop_its_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lane begins again, with the same item."""
    monkeypatch.setattr(lanes_module, "_DEFECT_DELAY", 0.01)
    done, tries = asyncio.Event(), 0

    async def work(_item: int) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
        done.set()

    lanes: Lanes[str, int] = Lanes(work, concurrency=1)
    lanes.put("a", 1)
    async with asyncio.timeout(5):
        await done.wait()
    assert await lanes.close(1) == []


async def test_a_lane_does_not_inherit_the_context_of_who_put_the_item() -> None:
    """A transaction that is open where an event is published must not be open in its handler."""
    transaction: ContextVar[str] = ContextVar("transaction", default="none")
    seen: list[str] = []

    async def work(_item: int) -> None:
        seen.append(transaction.get())

    lanes: Lanes[str, int] = Lanes(work, concurrency=1)
    transaction.set("open")
    lanes.put("a", 1)
    await asyncio.sleep(0.01)
    assert seen == ["none"]
    await lanes.close(1)
