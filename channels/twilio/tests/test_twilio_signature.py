"""Signatures: what Twilio signed gets in, whatever else comes is refused, and nothing makes the check fall over."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from hayai_twilio.form import fields
from hayai_twilio.signature import SETTINGS, SIGNATURE, Asked, SignatureBad, Signatures, sign, signed_text, spellings

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212"
EXAMPLE = "GvWf1cFY/Q7PnoempGyD5oXAezc="
"""What Twilio's own documentation has for these."""
FORM_TYPE = "application/x-www-form-urlencoded"
OURS = Signatures((TOKEN,))


def asked(url: str = URL, body: bytes = FORM, signature: str | None = EXAMPLE, **more: Any) -> Asked:
    """A request with that signature."""
    headers = {"content-type": (FORM_TYPE,), **({SIGNATURE: (signature,)} if signature is not None else {})}
    return Asked(url, {**headers, **more.get("headers", {})}, body)


def test_the_documented_example_is_taken() -> None:
    """And its fields come back."""
    assert dict(OURS.check(asked()))["Digits"] == "1234"


@given(
    st.dictionaries(st.text(min_size=1, max_size=12).filter(str.isprintable), st.text(max_size=30), max_size=8),
    st.sampled_from(["https://a.example/x", "http://a.example:8080/x?y=%20+", "https://a.example/ü/?q"]),
)
def test_it_is_what_twilios_own_sdk_computes(form: dict[str, str], url: str) -> None:
    """Of any form and URL, as long as the SDK can say."""
    theirs = RequestValidator(TOKEN).compute_signature(url, form)
    assert sign(TOKEN, signed_text(url, tuple(form.items())), "sha1").decode() == theirs


def test_repeated_fields_count_once_for_each_value() -> None:
    """As Twilio has it: distinct values, in order."""
    form = fields(b"a=2&a=1&a=2&b=")
    assert signed_text("u", form) == "ua1a2b"


@pytest.mark.parametrize("signed", ["https://a.example/x", "https://a.example:443/x"])
@pytest.mark.parametrize("seen", ["https://a.example/x", "https://a.example:443/x"])
def test_the_usual_port_may_be_told_or_not(signed: str, seen: str) -> None:
    """Which of both Twilio signed depends on what it was told."""
    signature = sign(TOKEN, signed_text(signed, fields(FORM)), "sha1").decode()
    assert OURS.check(asked(seen, signature=signature))


def test_spellings_keep_user_and_host() -> None:
    """The SDK's own would lose the host of a URL with a password and a port."""
    assert list(spellings("https://user:pass@host:443/x")) == [
        "https://user:pass@host:443/x",
        "https://user:pass@host/x",
    ]
    assert list(spellings("http://host/x")) == ["http://host/x", "http://host:80/x"]


@pytest.mark.parametrize(
    "url",
    [
        "http://mycompany.com/myapp.php?foo=1&bar=2",
        "https://mycompany.com/myapp.php?bar=2&foo=1",
        "https://mycompany.com/myapp.php/?foo=1&bar=2",
        "https://mycompany.org/myapp.php?foo=1&bar=2",
        "https://mycompany.com/myapp.php",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    """Scheme, host, path and query are signed as they stand."""
    with pytest.raises(SignatureBad, match="another URL"):
        OURS.check(asked(url))


@pytest.mark.parametrize(
    "body", [FORM.replace(b"1234&", b"1235&"), FORM + b"&More=", b"", FORM.replace(b"Digits=1234&", b"")]
)
def test_another_form_is_refused(body: bytes) -> None:
    """A field that was changed, added or dropped."""
    with pytest.raises(SignatureBad):
        OURS.check(asked(body=body))


@pytest.mark.parametrize(
    ("what", "request_"),
    [
        ("no signature", asked(signature=None)),
        ("an empty one", asked(signature="")),
        ("no ASCII", asked(signature="ü" * 28)),
        ("two of them", asked(headers={SIGNATURE: (EXAMPLE, EXAMPLE)})),
        ("no UTF-8", asked(body=b"Body=\xff")),
        ("no UTF-8 behind the escape", asked(body=b"Body=%ff")),
        ("no form at all", asked(body=b"{}")),
        ("too many fields", asked(body=b"&".join(b"a=1" for _ in range(300)))),
        ("JSON whose hash is not in the URL", asked(body=b"{}", headers={"content-type": ("application/json",)})),
        ("a key that nobody has", asked(headers={SETTINGS: ("key=other,algorithm=HMAC_SHA256",)})),
        ("an algorithm that nobody has", asked(headers={SETTINGS: ("key=one,algorithm=none",)})),
        ("settings that are none", asked(headers={SETTINGS: ("\0",)})),
    ],
)
def test_whatever_is_malformed_is_refused_and_raises_nothing_else(what: str, request_: Asked) -> None:
    """A stranger must not be able to make the door answer 500."""
    with pytest.raises(SignatureBad):
        Signatures((TOKEN,), {"one": "k" * 32}).check(request_)


def test_without_a_secret_nobody_gets_in() -> None:
    """Not even with the signature that an empty one makes."""
    empty = sign("", signed_text(URL, fields(FORM)), "sha1").decode()
    with pytest.raises(SignatureBad):
        Signatures().check(asked(signature=empty))


def test_several_tokens_are_valid_while_one_is_replaced() -> None:
    """Rotating the token makes Twilio sign with the other at once."""
    assert Signatures(("the-next-one", TOKEN)).check(asked())
    assert Signatures((TOKEN, "the-one-before")).check(asked())


def test_a_shared_key_signs_with_sha_256() -> None:
    """The header names the key; the auth token's signature does not stand in for it."""
    text = signed_text(URL, fields(FORM))
    signature = base64.b64encode(hmac.new(b"k" * 32, text.encode(), hashlib.sha256).digest()).decode()
    both = Signatures((TOKEN,), {"one": "k" * 32})
    settings = {SETTINGS: ("key=one,algorithm=HMAC_SHA256",)}
    assert both.check(asked(signature=signature, headers=settings))
    with pytest.raises(SignatureBad):
        both.check(asked(headers=settings))
    with pytest.raises(SignatureBad):
        both.check(asked(signature=signature))


def test_a_body_that_is_no_form_is_known_by_its_hash() -> None:
    """Of the raw bytes, which the URL tells."""
    body = b'{"status": "ok"}'
    url = f"https://a.example/events?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = sign(TOKEN, url, "sha1").decode()
    json = {"content-type": ("application/json",)}
    assert OURS.check(asked(url, body, signature, headers=json)) == ()
    with pytest.raises(SignatureBad):
        OURS.check(asked(url, body + b" ", signature, headers=json))


def test_the_handshake_of_a_websocket_is_signed_over_its_url() -> None:
    """ConversationRelay's has neither a body nor a content type."""
    url = "wss://a.example/voice/relay"
    headers = {SIGNATURE: (sign(TOKEN, url, "sha1").decode(),)}
    assert OURS.check(Asked(url, headers)) == ()
    with pytest.raises(SignatureBad):
        OURS.check(Asked(url.replace("wss", "https"), headers))


@pytest.mark.parametrize(
    ("form", "signature"), [({}, None), ('{"a": 1}', EXAMPLE), (b"a=1", EXAMPLE)], ids=["none", "JSON", "bytes"]
)
def test_the_sdks_own_validator_falls_over(form: Any, signature: str | None) -> None:
    """Why it is not used: should this ever fail, the SDK has been mended, and may be."""
    with pytest.raises((TypeError, IndexError)):
        RequestValidator(TOKEN).validate(URL, form, signature)
