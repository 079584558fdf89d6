"""ModelsContract: what every adapter of the port `models` keeps to."""

from __future__ import annotations

import json
from typing import Any, Protocol

import pytest

from hayai.ports.base import Settings
from hayai.ports.models import Called, Models, Prompt, Returned, Said, Tool, Usage

GREETING = Prompt(instructions="Be brief.", items=(Said(by="customer", text="Hello"),))
"""The model of the fixture answers `Hello! How can I help?`."""
CLOCK = Tool(
    name="clock",
    description="The time in a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
ASKING = Prompt(instructions="", items=(Said(by="customer", text="What time is it in Lima?"),), tools=(CLOCK,))
"""The model of the fixture asks the clock for Lima, and once it was told `09:30` says so."""
BOTH = Prompt(instructions="", items=(Said(by="customer", text="And in Lima and Bonn?"),), tools=(CLOCK,))
"""The model of the fixture asks for both at once."""
SHAPED = Prompt(
    instructions="",
    items=(Said(by="customer", text="A city as JSON"),),
    shape={
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
"""The model of the fixture answers `{"city": "Lima"}`."""


class Pieces(Protocol):
    """What was heard, as a callable that keeps it."""

    heard: list[str]

    async def __call__(self, piece: str) -> None:
        """Keep it."""
        ...


class _Pieces:
    def __init__(self) -> None:
        self.heard: list[str] = []

    async def __call__(self, piece: str) -> None:
        self.heard.append(piece)


class ModelsContract:
    """Inherit, and give a `models` fixture: a started adapter whose model answers as the prompts above say."""

    @pytest.fixture
    def pieces(self) -> Pieces:
        """A listener."""
        return _Pieces()

    async def test_it_is_an_adapter_of_its_port(self, models: Models) -> None:
        """The class inherits from Models, its settings from Settings, and it can say where it is."""
        assert isinstance(models, Models)
        assert issubclass(type(models).Settings, Settings)
        assert models.place()

    async def test_the_pieces_make_up_the_text(self, models: Models, pieces: Pieces) -> None:
        """A text comes in several pieces, and nothing is missing."""
        answer = await models.ask(GREETING, pieces)
        assert answer.text == "Hello! How can I help?" == "".join(pieces.heard)
        assert len(pieces.heard) > 1
        assert not answer.calls
        assert not answer.stopped

    async def test_nobody_needs_to_listen(self, models: Models) -> None:
        """The answer is the same."""
        assert (await models.ask(GREETING)).text == "Hello! How can I help?"

    async def test_it_says_what_it_took(self, models: Models) -> None:
        """Tokens read and written, and who answered."""
        answer = await models.ask(GREETING)
        assert answer.usage.written > 0
        assert answer.model

    async def test_a_tool_is_asked_for_and_its_result_is_heard(self, models: Models) -> None:
        """The call names a tool with arguments in JSON; what was returned for it leads to the answer."""
        asked = await models.ask(ASKING)
        (call,) = asked.calls
        assert (call.tool, json.loads(call.arguments)) == ("clock", {"city": "Lima"})
        told = Returned(id=call.id, text="09:30")
        answer = await models.ask(ASKING.model_copy(update={"items": (*ASKING.items, call, told)}))
        assert "09:30" in answer.text

    async def test_several_tools_are_asked_for_at_once(self, models: Models) -> None:
        """Each call has an id of its own."""
        several = (await models.ask(BOTH)).calls
        assert [json.loads(each.arguments)["city"] for each in several] == ["Lima", "Bonn"]
        assert len({each.id for each in several}) == len(several)
        assert all(isinstance(each, Called) for each in several)

    async def test_a_shape_is_kept(self, models: Models) -> None:
        """A program can read the text."""
        read: Any = json.loads((await models.ask(SHAPED)).text)
        assert read == {"city": "Lima"}

    async def test_twice_as_much_does_not_cost_less(self, models: Models) -> None:
        """A price is a whole number of millionths, and grows with the tokens."""
        usage = Usage(read=1000, written=1000)
        assert 0 <= models.price(usage) <= models.price(usage + usage)
