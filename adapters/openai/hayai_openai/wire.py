"""Wire: a prompt in the words of the Responses API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayai.ports.models import Called, Said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hayai.ports.models import Item, Tool

_ROLES = {"customer": "user", "agent": "assistant", "house": "developer"}


def items(several: Iterable[Item]) -> list[dict[str, Any]]:
    """The conversation as `input`."""
    return [_item(each) for each in several]


def _item(item: Item) -> dict[str, Any]:
    if isinstance(item, Said):
        return {"role": _ROLES[item.by], "content": item.text}
    if isinstance(item, Called):
        return {"type": "function_call", "call_id": item.id, "name": item.tool, "arguments": item.arguments}
    return {"type": "function_call_output", "call_id": item.id, "output": item.text}


def tools(several: Iterable[Tool]) -> list[dict[str, Any]]:
    """The tools as `tools`; not strict, since our own side judges the arguments and tells the model what is wrong."""
    return [
        {
            "type": "function",
            "name": each.name,
            "description": each.description,
            "parameters": each.parameters,
            "strict": False,
        }
        for each in several
    ]


def shape(schema: dict[str, Any] | None) -> dict[str, Any]:
    """The schema that the text keeps to, as `text`; empty for free text."""
    if schema is None:
        return {}
    return {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}}
