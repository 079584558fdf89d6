"""PostgresIdentity: API keys `hk_<id>_<secret>`, of which the database holds a digest alone."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

from pydantic import SecretStr

from hayai.errors import CallerUnknown
from hayai.ports.identity import Caller, CallerRole, Identity, IssuedKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hayai.pools import Pool
    from hayai.ports.base import Settings

_KEY = re.compile(r"hk_(k[0-9a-f]{16})_([0-9a-f]{64})\Z")
_KEYS = "select id, role, label, issued_at from hayai.api_key where revoked_at is null order by issued_at, id"
_UNKNOWN = "This API key is unknown or was revoked: `hayai keys issue` makes a new one."


class PostgresIdentity(Identity):
    """Keys in the table hayai.api_key.

    The secret is 256 random bits, so SHA-256 is enough to store it by: a slow hash protects what a person can guess,
    and nobody guesses this. The id, which is no secret, finds the row; the digests are compared in constant time.
    """

    def __init__(self, settings: Settings, *, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool

    async def verify(self, credential: SecretStr) -> Caller:
        """Who presents this key. Raises CallerUnknown for a malformed, unknown or revoked one, Unavailable."""
        if (parts := _KEY.match(credential.get_secret_value())) is None:
            raise CallerUnknown("This is no API key: one looks like hk_..._... ; `hayai keys issue` makes one.")
        async with self._pool.unbound() as connection:
            row = await connection.fetchrow("select tenant, role, digest from hayai.api_key_of($1)", parts[1])
        if row is None or not hmac.compare_digest(row["digest"], _digest(parts[2])):
            raise CallerUnknown(_UNKNOWN)
        return Caller(id=parts[1], tenant=row["tenant"], role=row["role"])

    async def issue(self, *, tenant: str, role: CallerRole, label: str) -> SecretStr:
        """A new key, shown this once. Raises KeyNotOpaque for the tenant, Unavailable."""
        # The letter keeps an id of digits alone from looking like a telephone number.
        caller, secret = "k" + secrets.token_hex(8), secrets.token_hex(32)
        async with self._pool.transaction(tenant) as connection:
            await connection.execute(
                "insert into hayai.api_key (id, tenant, role, label, digest) values ($1, $2, $3, $4, $5)",
                caller,
                tenant,
                role,
                label,
                _digest(secret),
            )
        return SecretStr(f"hk_{caller}_{secret}")

    async def keys(self, *, tenant: str) -> Sequence[IssuedKey]:
        """The valid keys of `tenant`, the oldest first. Raises KeyNotOpaque for the tenant, Unavailable."""
        async with self._pool.transaction(tenant) as connection:
            return [IssuedKey(*row) for row in await connection.fetch(_KEYS)]

    async def revoke(self, caller: str) -> None:
        """End the key with that id. Raises CallerUnknown where there is none, or it has ended; Unavailable."""
        async with self._pool.unbound() as connection:
            if not await connection.fetchval("select hayai.end_api_key($1)", caller):
                raise CallerUnknown("No key with that id is valid: the id stands between the underscores of a key.")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
