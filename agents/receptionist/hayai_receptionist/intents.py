"""What a message is about: phrases of appointment talk, found with typing slips forgiven. No trade's word is here."""

from __future__ import annotations

import operator
from collections import defaultdict
from functools import lru_cache
from typing import Literal

from hayai_receptionist.words import close, stem

Intent = Literal[
    "book", "move", "cancel", "cannot", "abort", "mine", "human", "identity", "hours", "address", "phone", "price",
    "services", "greet", "thanks", "bye", "wellbeing", "help", "repeat", "unsure", "other", "later", "earlier",
    "soonest", "anytime", "instead", "everything", "wish", "leave",
]  # fmt: skip

PHRASES: dict[Intent, str] = {
    "book": """book; booking; appointment; schedule; reserve; reservation; come in; come by; get in; fit me in;
        set up; sign up; slot; any opening; have opening; an opening; available; availability;
        do you have anything; anything free; something free; can i come; could i come; visit;
        stop by; drop by; see the; squeeze me in; put me down; make an appointment""",
    "everything": "all of them; all my; all appointments; both; everything; every appointment; them all; all",
    "wish": "i'd like; i would like; i need; i want; get me; i'll have; i'd love; looking for; id like",
    "move": """move; reschedule; re schedule; change; switch; postpone; push; rearrange; shift; bring forward;
        swap; another time for my; delay; new time for my""",
    "cancel": "cancel; cancellation; cancelling; call off; delete my; drop my; remove my; get rid of my",
    "cannot": """can't make it; cannot make it; can not make it; won't make it; cant make it; wont make it; can't
        come; cannot come; cant come; won't be able to; unable to come; not able to come; unable
        to make""",
    "abort": """forget it; forget about it; never mind; nevermind; nvm; leave it; drop it; start over; start
        again; changed my mind; change my mind; not anymore; don't want it; don't want to book;
        don't book; do not book; don't want an; scrap that; abort; don't bother; skip it""",
    "mine": """my appointments; when is my; when's my; what time is my; know the time; do i have an; do i have any; my
        booking; my next appointment; am i booked; have i booked; i have booked;
        did i book; did i just book; do i have left; have i got; i have left; have booked; my
        reservations; list my; show my; when am i; what did i book; is my appointment; my
        upcoming""",
    "human": """human; real person; a person; representative; operator; manager; speak to; speak with; talk to;
        talk with; live agent; an agent; staff; receptionist; call me back; give me a call; call
        me; phone me; complaint; complain; somebody real; someone real; actual person;
        colleague; talk to someone; ring me""",
    "identity": "are you a; are you an; are you real; robot; chatbot; a bot; who are you; are you human; is this a bot",
    "hours": """opening hours; opening times; opening time; business hours; office hours; your hours; what
        hours; hours of; you open; you close; you closed; open on; open today; open now; open
        tomorrow; open this; closed on; closed for; close for lunch; closing time; still open;
        how late; how early; working hours; open over; open at; hours on; hours for; the hours""",
    "address": """address; where are you; where're you; located; location; directions; how do i get; find you;
        where is your; where is the; which street; where do i go; where do i come; how to get
        there; on the map""",
    "phone": """your phone; your number; telephone; call you; phone number; your email; email you; contact
        details; reach you; a number to; ring you; your mail""",
    "price": """price; cost; how much; charge; fee; expensive; rates; pricing; priced; what does it run; quote;
        cheap; how many dollars""",
    "services": """services; what do you offer; what can i book; treatments; what kind of; what types; do you
        offer; do you do; do you provide; list of services; which services; what do you do; what
        all do you""",
    "greet": """hi; hello; hey; hiya; howdy; good morning; good afternoon; good evening; good day; greetings;
        hallo; helo; hi there; hey there; yo""",
    "thanks": "thanks; thank you; thank; thx; cheers; appreciate; ty; tysm; grateful",
    "leave": "bye; goodbye; good bye; see you; see ya; talk later; talk to you later",
    "bye": """bye; goodbye; good bye; see you; see ya; that's all; that is all; that's it; nothing else; talk
        later; have a good; have a nice; have a great; good night; all set; i'm done; talk to
        you later; take care""",
    "wellbeing": "how are you; how's it going; how is it going; what's up; whats up; how do you do; how are things",
    "help": "help; what can you do; how does this work; what are my options; menu; how do i use",
    "repeat": """repeat; say that again; say again; pardon; come again; what was that; what did you say; excuse
        me; sorry what; what were the; which times; what times were""",
    "unsure": """not yet; not sure; don't know; dont know; do not know; let me think; let me check; hold on; one moment;
        one second; one sec; just a moment; a minute please; wait; give me a; i'll think; no
        idea; hmm; unsure; depends; need to check; have to check; get back to you; have a
        question; quick question""",
    "other": """another time; another day; another slot; other times; other time; other days; other options;
        different time; different times; different day; something else; anything else; else;
        other slots; more times; more options; show me more; none of; neither; another one; not
        that one; not those; other ones; any other; more slots; choose another""",
    "later": """later; later than that; afterwards; after that; a bit later""",
    "earlier": "earlier; sooner; before that; a bit earlier",
    "soonest": """as soon as possible; asap; soonest; earliest; first available; next available; next free; first
        free; first opening; next opening; next slot; first slot; right away; immediately;
        urgently; as early as possible""",
    "anytime": """whenever; any time; anytime; whatever; any day; i'm flexible; i am flexible; doesn't matter;
        does not matter; what do you have; what's available; what is available; when can i come;
        when are you free; when can you; what times""",
    "instead": """instead; actually; rather; make it; change it; change that; on second thought; make that""",
}

