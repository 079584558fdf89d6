"""Fronts: other ways to write an agent; an object that is no Handlers is offered to each installed front door."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, cast

from hayai import plugins
from hayai.errors import PluginError
from hayai.handlers import Handlers

if TYPE_CHECKING:
    from collections.abc import Callable

AGENTS = "hayai.agents"
GROUP = "hayai.fronts"


class Front(ABC):
    """Turns what a plugin was written with into handlers; built without arguments."""

    @abstractmethod
    def handlers(self, name: str, written: object) -> Handlers | None:
        """`written`, the agent `name`, as a group of handlers of that name; None where it is nothing of this front's.

        Raises HandlerMisdeclared for what cannot be run.
        """


def agent(name: str) -> Handlers:
    """The agent that is installed as `name`. Raises PluginError, HandlerMisdeclared."""
    written = plugins.load_object(AGENTS, name, object)
    if isinstance(written, Handlers):
        return written
    for each in plugins.names(GROUP):
        front = cast("Callable[[], Front]", plugins.load(GROUP, each.name, Front))
        if (found := front().handlers(name, written)) is not None:
            return found
    found_of = type(written)
    raise PluginError(
        f"The plugin {name!r} of {AGENTS} is a {found_of.__module__}.{found_of.__qualname__}, which nothing installed "
        "can run: let its entry point lead to an instance of hayai.handlers.Handlers, or install hayai-faststream for "
        "a FastStream router."
    )
