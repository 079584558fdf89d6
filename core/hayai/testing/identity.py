"""IdentityContract: what every adapter of the port `identity` keeps to."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from hayai.errors import CallerUnknown, KeyNotOpaque
from hayai.ports.base import Settings
from hayai.ports.identity import Identity
from hayai.tokens import fresh


class IdentityContract:
    """Inherit, and give an `identity` fixture: a started adapter that has issued no key yet."""

    async def test_it_is_an_adapter_of_its_port(self, identity: Identity) -> None:
        """The class inherits from Identity, and its settings from Settings."""
        assert isinstance(identity, Identity)
        assert issubclass(type(identity).Settings, Settings)

    async def test_an_issued_key_is_recognised(self, identity: Identity) -> None:
        """With the tenant and the role it was issued for."""
        caller = await identity.verify(await identity.issue(tenant="smile-dental", role="staff", label="front desk"))
        assert (caller.tenant, caller.role) == ("smile-dental", "staff")

    async def test_every_key_has_its_own_caller(self, identity: Identity) -> None:
        """Two keys for one tenant and role are two callers, each recognised as itself again."""
        keys = [await identity.issue(tenant="smile-dental", role="staff", label="front desk") for _ in range(2)]
        first, second = [await identity.verify(key) for key in keys]
        assert first.id != second.id
        assert await identity.verify(keys[0]) == first

    async def test_the_id_stands_in_the_key(self, identity: Identity) -> None:
        """An operator who holds a key can say which one to end."""
        key = await identity.issue(tenant="smile-dental", role="owner", label="")
        caller = await identity.verify(key)
        assert key.get_secret_value().split("_")[1] == caller.id

    async def test_a_changed_key_is_unknown(self, identity: Identity) -> None:
        """A right id with another secret is nobody, and the refusal does not repeat the key."""
        key = (await identity.issue(tenant="smile-dental", role="owner", label="")).get_secret_value()
        changed = key[:-1] + ("0" if key[-1] != "0" else "1")
        with pytest.raises(CallerUnknown) as refused:
            await identity.verify(SecretStr(changed))
        assert changed.split("_")[2] not in str(refused.value)

    @pytest.mark.parametrize("given", ["", " ", "hk_", "hk__", "hk_1_2", "x" * 10_000, "hk_a_\0", "' or 1=1 --", "ünï"])
    async def test_what_is_no_key_is_unknown(self, identity: Identity, given: str) -> None:
        """However it is malformed."""
        with pytest.raises(CallerUnknown):
            await identity.verify(SecretStr(given))

    async def test_a_revoked_key_is_unknown_at_once(self, identity: Identity) -> None:
        """And the others go on."""
        ended = await identity.issue(tenant="smile-dental", role="staff", label="old")
        kept = await identity.issue(tenant="smile-dental", role="staff", label="new")
        await identity.revoke((await identity.verify(ended)).id)
        with pytest.raises(CallerUnknown):
            await identity.verify(ended)
        assert (await identity.verify(kept)).tenant == "smile-dental"

    async def test_the_valid_keys_are_listed(self, identity: Identity) -> None:
        """Those of the tenant that was asked about, and no ended one: a key that was lost can be found and ended."""
        tenant = f"tenant-{fresh()}"
        lost = await identity.verify(await identity.issue(tenant=tenant, role="staff", label="lost"))
        kept = await identity.verify(await identity.issue(tenant=tenant, role="auditor", label="desk"))
        await identity.issue(tenant=f"tenant-{fresh()}", role="owner", label="another's")
        assert [each.label for each in await identity.keys(tenant=tenant)] == ["lost", "desk"]
        await identity.revoke(lost.id)
        (left,) = await identity.keys(tenant=tenant)
        assert (left.id, left.role, left.label) == (kept.id, "auditor", "desk")

    async def test_revoking_nothing_is_said(self, identity: Identity) -> None:
        """An id that never was, and one that has ended already."""
        key = await identity.issue(tenant="smile-dental", role="staff", label="old")
        caller = await identity.verify(key)
        await identity.revoke(caller.id)
        for gone in (caller.id, "nobody", ""):
            with pytest.raises(CallerUnknown):
                await identity.revoke(gone)

    async def test_a_key_does_not_show_itself(self, identity: Identity) -> None:
        """Printing what was issued shows asterisks."""
        key = await identity.issue(tenant="smile-dental", role="auditor", label="")
        assert key.get_secret_value() not in f"{key} {key!r}"

    async def test_a_tenant_must_be_a_token(self, identity: Identity) -> None:
        """No key for an empty tenant, or for a name."""
        for wrong in ("", "Smile Dental"):
            with pytest.raises(KeyNotOpaque):
                await identity.issue(tenant=wrong, role="staff", label="")
