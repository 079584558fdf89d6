"""ScriptedModels: the twin of the port `models`, which says what a test wrote down beforehand; no network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hayai.errors import PermanentError
from hayai.ports.models import Answer, Called, Models, Usage
from hayai.tokens import fresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.ports.models import Heard, Prompt

    Step = Answer | Exception | Callable[[Prompt], "Answer"]

PRICE = 2
"""What a token costs here, in millionths."""


class ScriptedModels(Models):
    """Goes through `steps`: an answer, an error to raise, or a function that answers a prompt."""

    pauses = (0.0, 0.0)

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.asked: list[Prompt] = []
        """Every prompt that came, in order."""

    async def _ask(self, prompt: Prompt, heard: Heard) -> Answer:
        self.asked.append(prompt)
        if not self.steps:
            raise PermanentError("The script of the model has no further step: write down what it answers to that.")
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        answer = step if isinstance(step, Answer) else step(prompt)
        for piece in answer.text.splitlines(keepends=True):
            for word in piece.split(" "):
                await heard(word if piece.endswith(word) else f"{word} ")
        return answer

    def price(self, usage: Usage) -> int:
        """Two millionths a token."""
        return PRICE * (usage.read + usage.written)

    def place(self) -> str:
        """The script."""
        return "the model's script"


def says(text: str) -> Answer:
    """A step in which the model says `text`."""
    return Answer(text=text, usage=Usage(read=100, written=len(text.split())), model="script")


def calls(tool: str, **arguments: Any) -> Answer:
    """A step in which the model calls one tool."""
    return both(called(tool, **arguments))


def called(tool: str, **arguments: Any) -> Called:
    """The call of a tool."""
    return Called(id=f"call-{fresh()}", tool=tool, arguments=json.dumps(arguments))


def both(*several: Called, text: str = "") -> Answer:
    """A step in which the model calls several tools at once, and may say something."""
    return Answer(text=text, calls=several, usage=Usage(read=100, written=20), model="script")
