"""SecretsContract: what every adapter of the port `secrets` keeps to."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import pytest

from hayai.errors import SecretMissing
from hayai.ports.base import Settings
from hayai.ports.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Mapping


class SecretsContract:
    """Inherit, and give a `secrets` fixture: a started adapter whose store holds `stored` and nothing else."""

    stored: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "greeting": "hello",
            "odd": '  it\'s "quoted" \\ # = $HOME ${HOME} %s ünï ',
            "many.lines": "-----BEGIN KEY-----\nabc\n-----END KEY-----\n",
            "with-dash_and.dot": "found",
        }
    )

    async def test_it_is_an_adapter_of_its_port(self, secrets: Secrets) -> None:
        """The class inherits from Secrets, and its settings from Settings."""
        assert isinstance(secrets, Secrets)
        assert issubclass(type(secrets).Settings, Settings)

    @pytest.mark.parametrize("name", stored)
    async def test_a_stored_secret_is_read_as_it_was_stored(self, secrets: Secrets, name: str) -> None:
        """Spaces, quotes, dollar signs and line ends come back untouched."""
        assert (await secrets.read(name)).get_secret_value() == self.stored[name]

    async def test_a_secret_does_not_show_itself(self, secrets: Secrets) -> None:
        """Printing what was read shows asterisks."""
        found = await secrets.read("greeting")
        assert "hello" not in f"{found} {found!r}"

    async def test_a_missing_name_is_named(self, secrets: Secrets) -> None:
        """The error says which name is missing, where, and nothing of what is there."""
        with pytest.raises(SecretMissing, match="no-such-name") as missing:
            await secrets.read("no-such-name")
        assert secrets.place() in str(missing.value)
        assert not [value for value in self.stored.values() if value in str(missing.value)]

    @pytest.mark.parametrize("name", ["", "../greeting", "a/greeting", "gree ting", "greeting\n", "g" * 129])
    async def test_a_name_that_could_be_a_path_is_refused(self, secrets: Secrets, name: str) -> None:
        """No name leads out of the store, and the refusal does not repeat it: it may be a secret given by mistake."""
        with pytest.raises(SecretMissing) as refused:
            await secrets.read(name)
        assert not name or name not in str(refused.value)

    async def test_a_name_is_not_a_prefix(self, secrets: Secrets) -> None:
        """Part of a name finds nothing."""
        with pytest.raises(SecretMissing):
            await secrets.read("greet")

    async def test_many_are_read_at_once(self, secrets: Secrets) -> None:
        """Twenty concurrent reads all get their own answer."""
        names = [*self.stored] * 5
        found = await asyncio.gather(*map(secrets.read, names))
        assert [each.get_secret_value() for each in found] == [self.stored[name] for name in names]

    async def test_stopping_twice_is_no_error(self, secrets: Secrets) -> None:
        """A runtime that shuts down in a hurry may stop it twice."""
        await secrets.stop()
        await secrets.stop()
