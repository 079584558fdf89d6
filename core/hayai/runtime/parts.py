"""Parts: what each plugin of an install brings to the bus, with the version of its distribution."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

from hayai import plugins
from hayai.bus.explain import explained
from hayai.channel import Channel
from hayai.contracts.registry import Part, Registry
from hayai.errors import HandlerMisdeclared, PluginError
from hayai.fronts import AGENTS, agent
from hayai.interceptors import GROUP as INTERCEPTORS
from hayai.interceptors import Interceptor
from hayai.vocabulary.operations import ConsumerRecreated, DeadLettered, PluginQuarantined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hayai.event import Event
    from hayai.handlers import Handlers
    from hayai.settings import InstallSettings

CHANNELS = "hayai.channels"


def installed_registry(settings: InstallSettings) -> tuple[Registry, list[PluginError]]:
    """The contracts of the plugins that `settings` name, before any of them stands; and what does not load."""
    channels, problems = plugins.load_all(settings.channels, lambda name: plugins.load(CHANNELS, name, Channel))
    bare, unread = plugins.load_all(channels, lambda name: unbuilt(channels[name]))
    agents, broken = agent_parts(settings.agents)
    registry = Registry([platform_part(), *channel_parts(bare.values()), *agents])
    return registry, [*problems, *unread, *broken]


def platform_part() -> Part:
    """What the platform itself reports."""
    return Part(f"hayai {version('hayai')}", publishes=(DeadLettered, ConsumerRecreated, PluginQuarantined))


def channel_parts(channels: Iterable[Channel]) -> list[Part]:
    """Both doors of each channel."""
    found = {each.name: each for each in plugins.names(CHANNELS)}
    return [_part(found[each.name], each.handlers(), each.publishes) for each in channels]


def agent_parts(names: Iterable[str]) -> tuple[list[Part], list[PluginError]]:
    """The handlers of each agent, and what is wrong with those that do not load."""
    loaded, problems = plugins.load_all(names, _agent)
    found = {each.name: each for each in plugins.names(AGENTS)}
    hearing, unheard = interceptors(loaded)
    publishes = {name: each.publishes for name, each in hearing.items()}
    return [_part(found[name], group, publishes.get(name, ())) for name, group in loaded.items()], problems + unheard


def interceptors(agents: Iterable[str]) -> tuple[dict[str, Interceptor], list[PluginError]]:
    """Those that belong to these agents, in their order, and what is wrong with those that do not load."""
    installed = {each.name for each in plugins.names(INTERCEPTORS)}
    return plugins.load_all([each for each in agents if each in installed], _interceptor)


def _interceptor(name: str) -> Interceptor:
    kind = cast("Callable[[], Interceptor]", plugins.load(INTERCEPTORS, name, Interceptor))
    return kind()


def _agent(name: str) -> Handlers:
    try:
        return agent(name)
    except HandlerMisdeclared as wrong:
        raise PluginError(f"The agent {name!r} cannot run: {wrong}") from wrong


def _part(found: plugins.Found, group: Handlers, publishes: Iterable[type[Event]] = ()) -> Part:
    subscriptions = tuple(replace(each, version=found.version) for each in group)
    return Part(f"{found.distribution} {found.version}", subscriptions, tuple(publishes))


def unbuilt(kind: type[Channel]) -> Channel:
    """A channel that only tells what it subscribes to: it has neither settings nor anything that it asks for."""
    channel = kind.__new__(kind)
    try:
        channel.handlers()
    except Exception as broken:
        raise PluginError(
            f"{kind.__module__}.{kind.__qualname__} does not tell its handlers before it is built: "
            f"{explained(broken)}. Let handlers() name methods and nothing else."
        ) from broken
    return channel
