"""Tools: coroutine functions that a model may ask for, typed by their signature; what it writes is judged here."""

from __future__ import annotations

import inspect
import json
import re
import typing
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from hayai.agents.caller import Caller, Done
from hayai.errors import BookingRefused, HandlerMisdeclared
from hayai.ports.models import Tool

if TYPE_CHECKING:
    from hayai.event import Event
    from hayai.ports.models import Called

Function = Callable[..., Awaitable[str | Done]]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_LONGEST = 8000
"""Characters of a result that a model is given."""


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True)
class Result:
    """What came of one call."""

    text: str = field(repr=False)
    deeds: tuple[Any, ...] = ()
    told: bool = True
    """Whether a tool said it; not what we say about a call that went wrong."""


@dataclass(frozen=True)
class BoundTool:
    """One function with the tool that the model sees."""

    tool: Tool
    function: Function
    arguments: type[BaseModel]
    produces: tuple[type[Event], ...] = ()

    async def run(self, caller: Caller, written: str) -> Result:
        """The result of the call with those arguments; what is wrong with them is told to the model.

        Raises what the function raises, but for BookingRefused, which is an answer.
        """
        try:
            given = self.arguments.model_validate_json(written or "{}")
        except ValidationError as wrong:
            return Result(_corrected(self.tool.name, wrong), told=False)
        values = {name: getattr(given, name) for name in type(given).model_fields}
        try:
            returned = await self.function(caller, **values)
        except BookingRefused as refused:
            return Result(_refused(refused, caller))
        if isinstance(returned, Done):
            return Result(returned.text[:_LONGEST], returned.deeds)
        return Result(returned[:_LONGEST])


class Toolbox:
    """The tools of one agent by name."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._bound: dict[str, BoundTool] = {}

    def add(self, function: Function, produces: Iterable[type[Event]] = ()) -> None:
        """Offer `function`. Raises HandlerMisdeclared where its signature or its docstring do not do."""
        name = getattr(function, "__name__", "")
        where = f"The tool {name} of {self._owner}"
        if _NAME.match(name) is None:
            raise HandlerMisdeclared(f"{where} needs another name: 1 to 64 of A-Z, a-z, 0-9, '_' and '-'.")
        if name in self._bound:
            raise HandlerMisdeclared(f"{where} is there already: give this one another name.")
        if not inspect.iscoroutinefunction(function):
            raise HandlerMisdeclared(f"{where} is no coroutine function: write `async def`.")
        if not (said := inspect.getdoc(function)):
            raise HandlerMisdeclared(f"{where} has no docstring: the model reads it to know when to call.")
        arguments = _arguments(function, where)
        schema = _bare(arguments.model_json_schema())
        tool = Tool(name=name, description=said, parameters={"properties": {}, "required": [], **schema})
        self._bound[name] = BoundTool(tool, function, arguments, tuple(produces))

    @property
    def offered(self) -> tuple[Tool, ...]:
        """What the model is told of."""
        return tuple(each.tool for each in self._bound.values())

    @property
    def produces(self) -> tuple[type[Event], ...]:
        """The events that may follow from any of them."""
        return tuple(dict.fromkeys(event for each in self._bound.values() for event in each.produces))

    async def run(self, caller: Caller, call: Called) -> Result:
        """What came of `call`; a tool that is not there is told to the model as well."""
        bound = self._bound.get(call.tool)
        if bound is None:
            return Result(f"There is no tool of that name. There are: {', '.join(self._bound)}.", told=False)
        return await bound.run(caller, call.arguments)


def _arguments(function: Function, where: str) -> type[BaseModel]:
    """A model of all parameters but the first, which is the caller."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as missing:
        raise HandlerMisdeclared(f"{where} names a type that is not imported when it runs: {missing}.") from None
    first, *others = inspect.signature(function).parameters.values()
    if hints.get(first.name, Caller) is not Caller:
        raise HandlerMisdeclared(f"{where} must take a Caller first, which says on whose behalf it acts.")
    fields: dict[str, Any] = {}
    for each in others:
        if each.name not in hints or each.kind in {each.VAR_POSITIONAL, each.VAR_KEYWORD}:
            raise HandlerMisdeclared(f"{where} must say the type of {each.name!r}, and take no * or **.")
        fields[each.name] = (hints[each.name], ... if each.default is each.empty else each.default)
    return create_model(f"{function.__name__}_arguments", __base__=_Arguments, **fields)


def _bare(schema: Any) -> Any:
    """The schema without the titles that pydantic puts everywhere; a model pays for each word."""
    if isinstance(schema, dict):
        table = cast("dict[str, Any]", schema)
        return {name: _bare(each) for name, each in table.items() if not (name == "title" and isinstance(each, str))}
    several: Any = schema
    return [_bare(each) for each in several] if isinstance(schema, list) else schema


def _corrected(tool: str, wrong: ValidationError) -> str:
    """What the model should write instead."""
    places = [f"{'.'.join(map(str, each['loc'])) or 'the arguments'}: {each['msg']}" for each in wrong.errors()]
    return f"{tool} was not called, its arguments are wrong: {'; '.join(places)}."


def _refused(refused: BookingRefused, caller: Caller) -> str:
    zone = caller.business.schedule.zone
    free = [each.astimezone(zone).strftime("%A, %d %B %Y %H:%M") for each in refused.alternatives]
    return f"{refused}" + (f" Free a moment ago: {json.dumps(free)}." if free else "")
