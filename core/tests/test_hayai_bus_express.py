"""The shorter way through nats-py does what nats-py does: the same messages, the same bytes, the same bus."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.errors import ProtocolError
from nats.protocol.parser import Parser

from hayai.bus import express
from hayai.bus.connection import Connection
from hayai.bus.express import Express, ExpressParser, Taken
from hayai.bus.nats import NatsBus, NatsSettings
from hayai.errors import SettingsError
from hayai.testing.bus import BusContract
from hayai.testing.bus_words import PATIENCE
from hayai.testing.servers import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator

    from hayai.bus.inbox import Raw

TAKEN, LEFT = b"1", b"2"
"""Two subscriptions; what comes on the first is taken on the shorter way."""


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One server for all."""
    with NatsServer() as server:
        yield server


@pytest.fixture
async def bus(server: NatsServer) -> AsyncIterator[NatsBus]:
    """A started bus on the shorter way."""
    async with started(server) as bus:
        yield bus


@pytest.fixture
async def peer(server: NatsServer) -> AsyncIterator[NatsBus]:
    """Another bus on the same server, on nats-py's own way: both understand each other."""
    async with started(server, express=False) as bus:
        yield bus


@asynccontextmanager
async def started(server: NatsServer, **settings: Any) -> AsyncGenerator[NatsBus]:
    """A bus with short waits, stopped afterwards."""
    short = {"url": server.url, "ack_wait": 2, "heartbeat": 0.2, "express": True}
    bus = NatsBus(NatsSettings.model_validate({**short, **settings}))
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


class TestExpressBus(BusContract):
    """BusContract, on JetStream by the shorter way."""

    @pytest.fixture
    def plant(self, server: NatsServer) -> Callable[[str, bytes], Awaitable[None]]:
        """Bytes straight into the stream."""

        async def plant(subject: str, body: bytes) -> None:
            client = Client()
            await client.connect(server.url)
            await client.request(subject, body)
            await client.close()

        return plant


class Heard:
    """A client that notes what a parser makes of what it reads."""

    def __init__(self) -> None:
        self.found: list[object] = []
        self.takers = {TAKEN: self._take}

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, head: bytes | None) -> None:
        self.found.append((sid, subject, reply, data, head or b""))

    async def dispatch(self, sid: int, subject: bytes, reply: bytes, data: bytes, head: bytes) -> None:
        """As Express leaves a message to nats-py."""
        await self._process_msg(sid, subject, reply, data, head)

    def _take(self, taken: Taken) -> None:
        self.found.append((1, taken.subject.encode(), taken.reply.encode(), taken.data, taken._head))

    async def _process_ping(self) -> None:
        self.found.append("ping")

    async def _process_pong(self) -> None:
        self.found.append("pong")

    async def _process_info(self, told: dict[str, Any]) -> None:
        self.found.append(told)


bodies = st.one_of(st.binary(max_size=60), st.sampled_from([b"", b"\r\n", b"MSG a 1 3\r\nabc\r\n", b"PING\r\n"]))
replies = st.sampled_from([b"", b"$JS.ACK.EVENTS.name.1.2.3.4.5"])
sids = st.sampled_from([TAKEN, LEFT])
heads = st.sampled_from([b"NATS/1.0\r\nNats-Msg-Id: 7\r\n\r\n", b"NATS/1.0 100 Idle Heartbeat\r\n\r\n"])
others = st.sampled_from([b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b'INFO {"a": 1}\r\n', b"PING  \r\n"])


def plain(sid: bytes, reply: bytes, body: bytes) -> bytes:
    """A message as a server writes it."""
    return b" ".join([b"MSG ev.1", sid, *([reply] if reply else []), b"%d\r\n" % len(body)]) + body + b"\r\n"


def headed(sid: bytes, reply: bytes, head: bytes, body: bytes) -> bytes:
    """The same with headers."""
    words = [b"HMSG ev.1", sid, *([reply] if reply else []), b"%d" % len(head), b"%d\r\n" % (len(head) + len(body))]
    return b" ".join(words) + head + body + b"\r\n"


frames = st.lists(
    st.one_of(st.builds(plain, sids, replies, bodies), st.builds(headed, sids, replies, heads, bodies), others)
)


@given(frames, st.lists(st.integers(min_value=1, max_value=50)))
def test_the_same_is_read_however_it_is_cut(written: list[bytes], cuts: list[int]) -> None:
    """What nats-py's parser finds in the same pieces."""
    assert read(ExpressParser, written, cuts) == read(Parser, written, cuts)


def read(kind: Any, written: list[bytes], cuts: list[int]) -> list[object]:
    """What a parser of that kind finds, given so many bytes at a time and in the end the rest."""
    heard, whole = Heard(), b"".join(written)
    parser = kind(heard)

    async def give() -> None:
        at = 0
        for cut in cuts:
            await parser.parse(whole[at : at + cut])
            at += cut
        await parser.parse(whole[at:])

    asyncio.run(give())
    return heard.found


@pytest.mark.parametrize(
    "line", [b"MSG a 1 x\r\n", b"MSG a 1 -99\r\n", b"MSG a\r\n", b"HMSG a 1 x 0\r\n\r\n", b"HELLO\r\n", b"\r\n"]
)
async def test_what_is_no_protocol_is_told(line: bytes) -> None:
    """So that the connection is begun anew."""
    parser = ExpressParser(Heard())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ProtocolError):
        await parser.parse(line)


