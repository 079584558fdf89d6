"""Language models behind OpenAI's Responses API, at OpenAI or at any server that speaks it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

import httpx2
from openai import AsyncOpenAI, OpenAIError
from pydantic import Field, SecretStr, model_validator

from hayai.errors import AnswerUnusable, Unavailable
from hayai.ports import base
from hayai.ports.models import Answer, Called, Models, Usage
from hayai_openai.refusals import meaning
from hayai_openai.warming import warm
from hayai_openai.wire import items, shape, tools

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from openai.types.responses import Response, ResponseUsage

    from hayai.ports.models import Heard, Prompt

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_CONNECTING = 5.0
_STOPPED: dict[str | None, Any] = {"max_output_tokens": "length", "content_filter": "filter"}


class OpenAISettings(base.Settings):
    """The `[models]` table of a tier file with `adapter = "openai"`."""

    model: str = Field(min_length=1, description="the model's name, as its server lists it")
    key: SecretStr = Field(description="the key that the server issued; any text where it wants none")
    url: str = Field(
        default="https://api.openai.com/v1",
        pattern=r"^https?://[^/\s@]+(/[^\s?#]*)?$",
        description="the address before /responses: of OpenAI, of a gateway, or of a server of your own",
    )
    plain: bool = Field(default=False, description="true to speak http:// with a server in a network of your own")
    headers: dict[str, SecretStr] = Field(default={}, description="further headers, such as a gateway's key")
    price_read: Decimal = Field(default=Decimal(0), ge=0, description="what a million tokens read cost")
    price_cached: Decimal | None = Field(
        default=None, ge=0, description="what a million cost that the server had at hand; left out, as any read"
    )
    price_written: Decimal = Field(default=Decimal(0), ge=0, description="what a million tokens written cost")

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        """The key and every word of a customer travel with each call."""
        local = self.plain or urlsplit(self.url).hostname in _LOOPBACK
        if self.url.startswith("http://") and not local:
            raise ValueError("[models] url must begin with https://, or set plain = true for a network of your own")
        return self


class OpenAIModels(Models):
    """Nothing is kept at the server (`store` is off), and the SDK tries nothing again by itself: the port does."""

    Settings: ClassVar[type[base.Settings]] = OpenAISettings

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._client: AsyncOpenAI | None = None

    async def start(self) -> None:
        """Make the client; the server is not asked yet, since an install stands without its model."""
        await asyncio.to_thread(warm)
        self._client = await asyncio.to_thread(self._made)  # certificates are read from files

    def _made(self) -> AsyncOpenAI:
        settings = self._settings
        return AsyncOpenAI(
            api_key=settings.key.get_secret_value(),
            base_url=settings.url,
            default_headers={name: value.get_secret_value() for name, value in settings.headers.items()},
            max_retries=0,
            timeout=httpx2.Timeout(self.silence, connect=_CONNECTING),
        )

    async def stop(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _ask(self, prompt: Prompt, heard: Heard) -> Answer:
        if self._client is None:
            raise Unavailable(f"{self.place()} is asked before it was started, or after it was stopped.")
        try:
            async with self._client.responses.stream(**self._request(prompt)) as stream:
                return await self._read(stream, heard)
        except (OpenAIError, httpx2.HTTPError, httpx2.StreamError) as refused:
            raise meaning(refused, self.place()) from None
        except (ValueError, AttributeError, TypeError, RuntimeError):  # the SDK's own, over bytes that fit nothing
            raise AnswerUnusable(f"{self.place()} sent what is no answer of a model.") from None

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._settings.model,
            "input": items(prompt.items),
            "max_output_tokens": prompt.most_tokens,
            "store": False,
        }
        optional = {"instructions": prompt.instructions, "tools": tools(prompt.tools), "text": shape(prompt.shape)}
        return request | {name: value for name, value in optional.items() if value}

    async def _read(self, stream: AsyncIterable[Any], heard: Heard) -> Answer:
        """The finished answer; only the event that ends a stream tells that nothing is missing."""
        async for event in stream:
            if event.type == "response.output_text.delta":
                await heard(event.delta)
            elif event.type in {"response.completed", "response.incomplete"}:
                return self._answer(event.response)
            elif event.type in {"response.failed", "error"}:
                raise Unavailable(f"{self.place()} gave up in the middle of its answer.")
        raise Unavailable(f"{self.place()} broke off in the middle of its answer.")

    def _answer(self, response: Response) -> Answer:
        cut = response.incomplete_details
        calls = [each for each in response.output if each.type == "function_call"]
        return Answer(
            text=response.output_text,
            calls=tuple(Called(id=each.call_id, tool=each.name, arguments=each.arguments) for each in calls),
            usage=_usage(response.usage),
            model=response.model,
            stopped=_STOPPED.get(cut.reason, "length") if cut else "",
        )

    def price(self, usage: Usage) -> int:
        """By the prices in the tier file, rounded up: so much a million tokens is so many millionths a token."""
        settings = self._settings
        cached = settings.price_read if settings.price_cached is None else settings.price_cached
        fresh = usage.read - usage.cached
        whole = fresh * settings.price_read + usage.cached * cached + usage.written * settings.price_written
        return int(whole.to_integral_value("ROUND_CEILING"))

    def place(self) -> str:
        """The model and its server."""
        return f"{self._settings.model} at {self._settings.url}"


def _usage(told: ResponseUsage | None) -> Usage:
    """What the server counted; many a server leaves the details out, and some the whole."""
    if told is None:
        return Usage()
    details = getattr(told, "input_tokens_details", None)
    cached = getattr(details, "cached_tokens", None) or 0
    return Usage(read=told.input_tokens, written=told.output_tokens, cached=min(cached, told.input_tokens))
