"""Warming: the SDK builds its types when the first answer comes, which holds the event loop up for most of a second.

So an answer that nobody asked for goes through it before, in a thread.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2
from openai import OpenAI

_RESPONSE: dict[str, Any] = {"id": "r", "object": "response", "created_at": 0, "model": "m", "output": []}
_TEXT: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
_MESSAGE: dict[str, Any] = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": []}
_CALL: dict[str, Any] = {"type": "function_call", "id": "f", "call_id": "c", "name": "t", "arguments": "{}"}
_USAGE: dict[str, Any] = {
    "input_tokens": 1,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 1,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 2,
}
_AT: dict[str, Any] = {"item_id": "m", "output_index": 0, "content_index": 0}
_EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "response.created", "response": _RESPONSE},
    {"type": "response.in_progress", "response": _RESPONSE},
    {"type": "response.output_item.added", "output_index": 0, "item": _MESSAGE},
    {"type": "response.content_part.added", **_AT, "part": _TEXT},
    {"type": "response.output_text.delta", **_AT, "delta": ""},
    {"type": "response.output_text.done", **_AT, "text": ""},
    {"type": "response.content_part.done", **_AT, "part": _TEXT},
    {"type": "response.output_item.done", "output_index": 0, "item": _MESSAGE},
    {"type": "response.output_item.added", "output_index": 1, "item": {**_CALL, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "item_id": "f", "output_index": 1, "delta": "{}"},
    {"type": "response.function_call_arguments.done", "item_id": "f", "output_index": 1, "arguments": "{}"},
    {"type": "response.output_item.done", "output_index": 1, "item": _CALL},
    {
        "type": "response.completed",
        "response": {
            **_RESPONSE,
            "output": [{**_MESSAGE, "content": [_TEXT]}, _CALL],
            "usage": _USAGE,
            "incomplete_details": {"reason": "max_output_tokens"},
        },
    },
)
"""Every kind that an answer of text and calls is made of."""


def warm() -> None:
    """Have the SDK build the types of an answer; blocks, and asks no network."""
    with (
        httpx2.Client(transport=httpx2.MockTransport(_answered)) as transport,
        OpenAI(api_key="none", base_url="http://nowhere", http_client=transport).responses.stream(
            model="m", input="x", tools=[{"type": "function", "name": "t", "parameters": {}, "strict": False}]
        ) as stream,
    ):
        for _ in stream:
            pass


def _answered(_: httpx2.Request) -> httpx2.Response:
    events = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in _EVENTS)
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=events)
