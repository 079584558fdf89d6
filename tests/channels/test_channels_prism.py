"""Twilio's own description of its API stands between our client and the simulator, and holds both to it.

Prism (`prism proxy --errors`) answers in place of whoever departs from the description, which comes with Twilio's
package for npm.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from hayai.errors import HayaiError
from hayai.testing.servers import free_port
from hayai_twilio.gateway import Draft, Gateway
from hayai_twilio.refusals import RecipientOptedOut
from hayai_twilio.simulator.line import ACCOUNT, OURS, THEIRS, TOKEN, demo_account
from hayai_twilio.simulator.twilio import SimulatedTwilio, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai_twilio.simulator.account import Account

pytestmark = pytest.mark.storm

NODE = Path(__file__).parents[2] / ".tools/node/node_modules"
PRISM = NODE / "@stoplight/prism-cli/dist/index.js"
DESCRIPTION = NODE / "@twilio-alpha/mcp/twilio-oai/spec/json/twilio_api_v2010.json"
HELLO = Draft(THEIRS, OURS, "Hello", "https://sms.example/sms/status/smile-dental/talk/reply")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    """The simulated account."""
    return demo_account()


@pytest.fixture
async def referee(account: Account) -> AsyncIterator[str]:
    """The address of Prism before the simulator."""
    assert PRISM.exists(), "Prism is not installed: run `make test.channels`, which brings it"
    port = free_port()
    async with serving(SimulatedTwilio(account)) as simulator:
        command = (
            "node",
            str(PRISM),
            "proxy",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "--errors",
            str(DESCRIPTION),
            simulator,
        )
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet, env=dict(os.environ))
        try:
            url = f"http://127.0.0.1:{port}"
            await _up(url)
            yield url
        finally:
            process.terminate()
            await process.wait()


async def _up(url: str) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            with suppress(httpx.TransportError):
                await client.get(url)
                return
            await asyncio.sleep(0.2)


async def test_client_and_simulator_keep_to_twilios_description(referee: str, account: Account) -> None:
    """Sending, looking for what was sent, the balance, and a refusal."""
    gateway = Gateway(ACCOUNT, ACCOUNT, TOKEN, url=referee)
    sent = await gateway.send(HELLO)
    assert [each.sid for each in account.messages] == [sent.sid]
    assert [each.sid for each in await gateway.find(HELLO, since=LONG_AGO)] == [sent.sid]
    assert await gateway.balance() == ("23.45", "USD")
    account.opted_out.add(THEIRS)
    with pytest.raises(RecipientOptedOut):
        await gateway.send(HELLO)


async def test_the_referee_does_refuse(referee: str, account: Account) -> None:
    """An answer that Twilio never gives does not come through, nor a request that it does not know."""
    gateway = Gateway(ACCOUNT, ACCOUNT, TOKEN, url=referee)
    await gateway.send(HELLO)
    account.messages[0].status = "sideways"
    with pytest.raises(HayaiError):
        await gateway.find(HELLO, since=LONG_AGO)
    async with httpx.AsyncClient(base_url=referee, auth=(ACCOUNT, TOKEN)) as client:
        messages = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        assert (await client.post(messages, data={"From": OURS, "Body": "to nobody"})).status_code == 422
    assert len(account.messages) == 1
