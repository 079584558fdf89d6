"""Plugins: entry points found by stevedore, checked before use, and never guessed.

Every refusal is a PluginError: one sentence that names the entry point, its distribution and version, and what to do.
It names the class of an exception and where it was raised, never its text, which may hold a secret.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, TypeVar

from stevedore import DriverManager

from hayai.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

K = TypeVar("K")
_FAMILY = "hayai."


@dataclass(frozen=True, order=True)
class Found:
    """One entry point as installed; `target` is its `module:attribute`."""

    name: str
    distribution: str
    version: str
    target: str

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"


def names(group: str) -> list[Found]:
    """What is installed for `group` at this moment, by name; imports nothing."""
    return sorted(map(_found, entry_points(group=group)))


def installed() -> dict[str, list[Found]]:
    """Every group of ours and what is installed for it, by name; imports nothing."""
    return {group: names(group) for group in sorted(entry_points().groups) if group.startswith(_FAMILY)}


def load(group: str, name: str, kind: type[K]) -> type[K]:
    """The class that `name` stands for in `group`: a finished subclass of `kind`.

    Raises PluginError where it is missing, doubled, broken at import, or anything else than such a class.
    """
    found, plugin = _only(group, name)
    if not (isinstance(plugin, type) and issubclass(plugin, kind)):
        raise PluginError(
            f"{_described(group, found)} is no subclass of {kind.__name__}: let it inherit from "
            f"{kind.__module__}.{kind.__qualname__}, or remove {found.distribution}."
        )
    if inspect.isabstract(plugin):
        unwritten = ", ".join(sorted(vars(plugin)["__abstractmethods__"]))
        raise PluginError(
            f"{_described(group, found)} leaves {unwritten} unwritten: write what {kind.__name__} asks for."
        )
    return plugin


def load_object(group: str, name: str, kind: type[K]) -> K:
    """The object that `name` stands for in `group`: an instance of `kind`. Raises PluginError as load() does."""
    found, plugin = _only(group, name)
    if not isinstance(plugin, kind):
        raise PluginError(
            f"{_described(group, found)} is no {kind.__name__}: let its entry point lead to an instance of "
            f"{kind.__module__}.{kind.__qualname__}, or remove {found.distribution}."
        )
    return plugin


def load_all(wanted: Iterable[str], one: Callable[[str], K]) -> tuple[dict[str, K], list[PluginError]]:
    """What `one` loads for each name, and what is wrong with the others: a broken plugin takes no other down.

    `load_all(["web"], lambda name: load("hayai.channels", name, Channel))`
    """
    loaded: dict[str, K] = {}
    problems: list[PluginError] = []
    for name in wanted:
        try:
            loaded[name] = one(name)
        except PluginError as problem:
            problems.append(problem)
    return loaded, problems


class _Driver(DriverManager[Any]):
    """stevedore's manager of one name, on the metadata of this moment: its own cache on disk may be of another."""

    def list_entry_points(self) -> list[EntryPoint]:
        """The entry points of the group as they are installed now."""
        return list(entry_points(group=self.namespace))


def _only(group: str, name: str) -> tuple[Found, Any]:
    """The one entry point of that name, and what it stands for."""
    candidates = sorted(map(_found, entry_points(group=group, name=name)))
    if not candidates:
        raise PluginError(_missing(group, name))
    if len(candidates) > 1:  # refused before anything is imported: a stray dependency must not take a name over
        both = " and ".join(f"{each.distribution} {each.version} ({each.target})" for each in candidates)
        raise PluginError(f"{name!r} in {group} is claimed by {both}: uninstall all but one of them.")
    return candidates[0], _imported(group, candidates[0])


def _imported(group: str, found: Found) -> Any:
    try:
        return _Driver(group, found.name, invoke_on_load=False).extensions[0].plugin
    except KeyboardInterrupt:  # the operator's, not the plugin's
        raise
    except BaseException as broken:  # noqa: BLE001 - SystemExit and AssertionError at import take nothing else down
        raise PluginError(
            f"{_described(group, found)} does not load: {_cause(broken, found)}. "
            f"Correct or upgrade {found.distribution}, or take it out of the tier file."
        ) from None


def _missing(group: str, name: str) -> str:
    there = names(group)
    near = get_close_matches(name, {each.name for each in there}, n=2)
    advice = (
        f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"install the package that brings it, hayai-{name} by custom, or name one that is there."
    )
    listed = ", ".join(map(str, there)) or "nothing"
    return f"There is no {name!r} in {group}: {advice} Installed: {listed}."


def _described(group: str, found: Found) -> str:
    return f"The plugin {found.name!r} of {group} ({found.target}, from {found.distribution} {found.version})"


def _cause(broken: BaseException, found: Found) -> str:
    """The exception's class, the name that was not found if that is what it is about, and where it was raised."""
    about = f" about {broken.name!r}" if isinstance(broken, ImportError | AttributeError) and broken.name else ""
    return f"{type(broken).__name__}{about}{_place(broken, found.target.partition(':')[0].partition('.')[0])}"


def _place(broken: BaseException, package: str) -> str:
    """The last line of the plugin's own that was running."""
    if isinstance(broken, SyntaxError) and broken.lineno:
        return f" in {broken.filename}, line {broken.lineno}"
    modules = ((frame.f_globals.get("__name__", ""), line) for frame, line in walk_tb(broken.__traceback__))
    own = [(module, line) for module, line in modules if module.partition(".")[0] == package]
    return f" at {own[-1][0]}, line {own[-1][1]}" if own else ""


def _found(entry: EntryPoint) -> Found:
    owner = entry.dist
    if owner is None:
        return Found(entry.name, "an unknown distribution", "", entry.value)
    return Found(entry.name, owner.name, owner.version, entry.value)
