"""The committer tells each event what became of its outcome, whatever another makes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hayai.bus.committer import Committer
from hayai.ledger.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence


async def test_one_that_fails_to_hear_leaves_nobody_in_the_dark() -> None:
    """The others of its batch are told, and so are those that come while it is on its way and later."""
    told: list[str] = []
    all_told = asyncio.Event()

    async def commit(_outcomes: Sequence[Outcome]) -> None:
        await asyncio.sleep(0.01)

    committer = Committer(commit)

    def add(event: str) -> None:
        async def done(_wrong: Exception | None) -> None:
            if event == "deaf":
                raise ValueError
            told.append(event)
            if len(told) == 3:
                all_told.set()

        committer.add(Outcome("acme", "ears", event), done)

    for event in ("deaf", "first"):
        add(event)
    await asyncio.sleep(0)
    add("second")
    await asyncio.sleep(0.05)
    add("third")
    async with asyncio.timeout(5):
        await all_told.wait()
    assert sorted(told) == ["first", "second", "third"]
