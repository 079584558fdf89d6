"""Words: segments and parts of texts, statuses that only go up, and what Twilio's numbers mean."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hayai.errors import OutcomeUnclear, PermanentError, RateLimited, Unavailable
from hayai_twilio.encoding import LONGEST, parts, plain, size
from hayai_twilio.refusals import RecipientOptedOut, RecipientUnreachable, TextRefused, is_permanent, refusal
from hayai_twilio.statuses import STATUSES, rank, turn


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("ñ" * 160, "GSM-7", 1),
        ("歯" * 70, "UCS-2", 1),
        ("歯" * 71, "UCS-2", 2),
        ("👍" * 35, "UCS-2", 1),
        ("👍" * 36, "UCS-2", 2),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, encoding: str, segments: int) -> None:
    """Euro and brackets take two places; an emoji takes two of UCS-2's."""
    assert (size(text).encoding, size(text).segments) == (encoding, segments)


def test_typographic_signs_do_not_double_the_price() -> None:
    """They have letters that every telephone knows."""
    told = "It’s “Tuesday” – 9:00…"
    assert size(told).encoding == "UCS-2"
    assert plain(told) == 'It\'s "Tuesday" - 9:00...'
    assert size(plain(told)).encoding == "GSM-7"


@given(st.text(alphabet="ab .,\n歯👍", max_size=400), st.integers(10, 120))
def test_parts_lose_nothing_but_blanks(text: str, longest: int) -> None:
    """Each fits, and together they are what was to be said."""
    found = parts(text, longest)
    assert all(0 < len(each) <= longest for each in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_a_long_text_is_parted_where_a_sentence_ends() -> None:
    """Not within a word."""
    first, second = parts("This is a sentence. " * 100)
    assert len(first) <= LONGEST
    assert first.endswith("sentence.")
    assert second.startswith("This")


def test_reports_in_any_order_end_with_the_same_status() -> None:
    """The furthest one, whichever came last."""
    for order in permutations(["queued", "sent", "undelivered", "delivered"]):
        known = ""
        for each in order:
            known = max(known, each, key=rank)
        assert known == "delivered"


def test_news_is_told_once() -> None:
    """That it arrived, or that it failed; what is not known is no news."""
    assert turn("sent", "delivered") == turn(None, "read") == "arrived"
    assert turn("sent", "undelivered") == turn("queued", "failed") == "failed"
    assert turn("delivered", "read") is None
    assert turn("failed", "undelivered") is None
    assert turn("queued", "sent") is None
    assert rank("receiving") == 0
    assert sorted(STATUSES, key=rank) == list(STATUSES)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 21610, RecipientOptedOut),
        (400, 21211, RecipientUnreachable),
        (400, 21614, RecipientUnreachable),
        (400, 21617, TextRefused),
        (400, None, TextRefused),
        (429, 20429, RateLimited),
        (400, 21611, RateLimited),
        (401, 20003, Unavailable),
        (500, 20500, OutcomeUnclear),
        (503, None, OutcomeUnclear),
    ],
)
def test_the_error_says_what_the_next_try_is_worth(status: int, code: int | None, kind: type[Exception]) -> None:
    """And a POST that was answered with 5xx may have been carried out."""
    assert type(refusal(status, code)) is kind
    assert isinstance(refusal(400, 21610), PermanentError)


def test_what_a_report_says_is_for_good_or_not() -> None:
    """A device that was off may be on again; a landline stays one."""
    assert not is_permanent("30003")
    assert is_permanent("30006")
