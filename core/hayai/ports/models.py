"""Models: ask a language model for the next step of a conversation."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hayai.errors import AnswerUnusable, HayaiError, RateLimited, Unavailable
from hayai.ports.base import Adapter

if TYPE_CHECKING:
    from collections.abc import Iterator

Heard = Callable[[str], Awaitable[None]]
"""What is told each piece of text as it comes, without its end."""


class _Part(BaseModel):
    """Frozen, and known by its field `kind` in JSON; what is in it may be anybody's words, so an error shows none."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Said(_Part):
    """A line of the conversation: the customer's, the model's own, or what the house tells the model."""

    kind: Literal["said"] = "said"
    by: Literal["customer", "agent", "house"]
    text: str = Field(repr=False)


class Called(_Part):
    """The model asks for a tool; `arguments` is JSON as the model wrote it, which may be no JSON at all."""

    kind: Literal["called"] = "called"
    id: str
    tool: str
    arguments: str = Field(repr=False)


class Returned(_Part):
    """What a tool returned for the call `id`."""

    kind: Literal["returned"] = "returned"
    id: str
    text: str = Field(repr=False)


Item = Said | Called | Returned


class Tool(_Part):
    """A tool that the model may ask for; `parameters` is the JSON Schema of an object, every property required."""

    name: str
    description: str
    parameters: dict[str, Any]


class Prompt(_Part):
    """All that the model is given for one step; it remembers nothing itself."""

    instructions: str = Field(repr=False)
    items: tuple[Item, ...] = Field(repr=False)
    tools: tuple[Tool, ...] = ()
    shape: dict[str, Any] | None = None
    """The JSON Schema that the text keeps to, for an answer that a program reads; None for free text."""
    most_tokens: int = Field(default=1000, gt=0)
    """The most that the model may write."""


class Usage(_Part):
    """What a step took, in tokens; `cached` is the part of `read` that the model's server had at hand."""

    read: int = Field(default=0, ge=0)
    written: int = Field(default=0, ge=0)
    cached: int = Field(default=0, ge=0)

    def __add__(self, other: Usage) -> Usage:
        """The sum of both."""
        return Usage(
            read=self.read + other.read, written=self.written + other.written, cached=self.cached + other.cached
        )


class Answer(_Part):
    """One step of the model: text, calls of tools to be made, or both."""

    text: str = Field(default="", repr=False)
    calls: tuple[Called, ...] = ()
    usage: Usage = Usage()
    model: str = ""
    """The model that answered, as its server names it."""
    stopped: Literal["", "length", "filter"] = ""
    """Why the text ends too early: it grew too long, or the server's filter cut it off; empty where it does not."""


async def unheard(piece: str) -> None:
    """Let a piece go by."""


class Models(Adapter):
    """A language model.

    An adapter writes `_ask`, `price` and `place`: the deadline, the silence after which nothing more is awaited,
    second tries and what an answer must be are kept here.
    """

    silence: ClassVar[float] = 20.0
    """Seconds without a piece after which the model counts as gone."""
    pauses: ClassVar[tuple[float, ...]] = (0.3, 1.0)
    """Seconds to wait before each further try, where the server names none itself."""

    async def ask(self, prompt: Prompt, heard: Heard = unheard, *, within: float = 60.0) -> Answer:
        """The model's next step, within so many seconds; its text goes to `heard` piece by piece as it comes.

        It is tried again only as long as nothing was heard, so no listener is told a beginning twice. To break it off,
        cancel the task. Raises Unavailable where no whole answer comes in time, RateLimited where the server wants
        longer than there is, AnswerUnusable for what is no answer, PermanentError where it refuses.
        """
        try:
            async with asyncio.timeout(within):
                return await self._patiently(prompt, _Listening(heard, self.silence), within)
        except TimeoutError:
            raise Unavailable(f"{self.place()} gave no whole answer within {within:g} s.") from None

    async def _patiently(self, prompt: Prompt, listening: _Listening, within: float) -> Answer:
        ends = asyncio.get_running_loop().time() + within
        for pause in self.pauses:
            try:
                return await self._once(prompt, listening)
            except (Unavailable, RateLimited, AnswerUnusable) as failed:
                await self._again(failed, listening, pause, ends)
        return await self._once(prompt, listening)

    async def _again(self, failed: HayaiError, listening: _Listening, pause: float, ends: float) -> None:
        """Wait until the next try; raises `failed` where it would come too late, or repeat what was heard."""
        wanted = failed.after if isinstance(failed, RateLimited) and failed.after is not None else pause
        if listening.begun or asyncio.get_running_loop().time() + wanted >= ends:
            raise failed
        await asyncio.sleep(wanted)

    async def _once(self, prompt: Prompt, listening: _Listening) -> Answer:
        try:
            async with asyncio.timeout(self.silence) as patience:
                listening.patience = patience
                answer = await self._ask(prompt, listening)
        except TimeoutError:
            raise Unavailable(f"{self.place()} has fallen silent for {self.silence:g} s.") from None
        except ValidationError:
            raise AnswerUnusable(f"{self.place()} sent what is no answer of a model.") from None
        if not answer.text and not answer.calls and not answer.stopped:
            raise AnswerUnusable(f"{self.place()} answered nothing at all.")
        return answer

    @abstractmethod
    async def _ask(self, prompt: Prompt, heard: Heard) -> Answer:
        """One try. A stream that ends before its end is Unavailable.

        Raises Unavailable, RateLimited with the seconds that the server names, AnswerUnusable, PermanentError.
        """

    @abstractmethod
    def price(self, usage: Usage) -> int:
        """What that costs, in millionths of the currency in which the operator counts; 0 where it costs nothing."""

    @abstractmethod
    def place(self) -> str:
        """Which model where, for an error's sentence; holds no secret."""


class _Listening:
    """Passes pieces on, and puts the silence's end off with each."""

    def __init__(self, heard: Heard, silence: float) -> None:
        self._heard, self._silence = heard, silence
        self.begun = False
        self.patience: asyncio.Timeout | None = None

    async def __call__(self, piece: str) -> None:
        if not piece:
            return
        self.begun = True
        if self.patience is not None:
            self.patience.reschedule(asyncio.get_running_loop().time() + self._silence)
        await self._heard(piece)


def unanswered(items: tuple[Item, ...]) -> Iterator[Called]:
    """The calls among `items` that nothing was returned for; no server takes a conversation that has one."""
    returned = {each.id for each in items if isinstance(each, Returned)}
    return (each for each in items if isinstance(each, Called) and each.id not in returned)
