"""What counts as a time, a day, a price or a confirmation, and what proves it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hayai.agents.claims import claims
from hayai.agents.speech import Speech
from hayai.agents.truth import Fact, Truth, facts, kept

TODAY = date(2026, 11, 24)  # a Tuesday


@pytest.mark.parametrize(
    ("sentence", "times"),
    [
        ("How about 3 pm?", {(900,)}),
        ("At 3:30 p.m. or 10am.", {(930,), (600,)}),
        ("12 am and 12 pm", {(0,), (720,)}),
        ("We open at 9 and close at 5.", {(540, 1260), (300, 1020)}),
        ("at three on Friday", {(180, 900)}),
        ("half past two", {(150, 870)}),
        ("quarter to six", {(345, 1065)}),
        ("noon or midnight", {(720,), (0,)}),
        ("3-4 pm", {(180, 900), (960,)}),
        ("between 3 and 4", {(180, 900), (240, 960)}),
        ("three o'clock", {(180, 900)}),
        ("Um 14.30 Uhr", {(870,)}),
        ("um 15 Uhr 30", {(930,)}),
        ("um drei", {(180, 900)}),
        ("halb drei", {(150, 870)}),
        ("a las 3 de la tarde", {(180, 900)}),
        ("a las tres", {(180, 900)}),
        ("à 15h30", {(930,)}),
        ("à 15 heures", {(900,)}),
        ("alle 15:00", {(900,)}),
        ("alle ore 16", {(960,)}),
        ("2026-11-24T15:00:00-05:00", {(900,)}),
    ],
)
def test_times_of_five_languages(sentence: str, times: set[tuple[int, ...]]) -> None:
    """In minutes of the day; both halves of it where neither is named."""
    assert {tuple(sorted(each)) for each in claims(sentence, TODAY).times} == times


@pytest.mark.parametrize(
    "sentence",
    [
        "It takes 30 minutes.",
        "Call 555 0100.",
        "We have 2 dentists and 3 rooms.",
        "Which time on Tuesday suits you?",
        "Would you like it cancelled?",
        "It has not been booked yet.",
        "Es ist noch nicht gebucht.",
        "I can look that up.",
        "At 3 Main Street you find us.",
        "Zwei Termine am Dienstag sind möglich.",
    ],
)
def test_what_states_none_of_these(sentence: str) -> None:
    """It may be said without any tool."""
    assert Truth([], TODAY).doubts(sentence) == []


@pytest.mark.parametrize(
    ("sentence", "prices"),
    [
        ("It costs $1,200.50.", {"1200.5"}),
        ("80 € oder 1.200 €", {"80", "1200"}),
        ("CHF 1'200", {"1200"}),
        ("fifty dollars", {"fifty dollars"}),
        ("20% off", {"20"}),
        ("It is free of charge.", {"free"}),
        ("Das ist kostenlos.", {"free"}),
        ("It is free at ten.", set[str]()),
    ],
)
def test_prices(sentence: str, prices: set[str]) -> None:
    """Discounts, gifts and amounts in words are prices too."""
    assert claims(sentence, TODAY).prices == prices


@pytest.mark.parametrize(
    ("sentence", "deed"),
    [
        ("You are all set.", "booked"),
        ("See you on Friday.", "booked"),
        ("Ihr Termin ist bestätigt.", "booked"),
        ("Su cita está reservada.", "booked"),
        ("Votre rendez-vous est confirmé.", "booked"),
        ("L'appuntamento è prenotato.", "booked"),
        ("I have cancelled it.", "cancelled"),
        ("Der Termin ist abgesagt.", "cancelled"),
        ("It was rescheduled.", "moved"),
        ("Je l'ai déplacé.", "moved"),
        ("No problem, it is booked.", "booked"),
    ],
)
def test_confirmations_of_five_languages(sentence: str, deed: str) -> None:
    """They need a tool that did it."""
    assert claims(sentence, TODAY).deeds == {deed}
    assert Truth([], TODAY).doubts(sentence)


def _truth(*texts: str | tuple[str, str]) -> Truth:
    several = [(each, ()) if isinstance(each, str) else (each[0], (each[1],)) for each in texts]
    return Truth([fact for text, deeds in several for fact in facts(text, deeds)], TODAY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sentence",
    [
        "I have 3 pm on Wednesday.",
        "Tomorrow at 15:00 is free.",
        "On November 25th at three.",
        "Morgen um 15 Uhr.",
        "The cleaning is $120.",
        "Es kostet 120 €.",
    ],
)
def test_what_a_tool_returned_may_be_said_in_other_words(sentence: str) -> None:
    """Another language, another form of the same hour, the day by its date or by its name."""
    assert _truth("Free: 2026-11-25T15:00-05:00", "Free: Wednesday 15:00", "Cleaning: $120.00").doubts(sentence) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "I have 4 pm on Wednesday.",
        "I have 3 pm on Thursday.",
        "I have 3 pm on Wednesday and on Thursday.",
        "I have 10 am on Wednesday.",
        "The cleaning is $100.",
        "Your appointment is booked.",
    ],
)
def test_what_no_tool_returned_may_not(sentence: str) -> None:
    """The time of one day is not lent to another's."""
    assert _truth("Wednesday 15:00\nThursday 10:00", "Cleaning: $120").doubts(sentence)


