"""The contract with the real client against aimock, an independent server of OpenAI's wire format, from npm."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr

from hayai.errors import AnswerUnusable, RateLimited, Unavailable
from hayai.ports.models import Prompt, Said
from hayai.testing.models import GREETING, ModelsContract
from hayai.testing.servers import free_port
from hayai_openai.models import OpenAIModels, OpenAISettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.storm

ROOT = Path(__file__).parents[3]
AIMOCK = ROOT / ".tools/node/node_modules/@copilotkit/aimock/dist/cli.js"
TURNS = Path(__file__).with_name("contract.json")


@pytest.fixture
async def aimock() -> AsyncIterator[str]:
    """Its address; it says what stands in contract.json, and refuses anything else."""
    assert AIMOCK.exists(), "aimock is not installed: run `make test.channels`, which brings it"
    port = free_port()
    command = ("node", str(AIMOCK), "-p", str(port), "-f", str(TURNS), "--strict")
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        await _up(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _up(url: str) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient() as client:
        while True:
            with suppress(httpx.TransportError):
                await client.get(url)
                return
            await asyncio.sleep(0.1)


@pytest.fixture
async def models(aimock: str) -> AsyncIterator[OpenAIModels]:
    """The adapter before it."""
    models = OpenAIModels(OpenAISettings(model="gpt-x", key=SecretStr("any"), url=f"{aimock}/v1"))
    await models.start()
    yield models
    await models.stop()


async def _chaos(url: str, **rates: float) -> None:
    async with httpx.AsyncClient() as client:
        (await client.post(f"{url}/__aimock/chaos", json=rates)).raise_for_status()


def _saying(text: str) -> Prompt:
    return Prompt(instructions="", items=(Said(by="customer", text=text),))


class TestOpenAIModels(ModelsContract):
    """Ours, with the real client."""


@pytest.mark.parametrize(
    ("rates", "error"),
    [
        ({"dropRate": 1.0}, Unavailable),
        ({"malformedRate": 1.0}, (Unavailable, AnswerUnusable)),
        ({"disconnectRate": 1.0}, Unavailable),
        ({"rateLimitRate": 1.0}, RateLimited),
    ],
    ids=["500", "malformed", "disconnect", "429"],
)
async def test_chaos_has_a_clear_outcome(
    models: OpenAIModels, aimock: str, rates: dict[str, float], error: type[Exception]
) -> None:
    """Every try fails; the error of ours says how, and the next question is answered."""
    await _chaos(aimock, **rates)
    with pytest.raises(error):
        await models.ask(GREETING, within=6)
    await _chaos(aimock, **dict.fromkeys(rates, 0.0))
    assert (await models.ask(GREETING)).text == "Hello! How can I help?"


async def test_a_truncated_stream_is_no_answer(models: OpenAIModels) -> None:
    """The server stops after three pieces."""
    with pytest.raises(Unavailable):
        await models.ask(_saying("Break off"))


async def test_a_hang_of_forty_seconds_is_not_waited_for(models: OpenAIModels) -> None:
    """The caller's time counts."""
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="within 2 s"):
        await models.ask(_saying("Take your time"), within=2)
    assert time.monotonic() - begun < 5


async def test_malformed_arguments_are_passed_on(models: OpenAIModels) -> None:
    """As the model wrote them."""
    (call,) = (await models.ask(_saying("Rubbish"))).calls
    assert call.arguments == '{"city": Lima'
