"""Which texts end our texts, begin them again, or ask who we are; and which of them do none of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hayai_consent import words

CARRIERS = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")


@pytest.mark.parametrize("word", CARRIERS)
def test_what_carriers_take_for_a_stop_is_one(word: str) -> None:
    """In any letters, with any marks: whom the carrier has shut out we may not think reachable."""
    for written in (word, word.lower(), f" {word}\n", f"{word}.", f'"{word}"', f"{word.title()}!!!"):
        assert words.stop(written), written


@pytest.mark.parametrize(
    "text",
    [
        "Stop please", "please stop", "Pls stop.", "opt out", "Opt-out", "STOP ALL", "Don't text me",
        "don’t text me again",
        "Do not text me", "remove me from your list", "Stop texting me!", "ALTO", "Arrêt", "ARRÊTER",
        "stopp", "Stopp bitte",
        "no más mensajes", "PARE", "Abmelden", "stop, thanks",
    ],
)  # fmt: skip
def test_a_text_that_plainly_says_so_is_a_stop(text: str) -> None:
    """Whatever the customer's language."""
    assert words.stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "?!", "Can I stop by at 3?",
        "cancel my appointment", "I want to cancel",
        "Cancel it, please, I am ill",
        "The end of May", "is this the last stop", "I quit smoking, does that matter?", "stop by tomorrow", "no", "yes",
        "please", "help", "start", "End of the month would be fine", "Stop stop stop it hurts", "🛑", "STOP " * 30,
    ],
)  # fmt: skip
def test_a_text_that_says_more_is_a_message(text: str) -> None:
    """For the agents to answer."""
    assert words.stop(text) is None


def test_start_yes_and_help() -> None:
    """As carriers have them."""
    assert words.start("Start") == "start"
    assert words.start("UNSTOP.") == "unstop"
    assert words.yes("yes please") == "yes"
    assert words.help_asked("HELP?") == "help"
    assert words.help_asked("Info") == "info"
    for text in ("start over", "yes, tomorrow at 3", "can you help me?", "what do you start with"):
        assert (words.start(text), words.yes(text), words.help_asked(text)) == (None, None, None)


@given(st.text(max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    """And none is two things at once."""
    meanings = (words.stop(text), words.start(text), words.yes(text), words.help_asked(text))
    assert sum(each is not None for each in meanings) <= 1
