"""Renderer: writes the contracts of an install as a document of another format; found in the group hayai.renderers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

from hayai import plugins

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.contracts.registry import Registry

GROUP = "hayai.renderers"


class Renderer(ABC):
    """One format; built without arguments."""

    @abstractmethod
    def render(self, registry: Registry, *, server: str) -> dict[str, Any]:
        """The document, as JSON values; `server` is the bus's host and port as a client would say them."""


def render(name: str, registry: Registry, *, server: str = "localhost:4222") -> dict[str, Any]:
    """The contracts in the format `name`. Raises PluginError where no installed package brings it."""
    renderer = cast("Callable[[], Renderer]", plugins.load(GROUP, name, Renderer))
    return renderer().render(registry, server=server)
