"""STOP at two replicas, one of which dies: who has stopped gets nothing more, everybody else what they asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from hayai_twilio.simulator.account import new_sid
from tests.channels.texting import standing

if TYPE_CHECKING:
    from hayai.testing.bus_install import Servers
    from hayai_twilio.simulator.line import Line

pytestmark = pytest.mark.fault

CUSTOMERS = [f"+1555{3_000_000 + number:07d}" for number in range(40)]
STOPPED, OTHERS = CUSTOMERS[::2], CUSTOMERS[1::2]
WORDS = ("STOP", "Unsubscribe", "please stop texting me", "Quit.")
QUESTION = "What are your opening hours?"


@pytest.mark.timeout(150)
async def test_who_has_stopped_gets_nothing_until_they_start(servers: Servers) -> None:
    """By the network's count; the carrier forgets every STOP at once, so that only we keep to it."""
    async with standing(servers) as (line, replicas):
        stops = asyncio.gather(*(_text(line, WORDS[place % 4], each) for place, each in enumerate(STOPPED)))
        before = replicas[0].process
        await replicas[0].kill()
        after = await replicas[0].start()
        assert before is not None
        assert after != before.pid
        await stops
        line.twilio.account.opted_out.clear()
        await asyncio.gather(*(_text(line, QUESTION, each) for each in CUSTOMERS))
        await _settled(servers, line, withheld=len(STOPPED), sent=len(OTHERS))
        assert _texts(line) == Counter(OTHERS)
        await asyncio.gather(*(_text(line, "START", each) for each in STOPPED))
        await asyncio.gather(*(_text(line, QUESTION, each) for each in STOPPED))
        await _settled(servers, line, withheld=len(STOPPED), sent=len(CUSTOMERS))
        assert _texts(line) == Counter(CUSTOMERS)
    assert servers.sql(_SAID) == f"{len(STOPPED)}|{len(STOPPED)}"
    assert int(servers.sql(_DEAD)) == 0


# What the words themselves were answered with is withheld as well: Twilio answers them.
_WITHHELD = """
select count(*) from hayai.event_index w join hayai.event_index r on r.id = w.cause
  join hayai.event_index m on m.id = r.cause
 where w.type like 'message.withheld%' and m.type like 'message.received%'
"""
_SAID = """
select count(*) filter (where not allowed) || '|' || count(*) filter (where allowed) from hayai.consent
 where purpose = 'answer'
"""
_DEAD = "select count(*) from hayai.event_index where type like 'event.deadlettered%'"


def _texts(line: Line) -> Counter[str]:
    return Counter(each.to for each in line.twilio.account.messages)


async def _text(line: Line, text: str, sender: str) -> None:
    """Text it three times at once, as a network does that is unsure, until each was taken."""
    sid = new_sid()

    async def post() -> None:
        while await line.text(text, sid, sender=sender) != 200:  # noqa: ASYNC110 - until a replica answers
            await asyncio.sleep(0.3)

    await asyncio.gather(post(), post(), post())


async def _settled(servers: Servers, line: Line, *, withheld: int, sent: int) -> None:
    """Return when so many answers were withheld and sent, and a while later."""
    async with asyncio.timeout(60):
        while len(line.twilio.account.messages) < sent:  # noqa: ASYNC110 - the simulator tells nobody
            await asyncio.sleep(0.3)
        while int(await asyncio.to_thread(servers.sql, _WITHHELD)) < withheld:  # noqa: ASYNC110 - nor does Postgres
            await asyncio.sleep(0.3)
    await asyncio.sleep(2)  # what was one too many would come now
