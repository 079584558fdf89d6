"""The chat's settings, and what an operator may not write."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hayai_web.settings import ChatSettings


@pytest.mark.parametrize(
    "origin",
    ["smile.example", "https://smile.example/", "ftp://smile.example", "https://", "' *", "https://a..b", "https://\n"],
)
def test_a_home_page_that_is_no_origin_is_refused(origin: str) -> None:
    """Also what would break out of the page's policy."""
    with pytest.raises(ValidationError, match="is no origin: write it as in"):
        ChatSettings.model_validate({"origins": [origin]})


def test_a_home_page_may_be_written_in_any_case_and_with_a_port() -> None:
    """Browsers send it in lower case."""
    settings = ChatSettings.model_validate({"origins": ["https://Smile.example:8443", "*"]})
    assert settings.origins == ("https://smile.example:8443", "*")


def test_a_home_page_is_kept_as_browsers_name_it() -> None:
    """Any other spelling would never match, and a header can hold no other letters."""
    settings = ChatSettings.model_validate({"origins": ["https://Żabka.example:443", "http://[::1]:8080"]})
    assert settings.origins == ("https://xn--abka-99a.example", "http://[::1]:8080")


def test_a_short_key_is_refused_and_a_key_does_not_show_itself() -> None:
    """A guessed key signs anybody's session."""
    with pytest.raises(ValidationError, match="session_key"):
        ChatSettings.model_validate({"session_key": "guess me"})
    assert "k" * 32 not in repr(ChatSettings.model_validate({"session_key": "k" * 32}))
