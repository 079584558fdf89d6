"""Sentences: what is wrong with data that does not fit a model, in words, and never with a value that may be secret."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast, get_args

from pydantic import BaseModel, SecretBytes, SecretStr

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

Path = tuple[int | str, ...]
"""The way to a value: keys and positions from the outside in."""


def spot(where: str, path: Path) -> str:
    """The place as a reader of TOML knows it: `[bus] url`, `[web] port`, `tier`."""
    *tables, key = (*([where] if where else []), *map(str, path)) or ("the file",)
    heading, inner = (tables[0], tables[1:]) if tables else ("", [])
    return f"[{heading}] {'.'.join([*inner, key])}" if heading else key


def nearest(name: str, known: Collection[str]) -> str:
    """The end of a sentence about an unknown name: what was probably meant, else what there is."""
    if near := get_close_matches(name, known, n=1):
        return f": did you mean {near[0]}?"
    return f": there is {', '.join(sorted(known)) or 'none'}"


def description(model: type[BaseModel], path: Path) -> str:
    """What the model says of the field at `path`, in brackets."""
    found = _field(model, path)
    return f" ({found.description})" if found and found.description else ""


def misfits(model: type[BaseModel], where: str, wrong: ValidationError, unless: Collection[object] = ()) -> list[str]:
    """A sentence for each thing wrong, without those under a first key in `unless`."""
    found = [error for error in wrong.errors(include_url=False) if error["loc"][:1] not in [(key,) for key in unless]]
    return [_misfit(model, where, error) for error in found]


def _misfit(model: type[BaseModel], where: str, error: ErrorDetails) -> str:
    path = error["loc"]
    if error["type"] == "extra_forbidden":
        return f"{spot(where, path)} is unknown{nearest(str(path[-1]), _names(model, path[:-1]))}"
    if error["type"] == "missing":
        return f"{spot(where, path)} is missing{description(model, path)}"
    return f"{spot(where, path)} does not fit: {_reason(model, error)}{description(model, path)}"


def _reason(model: type[BaseModel], error: ErrorDetails) -> str:
    """The words of pydantic, where they cannot repeat what was given."""
    found = _field(model, error["loc"])
    if found is None or _hides(found.annotation):
        return error["type"].replace("_", " ")
    said = error["msg"].removeprefix("Value error, ")
    for given in _texts(error["input"]):
        said = said.replace(given, "***")
    return said[:1].lower() + said[1:]


def _texts(given: Any) -> Iterator[str]:
    """Every text in what was given, as a check of the model's own might repeat it."""
    if isinstance(given, str) and given:
        yield given
    elif isinstance(given, dict | list | tuple):
        for each in cast("dict[str, Any]", given).values() if isinstance(given, dict) else cast("list[Any]", given):
            yield from _texts(each)


def _field(model: type[BaseModel], path: Sequence[int | str]) -> FieldInfo | None:
    """The field at `path`, or the one around it where the path goes on into a list."""
    found: FieldInfo | None = None
    inner: type[BaseModel] | None = model
    for part in path:
        if inner is None or part not in inner.model_fields:
            break
        found = inner.model_fields[str(part)]
        inner = _model(found.annotation)
    return found


def _names(model: type[BaseModel], path: Path) -> Collection[str]:
    outer = _field(model, path)
    inner = _model(outer.annotation) if outer else model
    return list(inner.model_fields) if inner else []


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `Web` or `Web | None`."""
    inside = (annotation, *get_args(annotation))
    return next((each for each in inside if isinstance(each, type) and issubclass(each, BaseModel)), None)


def _hides(annotation: Any) -> bool:
    return annotation in (SecretStr, SecretBytes) or any(map(_hides, get_args(annotation)))
