"""Turn: one message answered by the model: asked, its tools run, asked again, until it has said something provable."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai.agents.caller import Caller
from hayai.agents.speech import Speech
from hayai.agents.truth import Truth
from hayai.effects import EffectKind
from hayai.errors import HayaiError
from hayai.ports.models import Answer, Said, Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Any

    from hayai.agents.agent import Agent
    from hayai.agents.history import History
    from hayai.agents.tools import Result
    from hayai.handlers import Context
    from hayai.ports.models import Called, Models
    from hayai.vocabulary.messages import MessageReceived

MODEL = EffectKind("model", unknown="again")
"""Asking a model: what it answered is kept, so an event that comes again is answered with the same words and acts."""


@dataclass(frozen=True)
class Budget:
    """What an agent may spend before its rules, or a person, take over."""

    seconds: float = 8.0
    """For one message, tools included; no step is begun after it."""
    filler_after: float = 3.0
    """Seconds without a word after which the filler is said."""
    steps: int = 6
    """Questions to the model for one message."""
    rewrites: int = 2
    """Of these, how many for an answer that could not be proven."""
    calls: int = 16
    """Calls of tools for one message."""
    answer_tokens: int = 700
    """The most that the model may write in one step."""
    tokens: int = 40_000
    """Read and written for one message."""
    cost: int | None = None
    """For one message, in millionths of the currency of the prices in [models]."""
    conversation_tokens: int = 400_000
    """Read and written in one conversation."""


class Stumbled(Exception):
    """The model cannot answer this message; its text says why, in our words."""


class Turn:
    """One message on its way to an answer."""

    def __init__(self, agent: Agent, models: Models, received: MessageReceived, context: Context) -> None:
        self._agent, self._models, self._received, self._context = agent, models, received, context
        self._ends = asyncio.get_running_loop().time() + agent.budget.seconds
        self._calls = 0
        self.caller = Caller(context, received)
        self.said: list[str] = []
        """The sentences that went out."""
        self.done: list[str] = []
        """What tools have done, as sentences for the customer."""
        self.usage = Usage()
        self.model = ""

    async def run(self, history: History) -> History:
        """The history afterwards. Raises Stumbled, and what a tool or the ledger raises."""
        self.history = history.with_items(Said(by="customer", text=self._received.text))
        async with self._filled():
            rewrites = 0
            for step in range(self._agent.budget.steps):
                if not (doubtful := await self._step(step)):
                    return self.history
                rewrites += doubtful.count("withheld")
                if rewrites > self._agent.budget.rewrites:
                    raise Stumbled("the model keeps saying what no tool has returned")
        raise Stumbled("the model calls tools without end")

    async def _step(self, step: int) -> str:
        """One question to the model. Empty once the answer stands; `withheld` or `called` where another follows."""
        speech = Speech(Truth(self.history.facts, self.caller.today()), self._say)
        answer = await self._asked(step, speech)
        await speech.finish(answer.text, whole=answer.stopped != "length")
        if speech.said:
            self.history = self.history.with_items(Said(by="agent", text=" ".join(speech.said)))
        if answer.calls:
            await self._run(step, answer.calls)
            return "called"
        if speech.withheld:
            self.history = self.history.with_items(Said(by="house", text=_correction(speech)))
            return "withheld"
        if not speech.said:
            raise Stumbled("the model said nothing that could be sent")
        return ""

    async def _asked(self, step: int, speech: Speech) -> Answer:
        self._refuse_overspent()
        prompt = self._agent.colleague(self.history.speaker).prompt(self.caller, self.history)
        failed: list[HayaiError] = []

        async def act() -> Any:
            try:
                answer = await self._models.ask(prompt, speech.hear, within=self._left())
            except HayaiError as failure:
                failed.append(failure)
                raise
            return answer.model_dump(mode="json")

        try:
            answer = Answer.model_validate(await self._context.once(MODEL, str(step), act))
        except HayaiError as failure:
            if failure not in failed:  # the ledger's own: not a matter of the model
                raise
            raise Stumbled(f"the model failed: {type(failure).__name__}") from failure
        self._spent(answer)
        return answer

    def _refuse_overspent(self) -> None:
        budget, usage = self._agent.budget, self.usage
        tokens = usage.read + usage.written
        if tokens >= budget.tokens or self.history.tokens >= budget.conversation_tokens:
            raise Stumbled("the budget of tokens is spent")
        if budget.cost is not None and self._models.price(usage) >= budget.cost > 0:
            raise Stumbled("the budget of money is spent")
        if self._left() <= 0:
            raise Stumbled("the time is up")

    def _left(self) -> float:
        return self._ends - asyncio.get_running_loop().time()

    def _spent(self, answer: Answer) -> None:
        self.usage, self.model = self.usage + answer.usage, answer.model or self.model
        tokens = self.history.tokens + answer.usage.read + answer.usage.written
        self.history = self.history.but(tokens=tokens)

    async def _run(self, step: int, calls: tuple[Called, ...]) -> None:
        """Run the tools side by side; none is broken off, since half a booking is worse than a late answer."""
        self._calls += len(calls)
        if self._calls > self._agent.budget.calls:
            raise Stumbled("the model calls tools without end")
        results = await asyncio.gather(*(self._called(f"{step}.{place}", each) for place, each in enumerate(calls)))
        self.history = self.history.with_items(*calls).with_results(calls, results)
        self.done += [each.text for each in results if each.deeds]

    async def _called(self, place: str, call: Called) -> Result:
        caller = Caller(self._context, self._received, place, self.caller.events)
        speaker = self._agent.colleague(self.history.speaker)
        if (to := self._agent.passed_on(call.tool)) is not None:
            self.history = self.history.but(speaker=to)
            return speaker.passing(to)
        return await speaker.tools.run(caller, call)

    async def _say(self, sentence: str) -> None:
        self.said.append(sentence)
        await self._context.stream(f"{sentence} ")

    @asynccontextmanager
    async def _filled(self) -> AsyncGenerator[None]:
        """Whoever waits hears that somebody is there."""
        waiting = asyncio.create_task(self._fill())
        try:
            yield
        finally:
            waiting.cancel()
            await asyncio.wait([waiting])

    async def _fill(self) -> None:
        await asyncio.sleep(self._agent.budget.filler_after)
        if not self.said:
            await self._context.stream(f"{self._agent.filler} ")


def _correction(speech: Speech) -> str:
    sent = f"The customer has heard: {' '.join(speech.said)}" if speech.said else "The customer has heard nothing yet."
    return (
        f"Your sentence was not sent: {speech.withheld!r}. No tool of this conversation has returned "
        f"{', '.join(speech.doubts)}. {sent} Go on from there: call a tool first, or say it without that."
    )
