"""Yes or no: said outright or in one of the many other ways; anything doubtful is neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hayai_receptionist.intents import holds
from hayai_receptionist.words import stem, wordset

if TYPE_CHECKING:
    from collections.abc import Iterable

Polarity = Literal["yes", "no", ""]


def _phrases(told: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(each.split()) for each in told.split(";"))


_YES_IDIOMS = _phrases(
    "why not; no problem; no problems; not bad; no worries; can't wait; no objection; not at all;"
    " don't see why not; do not see why not; see no reason not to; no reason not to; wouldn't say no; can't say no"
)
_YES = _phrases(
    """yes; yep; yeah; yea; yup; ya; yas; yess; yess; yesss; sure; ok; okay; okey; k; kk; correct; exactly; absolutely;
    definitely; certainly; of course; sounds good; sounds great; sounds fine; sounds perfect; that works; this works;
    works; it works; that'll work; that will work; would work; would be fine; would be great; would be good; is fine;
    is good; is great; is perfect; that's fine; thats fine; fine; perfect; great; good; please do; go ahead; do it;
    do that; book it; book that; confirm; confirmed; let's do; lets do; i'll take; ill take; take it; take that;
    ja; oui; sí;
    agreed; that's right; that is right; right; looks good; looks great; all good; cool; awesome; excellent; lovely;
    wonderful; y; deal; that one; suits me; suit me; happy with that; move it; cancel it; i do; yes please; affirmative;
    go for it; please book; please confirm; i confirm; i agree; 👍; 👌; ✅;
    🆗; indeed; amazing; super; alright; all right"""
)
_NO_IDIOMS = _phrases("absolutely not; certainly not; definitely not; of course not; yeah no; yeah nah; no way")
_NO = wordset(
    """
    no nope nah naw n not don't dont doesn't doesnt can't cant cannot won't wont wouldn't didn't isn't isnt
    never neither none negative nay nein 👎 ❌ without shouldn't couldn't aren't haven't nothing
    """
)
_QUESTIONING = wordset(
    """
    how what why when where who which whose question but however unless if wait hold
    """
)
_FILLERS = wordset(
    """
    i it that this the a is would be do please pls thanks thank you so much very for me to my we can let's lets
    us then and just oh well um uh hmm hm ah great good fine nice lovely see there one time appointment booking
    slot on at in of with are will am i'm i'll ill that's thats it's its all set want like book confirm work
    works go ahead really sir ma'am looks sounds look sound take have i'd id love day go does them those these
    your kind too now still both yes yep yeah ok okay sure hi hello hey am pm o'clock as by from here let him
    her make cancel move okay works'
    """
)
_ASKING = wordset(
    """
    is are do does did can could will would should may am was were has have
    """
)
_HEMS = wordset(
    """
    oh um uh hmm hm well so ah and hi hello hey thanks great then
    """
)
_FEW = 2


def polarity(said: tuple[str, ...]) -> Polarity:
    """`yes` or `no` for the words of a message that carries nothing else of weight, `` for anything in doubt.

    Two strange words beside a yes are borne; a question, a condition or a "but" is not.
    """
    rest = said
    idiom = False
    for phrase in sorted(_YES_IDIOMS, key=len, reverse=True):
        rest, found = _without(rest, phrase)
        idiom = idiom or found
    if any(_without(said, phrase)[1] for phrase in _NO_IDIOMS):
        return "no"
    negated = any(word in _NO for word in rest)
    agreed = idiom or any(holds(rest, phrase) for phrase in _YES)
    if negated:
        return "no" if _starts_with_no(rest) or not _starts_with_yes(rest) else ""
    asking = rest[:1] and rest[0] in _ASKING and not _starts_with_yes(rest)
    if not agreed or asking or any(word in _QUESTIONING for word in rest):
        return ""
    return "yes" if _strange(rest) <= _FEW else ""


def _without(said: tuple[str, ...], phrase: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    for at in range(len(said) - len(phrase) + 1):
        if said[at : at + len(phrase)] == phrase:
            return said[:at] + said[at + len(phrase) :], True
    return said, False


def _starts_with_no(said: tuple[str, ...]) -> bool:
    return next((word in _NO for word in said if word not in {"oh", "um", "uh", "hmm", "well", "sorry"}), False)


def _starts_with_yes(said: tuple[str, ...]) -> bool:
    first = next((at for at, word in enumerate(said) if word not in _HEMS), 0)
    return any(said[at : at + len(phrase)] == phrase for phrase in _YES for at in (0, first))


def ordinary(said: Iterable[str]) -> bool:
    """Whether nothing but yes, no and the small words around them is said."""
    return _strange(word for word in said if word not in _NO) == 0


def _strange(said: Iterable[str]) -> int:
    known = _FILLERS | {word for phrase in _YES for word in phrase}
    return sum(word not in known and stem(word) not in known for word in said)
