"""What the adapter makes of servers that fail: refusals, faults, rubbish, hangs and broken streams, byte by byte."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr, ValidationError

from hayai.errors import AnswerUnusable, HayaiError, PermanentError, RateLimited, Unavailable
from hayai.ports.models import Prompt, Said, Usage
from hayai_openai.models import OpenAIModels, OpenAISettings
from hayai_openai.refusals import wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HELLO = Prompt(instructions="Be brief.", items=(Said(by="customer", text="My name is Ada Lovelace"),))
STREAMED = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
BEGUN: dict[str, Any] = {"id": "r", "object": "response", "created_at": 1, "model": "m-1", "output": []}
MESSAGE: dict[str, Any] = {"type": "message", "id": "m", "role": "assistant", "status": "in_progress", "content": []}
PART: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}


def _event(kind: str, **data: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"


def _delta(text: str) -> str:
    where: dict[str, Any] = {"item_id": "m", "output_index": 0, "content_index": 0}
    return _event("response.output_text.delta", delta=text, **where)


OPENED = (
    STREAMED
    + _event("response.created", response={**BEGUN, "status": "in_progress"})
    + _event("response.output_item.added", output_index=0, item=MESSAGE)
    + _event("response.content_part.added", item_id="m", output_index=0, content_index=0, part=PART)
)


def _ended(kind: str, text: str, **more: Any) -> str:
    said = {**MESSAGE, "status": "completed", "content": [{**PART, "text": text}]}
    return _event(f"response.{kind}", response={**BEGUN, "status": kind, "output": [said], **more})


WHOLE = OPENED + _delta("Hel") + _delta("lo.") + _ended("completed", "Hello.")


def _refusal(status: str, *headers: str, code: str = "x") -> str:
    body = json.dumps({"error": {"message": "You asked: My name is Ada Lovelace", "type": "x", "code": code}})
    lines = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "connection: close", "", body])


@dataclass
class Server:
    """Answers each request with the next of `script`; the empty text hangs."""

    script: list[str]
    port: int = 0
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The head and the JSON body of each."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a client has left a hanging request."""

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(each.split(":")[1]) for each in head.lower().splitlines() if "content-length" in each)
        self.requests.append((head, json.loads(await reader.readexactly(length))))
        said = self.script.pop(0)
        writer.write(said.removesuffix("HANG").encode())
        await writer.drain()
        if said.endswith("HANG"):
            await reader.read()
            self.gone.set()
        writer.close()


@asynccontextmanager
async def _serving(*script: str) -> AsyncIterator[Server]:
    server = Server(list(script))
    async with await asyncio.start_server(server._answer, "127.0.0.1", 0) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


@asynccontextmanager
async def _asking(*script: str, **settings: Any) -> AsyncIterator[tuple[Server, OpenAIModels]]:
    async with _serving(*script) as server:
        models = _Quick(_settings(url=f"http://127.0.0.1:{server.port}/v1", **settings))
        await models.start()
        try:
            yield server, models
        finally:
            await models.stop()


class _Quick(OpenAIModels):
    """Without pauses."""

    pauses = (0.0, 0.0)


def _settings(**settings: Any) -> OpenAISettings:
    return OpenAISettings(**{"model": "gpt-x", "key": SecretStr("sk-hunter2"), **settings})


