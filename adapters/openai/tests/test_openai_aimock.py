"""The contract with the real client against aimock, an independent server of OpenAI's wire format, from npm."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from hayai.errors import AnswerUnusable, RateLimited, Unavailable
from hayai.ports.models import Prompt, Said
from hayai.testing.aimock import Aimock, aimock
from hayai.testing.models import GREETING, ModelsContract
from hayai_openai.models import OpenAIModels, OpenAISettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.storm

NODE_MODULES = Path(__file__).parents[3] / ".tools/node/node_modules"
TURNS = Path(__file__).with_name("contract.json")


@pytest.fixture
async def server() -> AsyncIterator[Aimock]:
    """It says what stands in contract.json, and refuses anything else."""
    async with aimock(NODE_MODULES, TURNS) as running:
        yield running


@pytest.fixture
async def models(server: Aimock) -> AsyncIterator[OpenAIModels]:
    """The adapter before it."""
    models = OpenAIModels(OpenAISettings(model="gpt-x", key=SecretStr("any"), url=f"{server.url}/v1"))
    await models.start()
    yield models
    await models.stop()


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
    models: OpenAIModels, server: Aimock, rates: dict[str, float], error: type[Exception]
) -> None:
    """Every try fails; the error of ours says how, and the next question is answered."""
    await server.chaos(**rates)
    with pytest.raises(error):
        await models.ask(GREETING, within=6)
    await server.chaos(**dict.fromkeys(rates, 0.0))
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
