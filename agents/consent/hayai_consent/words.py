"""Words: what a text must say, and nothing beside it, to end our texts, to begin them again, or to ask who we are.

Carriers know STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, REVOKE and OPTOUT
(https://help.twilio.com/articles/223134027), the law names most of them and "any reasonable means" beside
(47 CFR 64.1200(a)(10)); so a whole text that plainly says so counts as well, in the languages that customers write.
"""

from __future__ import annotations

import re
import unicodedata

_STOP = frozenset(
    {
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out",
        "opt me out", "unsubscribe me", "remove me", "take me off", "take me off your list",
        "remove me from your list", "stop texting me", "stop texting", "stop messaging me", "stop texts",
        "stop sending me texts", "stop sending me messages", "stop contacting me", "no more texts", "no more messages",
        "do not text me", "dont text me", "do not text me again", "dont text me again", "do not contact me",
        "dont contact me", "leave me alone",
        "alto", "parar", "baja", "no mas mensajes", "no me escriban mas",  # Spanish
        "pare", "sair",  # Portuguese
        "arret", "arreter", "desinscrire",  # French
        "stopp", "abmelden", "abbestellen",  # German
    }
)  # fmt: skip
_START = frozenset({"start", "unstop"})
_YES = frozenset({"yes"})
_HELP = frozenset({"help", "info"})
_POLITE = frozenset({"please", "pls", "por favor", "bitte", "thanks", "thank you"})
_APART = re.compile(r"[^\w]+")
_APOSTROPHES = re.compile(r"['\u2018\u2019\u02bc`]")
_LONGEST = 60


def stop(text: str) -> str | None:
    """The known words that the whole of `text` consists of, where it ends our texts."""
    return _known(text, _STOP)


def start(text: str) -> str | None:
    """As stop(), where it begins them again."""
    return _known(text, _START)


def yes(text: str) -> str | None:
    """As stop(); carriers take YES for START from somebody who has stopped, and from nobody else."""
    return _known(text, _YES)


def help_asked(text: str) -> str | None:
    """As stop(), where it asks who writes."""
    return _known(text, _HELP)


def _known(text: str, words: frozenset[str]) -> str | None:
    if len(text) > _LONGEST:
        return None
    plain = _plain(text)
    for polite in ("", *_POLITE):
        bare = plain.removeprefix(f"{polite} ").removesuffix(f" {polite}") if polite else plain
        if bare in words:
            return bare
    return None


def _plain(text: str) -> str:
    """In small letters, without accents, marks and doubled spaces."""
    apart = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text).casefold())
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return _APART.sub(" ", bare).strip()
