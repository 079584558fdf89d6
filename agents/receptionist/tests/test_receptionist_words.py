"""What is heard in single messages: yes and no, names and numbers, services, and what a message is about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hayai.schedule import Service
from hayai_receptionist.contacts import contact_in
from hayai_receptionist.intents import intents
from hayai_receptionist.people import bare_name, name_in
from hayai_receptionist.polarity import polarity
from hayai_receptionist.services import named
from hayai_receptionist.words import clean, words

YES = """yes; yep; yeah; Yes please; ok; okay; sure; sounds good; that works; that works for me; works for me; perfect;
    great, thank you; go ahead; please do; book it; Yes, book it; confirm; of course; absolutely; y; yup; fine by me;
    that's right; correct; looks good; do it; let's do it; I'll take it; yes that's great; why not; no problem;
    yes please book it for me; 👍; definitely; sounds great thanks; ok great; oh yes; sure thing; that would be great;
    I don't see why not;
    yes, that one; yes I would; yeah sounds good; perfect, see you then; alright; cool; YES!!!; yesss; good"""
NO = """no; nope; nah; no thanks; no thank you; not that one; I don't want that; that doesn't work; no way; not really;
    that does not work for me; I can't; neither; none of them; never; no I can't make that; sorry no; not for me; 👎;
    don't book it; please don't; it isn't good; that won't work"""
NEITHER = """maybe; yes but can it be cheaper; is that ok with the doctor; what is that; how do I know that works;
    my dog ate the paper yesterday and it was good; hello; 4 pm; if it is free yes; yes wait I have to ask my husband;
    the weather is fine in Spain today; which one is good; yes I have a question about all this; book; tell me more;
    are you sure; does that work; would that be fine with my insurance"""


def several(told: str) -> list[str]:
    """The phrases of a list."""
    return [" ".join(each.split()) for each in told.split(";")]


@pytest.mark.parametrize("text", several(YES))
def test_a_yes_is_a_yes(text: str) -> None:
    """However it is put."""
    assert polarity(words(clean(text))) == "yes"


@pytest.mark.parametrize("text", several(NO))
def test_a_no_is_a_no(text: str) -> None:
    """However politely."""
    assert polarity(words(clean(text))) == "no"


@pytest.mark.parametrize("text", several(NEITHER))
def test_what_is_in_doubt_is_no_yes(text: str) -> None:
    """A booking is confirmed by a yes and by nothing like one."""
    assert polarity(words(clean(text))) == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi, I'm Ada Lovelace and I'd like a cleaning", "Ada Lovelace"),
        ("my name is ada lovelace", "Ada Lovelace"),
        ("This is Grace Hopper.", "Grace Hopper"),
        ("name's O'Neill", "O'Neill"),
        ("I am Jean-Luc Picard, tomorrow at 3", "Jean-Luc Picard"),
        ("call me Al", "Al"),
        ("It's for Bob Smith", "Bob Smith"),
        ("its for Jo Blake", "Jo Blake"),
        ("I'm Ada, I need a checkup", "Ada"),
        ("Im April", "April"),
        ("I'm José Ángel", "José Ángel"),
        ("I'm looking for a checkup", ""),
        ("I'm Looking For A Checkup", ""),
        ("I AM LOOKING FOR A CHECKUP", ""),
        ("I'm sorry", ""),
        ("this is urgent", ""),
        ("this is Monday", ""),
        ("It's Tuesday", ""),
        ("I'm free on Friday", ""),
        ("I'm in pain", ""),
        ("i am not sure", ""),
    ],
)
def test_a_name_is_heard_where_one_is_said(text: str, name: str) -> None:
    """And nowhere else: "I'm looking" is nobody's name."""
    assert name_in(text)[0] == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ada", "Ada"),
        ("ada lovelace", "Ada Lovelace"),
        ("Ada Lovelace, please", "Ada Lovelace"),
        ("Sure, Ada", "Ada"),
        ("J. R. R. Tolkien", "J. R. R. Tolkien"),
        ("李小龙", "李小龙"),
        ("May", "May"),
        ("no", ""),
        ("why do you ask?", ""),
        ("tomorrow at 3", ""),
        ("what does it cost", ""),
        ("yes", ""),
        ("yeah perfect", ""),
        ("Will", "Will"),
        ("", ""),
        ("12345", ""),
    ],
)
def test_a_bare_name_is_taken_as_an_answer(text: str, name: str) -> None:
    """To "What is your name?"; anything that is no name is not."""
    assert bare_name(clean(text)) == name


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("my phone is 207-555-0188", "207-555-0188"),
        ("+44 20 7946 0958 thanks", "+44 20 7946 0958"),
        ("(207) 555-0188", "(207) 555-0188"),
        ("call 2075550188.", "2075550188"),
        ("mail me: ada.l@example.co.uk!", "ada.l@example.co.uk"),
        ("on 2026-12-01 at 10", ""),
        ("12/01/2026", ""),
        ("01.12.2026", ""),
        ("at 10:30 or 11:30", ""),
        ("555", ""),
    ],
)
def test_a_number_or_an_address_is_heard_and_no_date_is(text: str, contact: str) -> None:
    """A date has as many digits as a telephone number."""
    assert contact_in(text)[0] == contact


