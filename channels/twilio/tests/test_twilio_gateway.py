"""The gateway beside the simulated API: what is sent, what an error means, and the SDK's traps."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from twilio.http.async_http_client import AsyncTwilioHttpClient

from hayai.errors import OutcomeUnclear, RateLimited, Unavailable
from hayai.testing.servers import free_port
from hayai_twilio.gateway import Draft, Gateway
from hayai_twilio.refusals import RecipientOptedOut, RecipientUnreachable
from hayai_twilio.simulator.line import ACCOUNT, OURS, THEIRS, TOKEN
from hayai_twilio.simulator.twilio import SimulatedTwilio, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hayai_twilio.simulator.account import Account, Fault

HELLO = Draft(THEIRS, OURS, "Hello")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def url(account: Account) -> AsyncIterator[str]:
    """Where the simulated API is."""
    async with serving(SimulatedTwilio(account)) as served:
        yield served


@pytest.fixture
def gateway(url: str) -> Gateway:
    """One with half a second of patience."""
    return Gateway(ACCOUNT, ACCOUNT, TOKEN, url=url, timeout=0.5)


async def test_a_message_is_sent_and_found_again(gateway: Gateway, account: Account) -> None:
    """By its words and both numbers, and by when it was sent."""
    sent = await gateway.send(HELLO)
    assert [each.sid for each in account.messages] == [sent.sid]
    assert [each.sid for each in await gateway.find(HELLO, since=LONG_AGO)] == [sent.sid]
    assert await gateway.find(Draft(THEIRS, OURS, "Other words"), since=LONG_AGO) == []
    assert await gateway.find(HELLO, since=datetime.now(UTC) + timedelta(minutes=1)) == []


async def test_the_balance_is_told(gateway: Gateway) -> None:
    """As Twilio writes it."""
    assert await gateway.balance() == ("23.45", "USD")


@pytest.mark.parametrize("fault", ["500", "500 after", "silence", "silence after"])
async def test_an_answer_that_says_nothing_leaves_it_unclear(gateway: Gateway, account: Account, fault: Fault) -> None:
    """And sends the message once, or not at all; never twice."""
    account.faults.append(fault)
    with pytest.raises(OutcomeUnclear):
        await gateway.send(HELLO)
    assert len(account.messages) == (1 if fault.endswith("after") else 0)


async def test_too_many_requests_name_their_pause(gateway: Gateway, account: Account) -> None:
    """As Retry-After has it."""
    account.faults.append("429")
    with pytest.raises(RateLimited) as limited:
        await gateway.send(HELLO)
    assert limited.value.after == 1
    assert not account.messages


async def test_refusals_are_told_apart(gateway: Gateway, account: Account) -> None:
    """One who said STOP, a number that is none, and a secret that is wrong."""
    account.opted_out.add(THEIRS)
    with pytest.raises(RecipientOptedOut):
        await gateway.send(HELLO)
    with pytest.raises(RecipientUnreachable):
        await gateway.send(Draft("+0", OURS, "Hello"))
    account.token = "another"
    with pytest.raises(Unavailable):
        await gateway.send(HELLO)


async def test_nobody_there_is_no_doubt() -> None:
    """Without a connection nothing was sent."""
    with pytest.raises(Unavailable):
        await Gateway(ACCOUNT, ACCOUNT, TOKEN, url=f"http://127.0.0.1:{free_port()}").send(HELLO)


async def test_a_line_that_breaks_is_a_doubt() -> None:
    """The server took the request, and closed without an answer."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OutcomeUnclear):
            await Gateway(ACCOUNT, ACCOUNT, TOKEN, url=f"http://127.0.0.1:{port}").send(HELLO)


async def test_the_simulator_bears_a_client_that_dies_while_it_sends(
    url: str, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of the message is taken, and nothing is called a defect."""
    given = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {given}\r\nContent-Length: 99\r\n\r\nTo=".encode()
    )
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()
    await asyncio.sleep(0.2)
    assert not account.messages
    assert "ClientDisconnect" not in caplog.text


async def test_no_log_line_holds_a_number(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """The SDK would log whom is asked about."""
    with caplog.at_level("DEBUG"):
        await gateway.send(HELLO)
        await gateway.find(HELLO, since=LONG_AGO)
    told = [each.getMessage() for each in caplog.records]
    assert not [each for each in told if THEIRS[1:] in each or "Hello" in each]


def _messages(url: str) -> str:
    return f"{url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


FORM: dict[str, object] = {"To": THEIRS, "From": OURS, "Body": "Hello"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_sdks_asynchronous_client_repeats_a_post(url: str, account: Account) -> None:
    """Why it is not used: should this ever fail, the SDK has been mended, and may be."""
    account.faults.extend(["500 after", "500 after"])
    async with AsyncTwilioHttpClient(max_retries=3) as client:
        await client.request("POST", _messages(url), data=FORM, auth=(ACCOUNT, TOKEN))
    assert len(account.messages) == 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_sdks_asynchronous_client_ignores_its_timeout(url: str, account: Account) -> None:
    """The same: it waits for as long as nobody answers."""
    account.faults.append("silence")
    async with AsyncTwilioHttpClient(timeout=0.1) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await client.request("POST", _messages(url), data=FORM, auth=(ACCOUNT, TOKEN))
