"""Callers: who stands at the door, for everything that is not a customer's channel."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pydantic import SecretStr

from hayai.errors import CallerUnknown, TenantWrong

if TYPE_CHECKING:
    from fastapi import Request

    from hayai.ports.identity import Caller, CallerRole, Identity

_NO_KEY = (
    "No API key was given: send it as `Authorization: Bearer KEY`, or as the password of HTTP Basic "
    "(calendar programs); `hayai keys issue` makes one."
)


async def admit(request: Request, identity: Identity, *, tenant: str, roles: frozenset[CallerRole]) -> Caller:
    """The verified caller, when the key is of that tenant and one of those roles.

    Raises CallerUnknown for no key or an unknown one, TenantWrong for another tenant's or a role without the right.
    """
    caller = await identity.verify(_credential(request.headers.get("authorization", "")))
    if caller.tenant != tenant:
        raise TenantWrong("This API key belongs to another business: use a key that was issued for this one.")
    if caller.role not in roles:
        raise TenantWrong(f"A key with the role {caller.role} may not do this: it takes {' or '.join(sorted(roles))}.")
    return caller


def _credential(header: str) -> SecretStr:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer" and rest:
        return SecretStr(rest.strip())
    if scheme.lower() == "basic" and rest:
        return SecretStr(_password(rest))
    raise CallerUnknown(_NO_KEY)


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:  # no base64, not even ASCII, or no UTF-8 within
        raise CallerUnknown(_NO_KEY) from None