async def test_what_the_last_connection_left_is_forgotten() -> None:
    """Half a message is not put before the first one of the next connection."""
    heard = Heard()
    parser = ExpressParser(heard)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await parser.parse(b"MSG ev.1 1 10\r\nhalf")
    parser.reset()
    await parser.parse(plain(TAKEN, b"", b"new"))
    assert heard.found == [(1, b"ev.1", b"", b"new", b"")]


words = st.text("abc.-_", min_size=1, max_size=8)
values = st.one_of(words, st.sampled_from(["two words", " outer ", "line\r\nInjected: yes", "é", ""]))
ids = values.map(lambda value: {"Nats-Msg-Id": value})


@given(words, st.binary(max_size=20), st.just("") | words, st.none() | ids | st.dictionaries(words, values))
async def test_the_same_bytes_are_sent(subject: str, body: bytes, reply: str, headers: dict[str, str] | None) -> None:
    """As nats-py's publish writes them, whatever is put in the line; nothing of what is left to nats-py."""
    ours, theirs = flowing(Express()), flowing(Client())
    if ours.put(subject, body, reply, headers):
        await theirs.publish(subject, body, reply, headers)
    assert ours._pending == theirs._pending
    assert ours._pending_data_size == theirs._pending_data_size


@pytest.mark.parametrize("headers", [None, {"Nats-Msg-Id": "0f-A_9"}])
async def test_acknowledgements_and_events_go_the_shorter_way(headers: dict[str, str] | None) -> None:
    """And the one who writes is told, once."""
    client = flowing(Express())
    assert client.put("$JS.ACK.EVENTS.name.1.2.3.4.5", b"+ACK", "", headers)
    assert client.put("$JS.ACK.EVENTS.name.1.2.3.4.6", b"+ACK", "", headers)
    assert client._flush_queue is not None
    assert client._flush_queue.qsize() == 1


@pytest.mark.parametrize(
    ("subject", "body", "changes"),
    [
        ("", b"+ACK", {}),  # the server would end the connection
        ("here", bytes(101), {}),
        ("here", b"", {"_pending_data_size": 1000}),
        ("here", b"", {"_status": Client.RECONNECTING}),
        ("here", b"", {"_flusher_task": None}),
    ],
)
async def test_what_cannot_be_written_now_is_left_to_nats(subject: str, body: bytes, changes: dict[str, Any]) -> None:
    """Who refuses it, or writes it by itself."""
    client = flowing(Express())
    for name, value in changes.items():
        setattr(client, name, value)
    assert not client.put(subject, body)
    assert not client._pending


C = TypeVar("C", bound=Client)


def flowing(client: C) -> C:
    """As one that is connected; nothing is written."""
    client._status = Client.CONNECTED
    client._max_payload = 100
    client._max_pending_size = 1000
    client._skip_subject_validation = True
    client._flush_queue = asyncio.Queue()
    client._flusher_task = asyncio.current_task()
    return client


@pytest.mark.parametrize("headers", [None, {"Nats-Msg-Id": "7"}, {"One": "1", "Two": "2"}])
async def test_headers_are_read_as_nats_reads_them(server: NatsServer, headers: dict[str, str] | None) -> None:
    """On the shorter way and on the long one, over a real server."""
    async with listening(server) as (connection, taken):
        await connection.post("here", b"body", reply="there", headers=headers)
        message = await asyncio.wait_for(taken.get(), PATIENCE)
        assert isinstance(message, Taken)
        assert (message.subject, message.reply, message.data) == ("here", "there", b"body")
        assert message.headers == headers


async def test_who_raises_does_not_stop_the_reading(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next message comes."""
    heard: asyncio.Queue[Raw] = asyncio.Queue()

    def take(message: Raw) -> None:
        if message.data == b"bad":
            raise LookupError
        heard.put_nowait(message)

    async with listening(server, take) as (connection, _):
        await connection.post("here", b"bad")
        await connection.post("here", b"good")
        assert (await asyncio.wait_for(heard.get(), PATIENCE)).data == b"good"
    assert "LookupError" in caplog.text


async def test_a_closed_inbox_takes_nothing_more(server: NatsServer) -> None:
    """Not even what is sent by then."""
    async with listening(server) as (connection, taken):
        inbox = next(iter(connection._inboxes))
        await connection.post("here", b"before")
        await connection.flush()
        await inbox.close()
        await connection.post("here", b"after")
        await connection.flush()
        assert [taken.get_nowait().data for _ in range(taken.qsize())] == [b"before"]


@asynccontextmanager
async def listening(
    server: NatsServer, take: Callable[[Raw], None] | None = None
) -> AsyncGenerator[tuple[Connection, asyncio.Queue[Raw]]]:
    """A connection on the shorter way, and what comes to it on `here`."""
    taken: asyncio.Queue[Raw] = asyncio.Queue()
    connection = Connection(server.url, express=True)
    await connection.start(PATIENCE)
    await connection.take("here", take or taken.put_nowait)
    await connection.flush()
    try:
        yield connection, taken
    finally:
        await connection.stop()


def test_another_release_of_nats_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it, before anything is connected."""
    monkeypatch.setattr(express, "TESTED", "0.0.1")
    with pytest.raises(SettingsError, match=r"needs nats-py 0\.0\.1, and .* is installed: install hayai\[fast\]"):
        NatsBus(NatsSettings(express=True))
