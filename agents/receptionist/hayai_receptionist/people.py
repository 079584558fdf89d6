"""Names in what a customer writes."""

from __future__ import annotations

import re
from itertools import takewhile

from hayai_receptionist.polarity import ordinary
from hayai_receptionist.words import words, wordset

_NAME = r"[^\W\d_][^\W\d_'’.-]*(?:[-'’][^\W\d_]+)*\.?"
_TOLD = re.compile(
    rf"\b(?P<lead>(?:change|correct|update) (?:my|the) name to|"
    rf"(?:the )?name should be|(?:it's |it is |that's )?(?:spelled|spelt)(?: as)?|"
    rf"my name is (?:spelled|spelt)|my name is|my name's|name is|name's|name\s?:|call me|i am called|"
    rf"for (?:my|our) (?:son|daughter|wife|husband|child|mother|father|mom|mum|dad|friend|brother|sister|partner),?|"
    rf"(?:appointment|booking|it|that) is for|it's for|its for|this is|it is|it's|its|i am|i'm|im|here is|here's|"
    rf"under the name(?: of)?|under)"
    rf"\s+(?P<name>{_NAME}(?:\s+{_NAME}){{0,3}})",
    re.IGNORECASE,
)
_SURE_LEADS = (
    "the name",
    "name should",
    "spelled",
    "spelt",
    "it's sp",
    "it is sp",
    "that's sp",
    "change",
    "correct",
    "update",
    "my name",
    "name",
    "call me",
    "i am called",
    "under the name",
)

_NO_NAME = wordset(
    """
    a an the i me my you your we us our he she they it this that these those there here who what when where why
    how and or but if so as at by for from in into of on off to up with without about after before until till
    between not no yes yeah yep nope ok okay sure fine good great well very really just only also too still then
    than please pls thanks thank thx sorry hello hi hey hiya bye goodbye morning afternoon evening night noon
    midnight is are was were be been being am do does did done have has had can could will would shall should
    may might must want wants wanted need needs like love prefer hope think guess know see say said tell ask
    call calling phone text book booking booked schedule appointment appointments reserve move change cancel
    cancelled reschedule confirm looking wondering trying interested hoping calling writing asking available
    free busy late early ready happy glad new old sick ill back done going coming unable able afraid not's today
    tomorrow tonight yesterday day days week weeks weekend month months year hour hours minute minutes time
    times monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
    january february march april june july august september october november december next last first second
    third later earlier sooner soon now asap anytime one two three four five six seven eight nine ten eleven
    twelve half quarter past oclock o'clock pm price cost costs much many address location open close closed
    human person agent someone anyone nobody all any some other another same different instead actually maybe
    perhaps whatever nothing something anything help work works working way possible stupid better best wait
    stop again more less never always patient customer client urgent emergency important interested question
    questions number mobile cell email name ignore
    """
)
"""Words that are no part of a name, whatever stands before them."""

