"""Signature: whether a request comes from Twilio, by what only Twilio and this account know.

Twilio signs the URL that it called, followed for a form by every field in the order of their names; of any other body
it puts the SHA-256 into the URL (https://www.twilio.com/docs/usage/webhooks/webhooks-security). Shared keys sign the
same text with HMAC-SHA256 and say so in a header of their own.

The SDK's RequestValidator computes the same and is not asked: it raises on a missing header, on a body that is no
form, and on bytes, so that a stranger could make a door answer 500.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from hayai.errors import PermanentError
from hayai_twilio.form import fields, is_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hayai_twilio.form import Fields

SIGNATURE = "x-twilio-signature"
SETTINGS = "x-twilio-webhooks-signature-settings"
_SHARED = re.compile(r"key=(?P<key>[\w-]{1,64}), ?algorithm=HMAC_SHA256\Z", re.ASCII)
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_BODY_HASH = "bodySHA256"


class SignatureBad(PermanentError):
    """The request does not carry a signature that one of this account's secrets makes."""


@dataclass(frozen=True)
class Asked:
    """A request as it must be judged: the URL that the sender called, the headers, and the raw body."""

    url: str
    headers: Mapping[str, tuple[str, ...]]
    """By lower-case name, every value that came."""
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Signatures:
    """The secrets that are valid now: several, while one is being replaced. None at all means that nobody gets in."""

    tokens: tuple[str, ...] = field(default=(), repr=False)
    """Auth tokens, which sign with SHA-1."""
    shared_keys: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Shared keys by their id, which sign with SHA-256."""

    def check(self, asked: Asked) -> Fields:
        """The fields of the form, () for a request without one. Raises SignatureBad, and nothing else."""
        try:
            given, secrets, algorithm = self._claimed(asked)
            form = _form(asked)
        except ValueError:
            raise _bad("cannot be read") from None
        urls = tuple(spellings(asked.url))
        # Every secret and spelling is tried, whatever fits: the time tells nothing of which it was.
        found = [
            hmac.compare_digest(given, sign(secret, signed_text(url, form), algorithm))
            for secret in secrets
            for url in urls
        ]
        if not any(found):
            raise _bad("is of nobody who knows this account's secrets, or for another URL than this")
        return form

    def _claimed(self, asked: Asked) -> tuple[bytes, tuple[str, ...], str]:
        """The signature, the secrets that may have made it, and the algorithm. Raises ValueError."""
        given = _one(asked.headers, SIGNATURE).encode("ascii")
        if SETTINGS not in asked.headers:
            return given, self.tokens, "sha1"
        said = _SHARED.match(_one(asked.headers, SETTINGS))
        if said is None or said["key"] not in self.shared_keys:
            raise ValueError("no key of ours")
        return given, (self.shared_keys[said["key"]],), "sha256"


def signed_text(url: str, form: Fields) -> str:
    """What is signed: the URL, and each name and value once, in order, with nothing between them."""
    return url + "".join(name + value for name, value in sorted(set(form)))


def sign(secret: str, text: str, algorithm: str) -> bytes:
    """The signature of `text` in base64; `algorithm` is sha1 or sha256."""
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), algorithm).digest())


def spellings(url: str) -> Iterator[str]:
    """The URL as it is, without its port, and with the port that its scheme means.

    Which of these Twilio signed depends on how it was told of the URL.
    """
    yield url
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    host, colon, port = place.rpartition(":")
    if colon and port.isdigit():
        yield parts._replace(netloc=f"{user}{at}{host}").geturl()
    elif (usual := _PORTS.get(parts.scheme)) is not None:
        yield parts._replace(netloc=f"{user}{at}{place}:{usual}").geturl()


def _form(asked: Asked) -> Fields:
    """The fields where the body is a form; of any other body, the hash that the URL must tell. Raises ValueError."""
    if is_form(" ".join(asked.headers.get("content-type", ()))):
        return fields(asked.body)
    told = parse_qs(urlsplit(asked.url).query).get(_BODY_HASH, [])
    if asked.body and told != [hashlib.sha256(asked.body).hexdigest()]:
        raise ValueError("another body was signed")
    return ()


def _one(headers: Mapping[str, tuple[str, ...]], name: str) -> str:
    (value,) = headers.get(name, ())
    return value


def _bad(why: str) -> SignatureBad:
    return SignatureBad(
        f"The signature of this request {why}: see that `public_url` and `auth_tokens` under the channel are what "
        "Twilio has."
    )


def collected(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, tuple[str, ...]]:
    """An ASGI scope's headers as Asked takes them."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in headers:
        key = name.decode("latin-1").lower()
        found[key] = (*found.get(key, ()), value.decode("latin-1"))
    return found