async def test_what_is_asked_and_what_comes_back() -> None:
    """The key, the further headers and the question travel; nothing is to be kept at the server."""
    headers = {"Helicone-Auth": SecretStr("Bearer gateway")}
    async with _asking(WHOLE, headers=headers) as (server, models):
        answer = await models.ask(HELLO.model_copy(update={"most_tokens": 77}))
    assert (answer.text, answer.model, answer.usage) == ("Hello.", "m-1", Usage())
    head, body = server.requests[0]
    assert head.startswith("POST /v1/responses ")
    assert "authorization: bearer sk-hunter2" in head.lower()
    assert "helicone-auth: bearer gateway" in head.lower()
    assert (body["store"], body["max_output_tokens"], body["instructions"]) == (False, 77, "Be brief.")
    assert body["input"] == [{"role": "user", "content": "My name is Ada Lovelace"}]
    assert "tools" not in body
    assert "text" not in body


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (_refusal("401 Unauthorized"), PermanentError),
        (_refusal("403 Forbidden"), PermanentError),
        (_refusal("404 Not Found"), PermanentError),
        (_refusal("400 Bad Request"), PermanentError),
        (_refusal("422 Unprocessable"), PermanentError),
        (_refusal("429 Too Many", code="insufficient_quota"), PermanentError),
    ],
)
async def test_a_refusal_is_final(refusal: str, error: type[HayaiError]) -> None:
    """It is asked once, and its sentence holds neither the key nor what the customer said."""
    async with _asking(refusal, WHOLE) as (server, models):
        with pytest.raises(error) as raised:
            await models.ask(HELLO)
    assert len(server.requests) == 1
    assert "gpt-x" in str(raised.value)
    for private in ("Lovelace", "hunter2"):
        assert private not in str(raised.value)


@pytest.mark.parametrize(
    "fault",
    [
        _refusal("500 Internal Server Error"),
        _refusal("502 Bad Gateway"),
        _refusal("409 Conflict"),
        _refusal("429 Too Many", "retry-after: 0"),
        _refusal("503 Unavailable", "retry-after-ms: 20"),
        "",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 999\r\n\r\n",
        STREAMED,
        STREAMED + _event("response.created", response={**BEGUN, "status": "in_progress"}),
        STREAMED + "event: response.created\ndata: {rubbish\n\n",
        STREAMED + "data: [1, 2]\n\n",
        STREAMED + _event("error", message="overloaded", code="x", param=None, sequence_number=1),
        OPENED + _event("response.failed", response={**BEGUN, "status": "failed"}),
        OPENED + _ended("completed", ""),
        OPENED + _event("response.completed", response={"rubbish": True}),
    ],
    ids=lambda each: each[-40:],
)
async def test_a_fault_is_tried_again(fault: str) -> None:
    """The second try has the whole answer."""
    async with _asking(fault, WHOLE) as (server, models):
        assert (await models.ask(HELLO)).text == "Hello."
    assert len(server.requests) == 2


