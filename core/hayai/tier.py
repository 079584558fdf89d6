"""Tier: one adapter for each port, frozen; and how an adapter is built with what it asks for."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeVar, cast

from hayai.errors import PluginError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hayai.business import Business
    from hayai.ports.base import Adapter, Settings
    from hayai.ports.calendar import Calendar
    from hayai.ports.consents import Consents
    from hayai.ports.conversations import Conversations
    from hayai.ports.database import Database
    from hayai.ports.identity import Identity
    from hayai.ports.models import Models
    from hayai.ports.people import People
    from hayai.ports.secrets import Secrets

A = TypeVar("A", bound="Adapter")


class Tier:
    """What this install stands on. Asking for a port that the tier file leaves out raises SettingsError."""

    def __init__(self, adapters: Mapping[str, Adapter], businesses: Iterable[Business] = ()) -> None:
        self._adapters = dict(adapters)
        self.businesses = {each.tenant: each for each in businesses}

    @property
    def secrets(self) -> Secrets:
        """Where passwords and keys are kept."""
        return cast("Secrets", self._port("secrets"))

    @property
    def database(self) -> Database:
        """The address of the Postgres."""
        return cast("Database", self._port("database"))

    @property
    def calendar(self) -> Calendar:
        """Slots and appointments."""
        return cast("Calendar", self._port("calendar"))

    @property
    def conversations(self) -> Conversations:
        """What was said."""
        return cast("Conversations", self._port("conversations"))

    @property
    def identity(self) -> Identity:
        """Who calls."""
        return cast("Identity", self._port("identity"))

    @property
    def people(self) -> People:
        """Who is behind an address."""
        return cast("People", self._port("people"))

    @property
    def consents(self) -> Consents:
        """What people have said about being written to."""
        return cast("Consents", self._port("consents"))

    @property
    def models(self) -> Models | None:
        """A language model; None where the install runs without one."""
        return cast("Models | None", self._adapters.get("models"))

    def business(self, tenant: str) -> Business:
        """The business of that tenant. Raises SettingsError where none is configured."""
        try:
            return self.businesses[tenant]
        except KeyError:
            raise SettingsError(
                f"No business file for the tenant {tenant!r}: add one under `businesses` in the tier file."
            ) from None

    def _port(self, port: str) -> Adapter:
        try:
            return self._adapters[port]
        except KeyError:
            raise SettingsError(
                f"This tier has no adapter for {port}: name one under [{port}] in the tier file."
            ) from None


def build(adapter: type[A], settings: Settings, resources: Mapping[str, object]) -> A:
    """The adapter, given its settings and, by name, those of `resources` that its constructor asks for.

    Raises PluginError where it asks for something that is not there.
    """
    asked = [
        name
        for name, parameter in inspect.signature(adapter).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and (parameter.default is parameter.empty or name in resources)
    ]
    if strange := [name for name in asked if name not in resources]:
        raise PluginError(
            f"{adapter.__module__}.{adapter.__qualname__} asks for {', '.join(strange)}, which this tier cannot give: "
            f"an adapter may ask for {', '.join(sorted(resources))}."
        )
    return adapter(settings, **{name: resources[name] for name in asked})  # type: ignore[call-arg]