_DECOYS = """
    chance charge where were there their home hours house horse later latter later's prize rice place places
    please phone prone those these thesis weather whether other bother mother brother moved love move movie more
    most store story start stop step slot lots shot cancer canal hello help held human woman women humor nothing
    something anything thing think thank tank clock close closed cost coast lost last least list listen quite
    quiet quit quote change changes switch witch push bush pull full shift shirt call called calls shit shot
    fall tall small real person parson talk walk speak peak book books look cook took visit exit fee free feel
    feed feet tree three money honey right night light might sight write wrong sure pure cure care core sorry
    worry story reserve deserve serve address dress express number member stay say day way may pay play location
    vacation education position operation option rates dates gates late rate date state great treat operator
    manage manager manner meant mean
"""


def _parsed(phrases: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(phrase.split()) for phrase in phrases.split(";"))


_PHRASES: dict[Intent, tuple[tuple[str, ...], ...]] = {name: _parsed(told) for name, told in PHRASES.items()}
_KNOWN = frozenset(
    {stem(word) for phrases in _PHRASES.values() for phrase in phrases for word in phrase}
    | {stem(word) for word in _DECOYS.split()}
)


_ALONE: dict[tuple[str, ...], Intent] = {
    ("stop",): "abort", ("quit",): "abort", ("please", "stop"): "abort", ("stop", "it"): "abort",
    ("what",): "repeat", ("huh",): "repeat", ("sorry",): "repeat", ("eh",): "repeat", ("again",): "repeat",
}  # fmt: skip
"""Words that mean something only when they are the whole message."""


_FIRST: dict[str, list[tuple[Intent, tuple[str, ...]]]] = defaultdict(list)
for _name, _told in _PHRASES.items():
    for _phrase in _told:
        _FIRST[stem(_phrase[0])].append((_name, tuple(stem(word) for word in _phrase)))


def intents(said: tuple[str, ...]) -> frozenset[Intent]:
    """Everything that the words are about."""
    found: set[Intent] = {_ALONE[said]} if said in _ALONE else set()
    meant = [meanings(word) for word in said]
    for at, first in enumerate(meant):
        for word in first:
            found |= {name for name, phrase in _FIRST.get(word, ()) if _stands(phrase, meant[at : at + len(phrase)])}
    return frozenset(found)


def _stands(phrase: tuple[str, ...], meant: list[frozenset[str]]) -> bool:
    return len(meant) == len(phrase) and all(map(operator.contains, meant, phrase))


@lru_cache(maxsize=8192)
def meanings(written: str) -> frozenset[str]:
    """The words of the phrases that a written word may be, as stems; one of its own is no slip of another."""
    if stem(written) in _KNOWN:
        return frozenset({stem(written)})
    return frozenset(each for each in _KNOWN if close(written, each))


def means(written: str, meant: str) -> bool:
    """Whether a written word is `meant`, or a slip of it; a word of appointment talk is no slip of another."""
    return _same(written, meant)


def holds(said: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """Whether `phrase` stands somewhere in `said`."""
    last = len(said) - len(phrase)
    return any(all(_same(said[at + i], each) for i, each in enumerate(phrase)) for at in range(last + 1))


@lru_cache(maxsize=65536)
def _same(written: str, meant: str) -> bool:
    return stem(written) == stem(meant) or (stem(written) not in _KNOWN and close(written, meant))
