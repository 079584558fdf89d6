"""Words: how English, German, Spanish, French and Italian say a time, a day, an amount and what was done."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

Deed = Literal["booked", "moved", "cancelled"]
"""What a tool can do that a reply may confirm."""


def _numbered(*languages: str, first: int) -> dict[str, int]:
    pairs = (pair for each in languages for pair in enumerate(each.split(), first))
    return {word: number for number, word in pairs}


HOURS = MappingProxyType(
    _numbered(
        "one two three four five six seven eight nine ten eleven twelve",
        "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
        "una dos tres cuatro cinco seis siete ocho nueve diez once doce",
        "une deux trois quatre cinq six sept huit neuf dix onze douze",
        "una due tre quattro cinque sei sette otto nove dieci undici dodici",
        first=1,
    )
)
MINUTES_OF_DAY = MappingProxyType(
    {
        **dict.fromkeys(("noon", "midday", "mittag", "mittags", "mediodía", "midi", "mezzogiorno"), 12 * 60),
        **dict.fromkeys(("midnight", "mitternacht", "medianoche", "minuit", "mezzanotte"), 0),
    }
)
WEEKDAYS = MappingProxyType(
    _numbered(
        "monday tuesday wednesday thursday friday saturday sunday",
        "mondays tuesdays wednesdays thursdays fridays saturdays sundays",
        "mon tue wed thu fri sat sun",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "lunes martes miércoles jueves viernes sábado domingo",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        first=0,
    )
)
MONTHS = MappingProxyType(
    _numbered(
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        first=1,
    )
)
DAYS_AHEAD = MappingProxyType(
    {
        **dict.fromkeys(("today", "tonight", "heute", "hoy", "aujourd'hui", "oggi", "stasera"), 0),
        **dict.fromkeys(("tomorrow", "mañana", "demain", "domani"), 1),
        **dict.fromkeys(("übermorgen", "après-demain", "dopodomani"), 2),
    }
)
"""Without German `morgen`, which is the morning as well."""

DONE: tuple[tuple[Deed, str], ...] = (
    (
        "booked",
        (
            r"(re)?booked|scheduled|confirmed|reserved|all set|see you (on|at|then|tomorrow)"
            r"|looking forward to seeing you|(ein)?gebucht|bestätigt|reserviert|eingetragen|vorgemerkt"
            r"|reservad[oa]s?|confirmad[oa]s?|agendad[oa]s?|réservée?s?|confirmée?s?"
            r"|prenotat[oaie]|confermat[oaie]|riservat[oaie]|fissat[oaie]"
        ),
    ),
    (
        "cancelled",
        (
            r"cancell?ed|called off|storniert|abgesagt|gestrichen|cancelad[oa]s?|anulad[oa]s?|annulée?s?"
            r"|annullat[oaie]|cancellat[oaie]|disdett[oaie]"
        ),
    ),
    (
        "moved",
        (
            r"moved|rescheduled|postponed|changed to|verschoben|verlegt|umgebucht|cambiad[oa]s?|movid[oa]s?"
            r"|reprogramad[oa]s?|déplacée?s?|reportée?s?|décalée?s?|spostat[oaie]|rinviat[oaie]"
        ),
    ),
)
"""What says that a deed was done."""
NOT_DONE = (
    r"(?:\b(?:not|never|nothing|nicht|noch nicht|nichts|kein|keine|keinen|no|pas|rien|non|aún no|todavía no|non ancora"
    r"|ancora non)|n['’]t)(?:\s+(?:yet|been|be|noch|se ha|ha sido|está|encore|été|è|stato|stata|was|is|has))*\s+"
)
"""What before these words says the opposite."""

AMOUNT_WORDS = (
    r"dollars?|bucks|cents?|euros?|eur|usd|gbp|chf|pounds?|francs?|franken|dólares|pesos|dollari|sterline|franchi"
)
FREE = (
    r"free of charge|for free|no (extra )?(charge|cost)|at no cost|complimentary|on the house|kostenlos|kostenfrei"
    r"|gratis|umsonst|gratuit[eoa]?s?|sin (costo|coste|cargo)|senza costi"
)
