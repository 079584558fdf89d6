"""Opaque tokens: the only thing that subjects, ordering keys and message ids may be made of."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from functools import lru_cache

from hayai.errors import KeyNotOpaque

# No telephone number: 7 to 20 digits; longer ones are ids, since E.164 has at most 15.
_TOKEN = re.compile(r"(?![0-9-]{7,20}\Z)[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")

_BYTES = 16
_AT_ONCE = 128


def token(value: str, *, what: str) -> str:
    """`value` itself when it is opaque: 1 to 64 of `A-Za-z0-9_-`, and no telephone number.

    Raises KeyNotOpaque, whose text names `what` and never the value.
    """
    if _TOKEN.match(value) is None:
        raise KeyNotOpaque(
            f"The {what} is not an opaque token: use 1 to 64 letters, digits, '-' or '_', and never a telephone "
            "number, a name or an address; hayai.tokens.opaque() makes one from any value."
        )
    return value


@lru_cache(16_384)
def known_token(value: str, what: str) -> str:
    """token() for what comes again and again: tenants, and the keys of talks that go on."""
    return token(value, what=what)


_ready: list[str] = []
"""Tokens to be had: to ask the operating system for each one costs more than all else of an event's envelope."""
os.register_at_fork(after_in_child=_ready.clear)  # whoever forked it off has the same


def fresh() -> str:
    """A new random token of 128 bits, 32 hexadecimal digits."""
    try:
        return _ready.pop()  # one thread's, whoever else is at it
    except IndexError:
        digits = secrets.token_hex(_BYTES * _AT_ONCE)
        _ready.extend(digits[each : each + 2 * _BYTES] for each in range(2 * _BYTES, len(digits), 2 * _BYTES))
        return digits[: 2 * _BYTES]


def derived(*parts: str) -> str:
    """The same 32 hexadecimal digits for the same parts, for ids that a redelivery must repeat."""
    # What a caller sends may hold half of a surrogate pair, which is no reason to fail here.
    return hashlib.blake2b("\x1f".join(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def opaque(key: bytes, *parts: str) -> str:
    """A token for a value that must not be guessed back (a telephone number): keyed, so no table inverts it."""
    return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:32]