def test_a_confirmation_goes_for_the_time_at_which_it_was_done() -> None:
    """Not for one that was merely free."""
    truth = _truth("Free: Wednesday 15:00; Wednesday 16:00", ("You are booked for Wednesday at 3:00 PM.", "booked"))
    assert truth.doubts("You are booked for Wednesday at 3 pm.") == []
    assert truth.doubts("You are booked.") == []
    assert truth.doubts("You are booked for Wednesday at 4 pm.")
    assert truth.doubts("It is cancelled.")


def test_facts_do_not_grow_for_ever() -> None:
    """The newest stay, each once."""
    several = kept(tuple(Fact(text=f"{number % 300}:00") for number in range(1000)))
    assert len(several) == 200
    assert several[-1].text == "299:00"


async def _spoken(truth: Truth, pieces: list[str], text: str = "", *, whole: bool = True) -> Speech:
    async def say(_: str) -> None:
        pass

    speech = Speech(truth, say)
    for each in pieces:
        await speech.hear(each)
    await speech.finish(text or "".join(pieces), whole=whole)
    return speech


async def test_sentences_go_out_one_by_one() -> None:
    """An abbreviation, a number and half an hour end none."""
    said = (await _spoken(_truth("3 p.m."), ["Dr. Lee is at 3 p", ".m. here. Come", " by!\nBye", "."])).said
    assert said == ["Dr. Lee is at 3 p.m. here.", "Come by!", "Bye."]


async def test_nothing_is_said_after_a_sentence_that_was_withheld() -> None:
    """What follows may rest upon it."""
    speech = await _spoken(_truth("nothing"), ["Hello. It is at 3 pm. Shall I go on?"])
    assert (speech.said, speech.withheld, speech.doubts) == (["Hello."], "It is at 3 pm.", ["the time 15:00"])


async def test_the_rest_of_an_answer_that_was_cut_is_not_said() -> None:
    """Half a sentence may say the opposite of the whole."""
    assert (await _spoken(_truth(), ["Hello. I would ne"], whole=False)).said == ["Hello."]


@given(st.text(), st.lists(st.integers(1, 9)))
async def test_the_pieces_do_not_matter(text: str, cuts: list[int]) -> None:
    """However an answer is cut, the same is said of it; and no text brings the reading down."""
    pieces, rest = [], text
    for each in cuts:
        pieces.append(rest[:each])
        rest = rest[each:]
    one, other = await _spoken(_truth(), [text]), await _spoken(_truth(), [*pieces, rest])
    assert (one.said, one.withheld) == (other.said, other.withheld)


def test_hostile_text_is_read_in_no_time() -> None:
    """The reading grows with the text, not with its square."""
    for each in ("9" * 20_000, "at " * 8000, "1.000" * 4000, "not " * 5000, "a." * 10_000):
        claims(each, TODAY)