async def test_the_servers_wait_is_told() -> None:
    """And kept: there is no time for it here."""
    async with _asking(_refusal("429 Too Many", "retry-after: 30")) as (server, models):
        with pytest.raises(RateLimited) as raised:
            await models.ask(HELLO, within=5)
    assert raised.value.after == 30
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT"}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 09:00:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "whenever"}, None),
    ],
)
def test_every_form_of_a_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds, seconds, a date; RFC 9110, section 10.2.3."""
    assert wanted(headers, datetime(2026, 11, 24, 10, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("end", ["", _event("response.failed", response={**BEGUN, "status": "failed"})])
async def test_a_stream_that_breaks_off_is_no_answer(end: str) -> None:
    """What was heard is not said a second time, and nobody takes it for the whole."""
    heard: list[str] = []

    async def hear(piece: str) -> None:
        heard.append(piece)

    async with _asking(OPENED + _delta("Hel") + end, WHOLE) as (server, models):
        with pytest.raises(Unavailable, match="middle of its answer"):
            await models.ask(HELLO, hear)
    assert heard == ["Hel"]
    assert len(server.requests) == 1


async def test_a_text_that_grew_too_long_says_so() -> None:
    """So the last sentence is not taken for whole."""
    cut = OPENED + _delta("Hel") + _ended("incomplete", "Hel", incomplete_details={"reason": "max_output_tokens"})
    filtered = OPENED + _ended("incomplete", "Hel", incomplete_details={"reason": "content_filter"})
    async with _asking(cut, filtered) as (_, models):
        assert (await models.ask(HELLO)).stopped == "length"
        assert (await models.ask(HELLO)).stopped == "filter"


async def test_a_hang_is_given_up_and_the_connection_closed() -> None:
    """After so much silence, or when the caller has no more time; the server is not left writing to nobody."""
    async with _asking(OPENED + "HANG") as (server, models):
        with pytest.raises(Unavailable, match=r"within 0\.3 s"):
            await models.ask(HELLO, within=0.3)
        await asyncio.wait_for(server.gone.wait(), 5)


async def test_a_cancelled_question_is_broken_off() -> None:
    """As when the customer talks on."""
    async with _asking(OPENED + _delta("Hel") + "HANG") as (server, models):
        begun = asyncio.Event()

        async def hear(_: str) -> None:
            begun.set()

        asking = asyncio.ensure_future(models.ask(HELLO, hear))
        await asyncio.wait_for(begun.wait(), 5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(server.gone.wait(), 5)


async def test_nobody_is_there() -> None:
    """The sentence names the address."""
    async with _serving() as server:
        url = f"http://127.0.0.1:{server.port}/v1"
    models = _Quick(_settings(url=url))
    await models.start()
    with pytest.raises(Unavailable, match=f"gpt-x at {url} cannot be reached"):
        await models.ask(HELLO)
    await models.stop()
    with pytest.raises(Unavailable, match="after it was stopped"):
        await models.ask(HELLO)
    await models.stop()


async def test_garbage_in_the_arguments_of_a_tool_is_passed_on() -> None:
    """Whoever runs the tools tells the model what is wrong with them."""
    call = {"type": "function_call", "id": "f", "call_id": "c", "name": "clock", "arguments": '{"city": Lima'}
    stream = STREAMED + _event("response.created", response={**BEGUN, "status": "in_progress"})
    stream += _event("response.completed", response={**BEGUN, "status": "completed", "output": [call]})
    async with _asking(stream) as (_, models):
        (made,) = (await models.ask(HELLO)).calls
    assert (made.id, made.tool, made.arguments) == ("c", "clock", '{"city": Lima')


def test_what_it_costs() -> None:
    """Prices of a million tokens; what the server had at hand has its own, and parts are rounded up."""
    models = OpenAIModels(
        _settings(price_read=Decimal("1.25"), price_cached=Decimal("0.125"), price_written=Decimal(10))
    )
    assert models.price(Usage(read=1000, cached=400, written=100)) == 750 + 50 + 1000
    assert models.price(Usage(read=1)) == 2
    assert OpenAIModels(_settings()).price(Usage(read=1000)) == 0
    assert OpenAIModels(_settings(price_read=Decimal(2))).price(Usage(read=10, cached=10)) == 20


@pytest.mark.parametrize("url", ["http://models.example/v1", "https://key@models.example/v1", "ftp://x", ""])
def test_an_address_that_tells_secrets_is_refused(url: str) -> None:
    """The key and the customers' words travel with each call."""
    with pytest.raises(ValidationError):
        _settings(url=url)


def test_a_network_of_ones_own_may_be_plain() -> None:
    """As a model server beside us in a cluster is."""
    assert _settings(url="http://models.internal:8000/v1", plain=True).plain
    assert "hunter2" not in repr(_settings())


async def test_an_answer_without_usage_in_full_is_an_answer() -> None:
    """Servers other than OpenAI's leave the details out."""
    used = {"input_tokens": 12, "output_tokens": 7, "total_tokens": 19}
    async with _asking(OPENED + _delta("Hello.") + _ended("completed", "Hello.", usage=used)) as (_, models):
        assert (await models.ask(HELLO)).usage == Usage(read=12, written=7)


async def test_rubbish_that_stays_rubbish_is_told_as_such() -> None:
    """After the last try."""
    async with _asking(*[OPENED + _event("response.completed", response=7)] * 3) as (_, models):
        with pytest.raises(AnswerUnusable):
            await models.ask(HELLO)
