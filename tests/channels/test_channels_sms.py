"""A storm of webhooks at two replicas, one of which dies: one event and one reply for each text, as the network counts.

Each text is posted three times at once, and again where nobody answered, as Twilio does; reports of delivery come
shuffled and doubled.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING

import pytest

from hayai_twilio.simulator.account import new_sid
from tests.channels.texting import SEED, standing

if TYPE_CHECKING:
    from hayai.testing.bus_install import Servers
    from hayai_twilio.simulator.line import Line

pytestmark = [pytest.mark.fault, pytest.mark.storm]

TEXTS, CUSTOMERS, TIMES = 1000, 200, 3
AT_ONCE = 60


@pytest.mark.timeout(400)
async def test_a_thousand_texts_three_times_each_make_one_event_and_one_reply_each(servers: Servers) -> None:
    """Two replicas, one of which is killed and started again in the middle of it."""
    async with standing(servers) as (line, replicas):
        sent = [(new_sid(), f"+1555{2_000_000 + number % CUSTOMERS:07d}") for number in range(TEXTS)]
        storm = asyncio.gather(*_posted(line, sent))
        before = replicas[0].process
        await _sent(line, TEXTS // 5)
        await replicas[0].kill()
        after = await replicas[0].start()
        assert before is not None
        assert after != before.pid
        tries = sum(await storm)
        await _sent(line, TEXTS)
        await asyncio.sleep(5)  # what was one too many would come now
        replies = Counter(str(each.callback) for each in line.twilio.account.messages)
        events = await _indexed(servers)
        arrived = json.loads(servers.sql(_ARRIVED))
    print(
        f"\n{TEXTS} texts of {CUSTOMERS} customers, each posted {TIMES} times, {tries} posts in all; seed {SEED}: "
        f"{events['all']} events ({events['ids']} ids), {len(replies)} replies, {sum(replies.values())} sent; "
        f"{arrived} known to have arrived"
    )
    assert (events["all"], events["ids"]) == (TEXTS, TEXTS)
    assert len(replies) == sum(replies.values()) == TEXTS
    assert arrived > TEXTS // 2, "reports are lost only while their replica is away"


_EVENTS = """
select json_build_object('all', count(*), 'ids', count(distinct id)) from hayai.event_index
 where type like 'message.received%'
"""
_ARRIVED = "select count(*) from hayai.twilio_message where status = 'delivered'"


def _posted(line: Line, sent: list[tuple[str, str]]) -> list[asyncio.Task[int]]:
    """Every text, three times at once; each task ends with how often it was posted."""
    places = asyncio.Semaphore(AT_ONCE)

    async def post(sid: str, sender: str) -> int:
        async with places:
            for tries in count(1):
                if await line.text("What are your opening hours?", sid, sender=sender) == 200:
                    return tries
                await asyncio.sleep(0.5)
        raise AssertionError

    return [asyncio.create_task(post(*each)) for each in sent for _ in range(TIMES)]


async def _indexed(servers: Servers) -> dict[str, int]:
    """What the index holds, once it has caught up: what a dead replica was about to add comes again after a minute."""
    for _ in range(90):
        events = json.loads(await asyncio.to_thread(servers.sql, _EVENTS))
        if events["all"] >= TEXTS:
            break
        await asyncio.sleep(1)
    return dict(events)


async def _sent(line: Line, many: int) -> None:
    """Return when so many messages were sent to customers."""
    async with asyncio.timeout(240):
        while len(line.twilio.account.messages) < many:  # noqa: ASYNC110 - the simulator tells nobody
            await asyncio.sleep(0.2)