_LONGEST = 40
"""Letters of one part of a name; more is a cat on the keyboard."""
_PARTS = 4
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "miss"})
_JOINING = frozenset({"&", "and", "von", "van", "de"})
_BOTH = wordset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december day week noon will love hope early price cost free new old
    """
)
"""Words that stand in names, too, beside one that is nothing else."""
_MAYBE_NAME = frozenset({"april", "june", "may", "august", "summer", "will"})


def name_in(text: str) -> tuple[str, tuple[int, int] | None]:
    """A name that the customer says to be theirs ("I'm Ada Lovelace"), and where the saying stands in `text`."""
    for found in _TOLD.finditer(text):
        sure = found["lead"].casefold().startswith(_SURE_LEADS)
        run = found["name"].split()
        parts = _leading(run, capitals=not sure, shouted=text.isupper())
        parts = parts if parts or text.isupper() else unusual_name(run)
        if sure:
            parts = unusual_name(list(takewhile(_capital, found["name"].split()))) or parts
        if parts:
            end = found.start("name") + found["name"].index(parts[-1]) + len(parts[-1])
            return written(parts), (found.start(), end)
    return "", None


def _capital(word: str) -> bool:
    return word[:1].isupper()


def before_contact(text: str) -> str:
    """The name that stands last in `text`, right before a telephone number: "tomorrow at 3, Kay Low, "."""
    found = re.search(r"(?:^|[,.;!?])\s*([^,.;!?\d]+?)\s*[,;:]?\s*\Z", text)
    return bare_name(found[1]) if found and all(map(_capital, found[1].split())) else ""


def bare_name(text: str) -> str:
    """The name in an answer to "What is your name?": "Ada Lovelace", "ada", "Ada Lovelace please"."""
    plain = answer_words(text)
    parts = _leading(plain, capitals=False, shouted=False)
    if not parts or len(parts) < len(plain):
        return ""
    sensible = not ordinary(words(" ".join(parts))) or parts[0].casefold() in _MAYBE_NAME  # "perfect" names nobody
    return written(parts) if sensible else ""


def answer_words(text: str) -> list[str]:
    """The words of an answer, without what is said for courtesy before and after a name."""
    plain = re.sub(r"[,!;:]|\.$", " ", text).split()
    while plain and plain[0].casefold() in {
        "hi",
        "hello",
        "hey",
        "sure",
        "ok",
        "okay",
        "yes",
        "yeah",
        "well",
        "of",
        "course",
        "it's",
        "its",
        "i'm",
        "im",
        "oh",
        "for",
    }:
        plain.pop(0)
    while plain and plain[-1].casefold() in {"please", "thanks", "thank", "you", "here", "pls"}:
        plain.pop()
    return plain


def unusual_name(said: list[str], *, loosely: bool = False) -> list[str]:
    """`said` where it reads as a name with words in it that mean something else ("Sunny Day"); else nothing.

    Small letters will do when `loosely`, for somebody who has been asked twice.
    """
    words_ = [each for each in said if each.casefold() not in _JOINING]
    titled = bool(words_) and words_[0].casefold().rstrip(".") in _TITLES
    if not 1 < len(words_) <= _PARTS or not all(_may_stand_in_name(each, loosely=loosely) for each in words_):
        return []
    return said if titled or telling(words_) else []


def telling(parts: list[str]) -> list[str]:
    """Those of the parts of a name that are no other words."""
    plain = (each for each in parts if each.casefold().rstrip(".") not in _TITLES | _JOINING)
    return [each for each in plain if "".join(words(each)) not in _NO_NAME]


def _may_stand_in_name(word: str, *, loosely: bool) -> bool:
    plain = "".join(words(word))
    fits = bool(re.fullmatch(_NAME, word)) and (word[0].isupper() or loosely)
    return fits and (plain not in _NO_NAME or plain in _BOTH)


def _leading(said: list[str], *, capitals: bool, shouted: bool) -> list[str]:
    """The first words of `said` that may be a name, at most four."""
    parts: list[str] = []
    for word in said[:4]:
        fits = re.fullmatch(_NAME, word) and _may_be_name(word, first=not parts)
        if not fits or (capitals and (shouted or not word[0].isupper())):
            break
        parts.append(word)
        if word.endswith(".") and len(word) > 3:  # noqa: PLR2004 - "J." goes on, "Ada." ends the sentence
            break
    return parts


def _may_be_name(word: str, *, first: bool) -> bool:
    plain = "".join(words(word))
    if len(word) > _LONGEST:
        return False
    if plain in _MAYBE_NAME and word[0].isupper():
        return True
    return plain not in _NO_NAME and not (first and plain.endswith("ing") and len(plain) > 5)  # noqa: PLR2004


def written(parts: list[str]) -> str:
    """A name as it is stored: "Dr. March", "Ada" for "ada."."""
    told = [part if len(part) <= 2 or part.casefold().rstrip(".") in _TITLES else part.rstrip(".") for part in parts]  # noqa: PLR2004
    if len(told) > 1 and all(part.isupper() and len(part) > 2 for part in told):  # noqa: PLR2004 - "KAREN SMITH"
        told = [part.casefold() for part in told]
    return " ".join(part if part != part.casefold() else part[:1].upper() + part[1:] for part in told)