def service(id_: str, name: str, *also: str) -> Service:
    """A service as far as its names."""
    return Service(id=id_, name=name, also=also, duration=timedelta(minutes=30), needs=("room",))


OFFERED = (
    service("wash", "Wash", "car wash"),
    service("deep", "Deep wash", "full cleaning"),
    service("wax", "Hand wax", "waxing", "polish"),
    service("hour", "60 minute massage"),
    service("half", "30 minute massage"),
    service("xray", "X-ray"),
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("a wash please", ("wash",)),
        ("a deep wash please", ("deep",)),
        ("two washes", ("wash",)),
        ("deep wahs", ("deep",)),
        ("hand waxs", ("wax",)),
        ("polishing? polsh", ("wax",)),
        ("full claening", ("deep",)),
        ("a massage", ("half", "hour")),
        ("60 minute masage at 3", ("hour",)),
        ("a 30 min massage", ("half",)),
        ("an x ray", ("xray",)),
        ("X-RAY", ("xray",)),
        ("something else", ()),
        ("watch", ()),
        ("", ()),
    ],
)
def test_a_service_is_heard_by_its_names(text: str, ids: tuple[str, ...]) -> None:
    """The longer name wins, a slip is forgiven, and two that fit are both given."""
    assert tuple(sorted(named(clean(text), OFFERED).ids)) == tuple(sorted(ids))


LESSONS = (
    Service(id="one", name="One-hour lesson", also=("lesson",), duration=timedelta(minutes=60), needs=("room",)),
    Service(
        id="two", name="Two-hour lesson", also=("double lesson",), duration=timedelta(minutes=120), needs=("room",)
    ),
    Service(id="night", name="Night driving", duration=timedelta(minutes=90), needs=("room",)),
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("the next one", ()),
        ("the other one", ()),
        ("when is the first one?", ()),
        ("tuesday night", ()),
        ("the night one", ("night",)),
        ("the double one", ("two",)),
        ("a lesson", ("one",)),
        ("no I meant lesson two hours", ("two",)),
        ("two hours", ("two",)),
        ("the one hour one", ("one",)),
        ("in two hours", ()),
        ("not a double lesson but night driving", ("night",)),
        ("a lesson? no, night driving", ("night",)),
        ("not night driving", ()),
    ],
)
def test_a_small_word_names_no_service(text: str, ids: tuple[str, ...]) -> None:
    """A number or an hour of the day tells a service only beside what makes it its name."""
    assert named(clean(text), LESSONS).ids == ids


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("can you resheduel my appointment", "move"),
        ("I want to cancle it", "cancel"),
        ("I can't make it tomorrow", "cannot"),
        ("nevermind", "abort"),
        ("let me talk to a human", "human"),
        ("when is my appointment?", "mine"),
        ("are you a robot", "identity"),
        ("what are your opening hours", "hours"),
        ("how much is it", "price"),
        ("where are you located", "address"),
        ("wat is your phone number", "phone"),
        ("something earlier?", "earlier"),
        ("as soon as possible", "soonest"),
        ("thx", "thanks"),
        ("see you", "bye"),
        ("I'd like an apointment", "book"),
    ],
)
def test_a_message_is_about_what_it_says(text: str, about: str) -> None:
    """Slips of the hand forgiven."""
    assert about in intents(words(clean(text)))


@pytest.mark.parametrize(
    ("text", "not_about"),
    [
        ("is there any chance on tuesday", "move"),
        ("in two hours", "hours"),
        ("what the shit", "move"),
        ("can I stop by", "abort"),
        ("my mother needs a wash", "other"),
        ("I love it", "move"),
        ("talk to you later", "cancel"),
    ],
)
def test_a_word_of_its_own_is_no_slip_of_another(text: str, not_about: str) -> None:
    """A "chance" is no "change"."""
    assert not_about not in intents(words(clean(text)))


def test_control_characters_and_length_do_no_harm() -> None:
    """A text is cut, and shown on one line."""
    assert clean("a\x00b\n\u202ec  d" + "x" * 5000).startswith("a b c d")
    assert len(clean("x" * 5000)) <= 1200
