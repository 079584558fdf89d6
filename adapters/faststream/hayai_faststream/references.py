"""References of JSON Schemas that move into one document: what a schema defines inside stands beside it there."""

from __future__ import annotations

from typing import Any, cast

_INSIDE = "#/$defs/"


def hoisted(name: str, schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`schema` under `name`, and each of its definitions under `name.DEFINITION`, all referring to each other there."""
    within: dict[str, dict[str, Any]] = {name: {key: part for key, part in schema.items() if key != "$defs"}}
    within |= {f"{name}.{inner}": part for inner, part in schema.get("$defs", {}).items()}
    return {each: _moved(part, name) for each, part in within.items()}


def _moved(part: Any, name: str) -> Any:
    if isinstance(part, dict):
        return {key: _moved(value, name) for key, value in cast("dict[str, Any]", part).items()}
    if isinstance(part, list):
        return [_moved(each, name) for each in part]
    if isinstance(part, str) and part.startswith(_INSIDE):
        return f"#/components/schemas/{name}.{part.removeprefix(_INSIDE)}"
    return part
