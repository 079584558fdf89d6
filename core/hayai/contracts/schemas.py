"""JSON Schema of an event's data, and where two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hayai.event import personal_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hayai.event import Event

JSON = dict[str, Any]
_WORDS = ("title", "description", "examples")
"""What people read and no machine does."""
PERSONAL = "x-personal"
"""The keyword at a field that holds a person's data: it may travel encrypted."""


def schema(event: type[Event]) -> JSON:
    """The JSON Schema (2020-12) of what a publisher of that version must send as `data`."""
    made = event.model_json_schema(mode="validation", ref_template="#/$defs/{model}")
    for name in personal_fields(event):
        made["properties"][name][PERSONAL] = True
    return made


def is_open(event: type[Event]) -> bool:
    """Whether the class takes any field, as one does that only passes an event on."""
    return event.model_config.get("extra") == "allow"


def differences(one: type[Event], other: type[Event]) -> list[str]:
    """The fields that two classes of one version describe differently; none where one of them takes anything."""
    if one is other or is_open(one) or is_open(other):
        return []
    left, right = bare(schema(one)), bare(schema(other))
    fields = _fields(left) | _fields(right)
    odd = [each for each in sorted(fields) if _field(left, each) != _field(right, each)]
    return odd or ([] if left == right else ["what is inside of them"])


def breaks(before: JSON, after: JSON) -> list[str]:
    """Why data that fitted the schema `before` may not fit `after`, field by field; empty when they do.

    A field may be added when it need not be given. Everything else is a new version.
    """
    if after.get("additionalProperties") is True:
        return []
    left, right = bare(before), bare(after)
    return [*_lost(left, right), *_changed(left, right), *_demanded(left, right)]


def bare(part: object, *, names: bool = False) -> Any:
    """`part` of a schema without titles and descriptions; `names` where its keys are names of fields."""
    if isinstance(part, list):
        return [bare(each) for each in cast("list[object]", part)]
    if not isinstance(part, dict):
        return part
    inside = cast("dict[str, object]", part)
    return {
        key: bare(value, names=key in {"properties", "$defs"} and not names)
        for key, value in inside.items()
        if names or key not in _WORDS
    }


def _lost(before: JSON, after: JSON) -> Iterator[str]:
    yield from (f"{name} is gone" for name in sorted(_fields(before) - _fields(after)))


def _changed(before: JSON, after: JSON) -> Iterator[str]:
    for name in sorted(_fields(before) & _fields(after)):
        if _inside(before, name) != _inside(after, name):
            yield f"{name} changed"


def _demanded(before: JSON, after: JSON) -> Iterator[str]:
    required = set(after.get("required", ())) - set(before.get("required", ()))
    yield from (f"{name} must be given" for name in sorted(required))


def _fields(of: Mapping[str, Any]) -> set[str]:
    return set(of.get("properties", {}))


def _inside(of: JSON, name: str) -> Any:
    """The field with what it refers to, but for its default: another default fits the same data."""
    found = dict(of["properties"][name])
    found.pop("default", None)
    found.pop(PERSONAL, None)  # sealed or not, a codec can tell
    return found, of.get("$defs") if "$ref" in str(found) else None


def _field(of: JSON, name: str) -> Any:
    return of.get("properties", {}).get(name), name in of.get("required", ())
