"""The scripted model keeps to the contract, and the port around it to its own promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hayai.errors import AnswerUnusable, PermanentError, RateLimited, Unavailable
from hayai.ports.models import Answer, Models, Prompt, Said, Usage, unanswered
from hayai.testing.memory_models import ScriptedModels, both, called, calls, says
from hayai.testing.models import GREETING, ModelsContract

if TYPE_CHECKING:
    from hayai.ports.models import Heard


def _answering(prompt: Prompt) -> Answer:
    last = prompt.items[-1]
    if not isinstance(last, Said):
        return says("It is 09:30 in Lima.")
    return {
        "Hello": says("Hello! How can I help?"),
        "What time is it in Lima?": calls("clock", city="Lima"),
        "And in Lima and Bonn?": both(called("clock", city="Lima"), called("clock", city="Bonn")),
        "A city as JSON": says('{"city": "Lima"}'),
    }[last.text]


class TestScriptedModels(ModelsContract):
    """The twin."""

    @pytest.fixture
    def models(self) -> Models:
        """One that answers as the contract wants."""
        return ScriptedModels(*[_answering] * 5)


class _Failing(ScriptedModels):
    """Says a beginning, and then does as `how` has it."""

    silence = 0.05

    def __init__(self, how: Exception | None) -> None:
        super().__init__()
        self.how, self.tries = how, 0

    async def _ask(self, prompt: Prompt, heard: Heard) -> Answer:
        self.tries += 1
        await heard("Hel")
        if self.how is not None:
            raise self.how
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_server_that_fails_is_asked_again() -> None:
    """Nobody has heard anything yet."""
    models = ScriptedModels(Unavailable("away"), AnswerUnusable("rubbish"), says("Hello."))
    assert (await models.ask(GREETING)).text == "Hello."
    assert len(models.asked) == 3


async def test_it_is_given_up_after_the_last_try() -> None:
    """With the last reason."""
    with pytest.raises(Unavailable, match="third"):
        await ScriptedModels(*map(Unavailable, ("first", "second", "third", "fourth"))).ask(GREETING)


async def test_a_refusal_is_not_asked_again() -> None:
    """It would be the same."""
    models = ScriptedModels(PermanentError("no such model"), says("Hello."))
    with pytest.raises(PermanentError, match="no such model"):
        await models.ask(GREETING)
    assert len(models.asked) == 1


async def test_the_server_says_when_to_come_again() -> None:
    """It is waited for where there is time, and not where there is none."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await ScriptedModels(RateLimited("slow down", after=0.2), says("Hello.")).ask(GREETING, within=5)
    assert loop.time() - begun >= 0.2
    begun = loop.time()
    with pytest.raises(RateLimited):
        await ScriptedModels(RateLimited("slow down", after=60), says("Hello.")).ask(GREETING, within=5)
    assert loop.time() - begun < 1


async def test_a_beginning_is_not_said_twice() -> None:
    """What was heard cannot be unsaid."""
    models = _Failing(Unavailable("broken off"))
    with pytest.raises(Unavailable, match="broken off"):
        await models.ask(GREETING)
    assert models.tries == 1


async def test_silence_is_an_end() -> None:
    """A stream that hangs is given up long before the deadline."""
    with pytest.raises(Unavailable, match="fallen silent"):
        await asyncio.wait_for(_Failing(None).ask(GREETING, within=60), 5)


async def test_there_is_no_more_time_than_that() -> None:
    """The deadline counts the tries and the pauses."""
    models = _Failing(None)
    models.silence = 60  # type: ignore[misc]
    with pytest.raises(Unavailable, match=r"within 0\.05 s"):
        await asyncio.wait_for(models.ask(GREETING, within=0.05), 5)


async def test_no_answer_at_all_is_none() -> None:
    """Neither text nor a call."""
    with pytest.raises(AnswerUnusable):
        await ScriptedModels(*[Answer()] * 3).ask(GREETING)


def test_what_is_said_stays_out_of_an_error() -> None:
    """And out of what a log would show."""
    assert "secret" not in repr(says("a secret")) + repr(called("clock", city="secret"))
    assert "secret" not in repr(Said(by="customer", text="a secret"))


def test_a_call_without_a_result_is_found() -> None:
    """Servers refuse a conversation that has one."""
    call = called("clock", city="Lima")
    assert list(unanswered((Said(by="customer", text="?"), call))) == [call]


def test_usage_adds_up() -> None:
    """Field by field."""
    assert Usage(read=1, written=2, cached=1) + Usage(read=10, written=20) == Usage(read=11, written=22, cached=1)
