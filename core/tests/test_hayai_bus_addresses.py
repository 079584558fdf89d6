"""Where the bus connects to, and as whom, out of one setting."""

from __future__ import annotations

import pytest

from hayai.bus.addresses import addresses


def test_one_address_is_shown_without_its_password() -> None:
    """With the usual port where none is named."""
    one = addresses("nats://me:secret@bus.example")
    assert one.urls == ("nats://me:secret@bus.example",)
    assert one.shown == "bus.example:4222"


def test_several_addresses_are_told_apart_by_commas() -> None:
    """Spaces around them, and an empty one at the end, mean nothing."""
    several = addresses("nats://a:1, nats://b:2,")
    assert several.urls == ("nats://a:1", "nats://b:2")
    assert several.shown == "a:1 or b:2"


@pytest.mark.parametrize(
    ("url", "user", "password", "token"),
    [
        ("nats://a,nats://b", None, None, None),
        ("nats://a,nats://me:secret@b", "me", "secret", None),
        ("nats://token@a,nats://b", None, None, "token"),
    ],
)
def test_every_server_is_met_with_the_first_credentials(
    url: str, user: str | None, password: str | None, token: str | None
) -> None:
    """A cluster names its other servers without any."""
    found = addresses(url)
    assert (found.user, found.password, found.token) == (user, password, token)
