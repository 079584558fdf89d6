"""MemoryIdentity: the twin of the port `identity`, a dictionary."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pydantic import SecretStr

from hayai.clock import system_clock
from hayai.errors import CallerUnknown
from hayai.ports.identity import Caller, CallerRole, Identity, IssuedKey
from hayai.tokens import token

if TYPE_CHECKING:
    from collections.abc import Sequence


class MemoryIdentity(Identity):
    """Knows the keys that it issued itself."""

    def __init__(self) -> None:
        self._callers: dict[str, Caller] = {}
        self._issued: dict[str, IssuedKey] = {}

    async def verify(self, credential: SecretStr) -> Caller:
        """Who presents this key. Raises CallerUnknown."""
        try:
            return self._callers[credential.get_secret_value()]
        except KeyError:
            raise CallerUnknown("This API key is unknown or was revoked.") from None

    async def issue(self, *, tenant: str, role: CallerRole, label: str) -> SecretStr:
        """A new key, shown this once. Raises KeyNotOpaque for the tenant."""
        caller = Caller(id="k" + secrets.token_hex(8), tenant=token(tenant, what="tenant"), role=role)
        key = f"hk_{caller.id}_{secrets.token_hex(32)}"
        self._callers[key] = caller
        self._issued[caller.id] = IssuedKey(caller.id, role, label, system_clock())
        return SecretStr(key)

    async def keys(self, *, tenant: str) -> Sequence[IssuedKey]:
        """The valid keys of `tenant`, the oldest first. Raises KeyNotOpaque for the tenant."""
        token(tenant, what="tenant")
        return [self._issued[each.id] for each in self._callers.values() if each.tenant == tenant]

    async def revoke(self, caller: str) -> None:
        """End the key with that id. Raises CallerUnknown."""
        key = next((key for key, each in self._callers.items() if each.id == caller), None)
        if key is None:
            raise CallerUnknown("No key with that id is valid.")
        del self._callers[key]
