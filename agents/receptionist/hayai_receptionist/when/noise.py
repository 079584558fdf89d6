"""Words about time that ask for nothing: greetings, what was, how long, and numbers that count something."""

from __future__ import annotations

from hayai_receptionist.when.amounts import Noise
from hayai_receptionist.when.grammar import Rule, rule


def _noise(*patterns: str) -> tuple[Rule, ...]:
    return tuple(rule("NOISE", pattern, lambda *_: Noise()) for pattern in patterns)


NOISE_RULES: tuple[Rule, ...] = _noise(
    # Greetings and wishes.
    "good morning|afternoon|evening|night|day",
    "have a? a|an|the? good|nice|great|lovely|wonderful|fantastic|happy DAY|TIME",
    "have a? a|an|the? good|nice|great|lovely|wonderful|fantastic|happy weekend|day|week|one",
    "enjoy your|the? DAY|TIME",
    "happy|merry HOLIDAY|WD",
    "happy new year",
    "no worries|problem|rush|idea|preference|need",
    # What was, and how often.
    "since DAY|TIME|HOLIDAY|LENGTH|MONTHS|MONTH",
    "ever since DAY|TIME",
    "since i|i'm|i've|we|we're|we've|my|our|the|it|it's|he|she|they|you",
    "is|are out of school|work|class|college",
    "or not at all",
    "or nothing|never",
    "LENGTH ago",
    "a while ago",
    "long ago",
    "for|over|during|in|within the? past|last LENGTHNUM|LENGTH|UNITWORD",
    "the? past|last LENGTHNUM|LENGTH",
    "every LENGTH|UNITWORD",
    "once|twice a UNITWORD",
    "INT times a UNITWORD",
    "per UNITWORD",
    "last time",
    "next time",
    "this time ,? i'm|i|it's|we're|it|we|please",
    "my|our|his|her next|first|last|previous|usual appointment|visit|booking|appt|one|cleaning",
    # How long.
    "for LENGTH|LENGTHNUM",
    "LENGTH",
    "LENGTH long|old|appointment|session",
    "all day long?",
    "long day",
    "how late|early|long|soon",
    # Numbers that count or label something.
    "COUNT",
    "party|group|family|team of INT",
    "INT of us|them|my|the|these|those",
    "flight|bus|gate|route|highway|exit INT",
    # Idle words.
    "a second opinion|look|time|chance|visit|one|please|question|cleaning",
    "ORD opinion",
    "night|day|split|early|late|double|back|twilight|graveyard|my|his|her|the shift|shifts",
    "night|day|the|a|my night|day|early|late|split|double shift|shifts",
    "shift ends|starts|finishes|work|worker|pattern",
    "on nights|days|earlies|lates",
    "since the? last? spring|summer|autumn|fall|winter",
    "if that's|it's|thats|its not? too early|late|soon|far|much|short",
    "if that|it is|isn't not? too early|late|soon|far|much|short",
    "i'm|am off then",
    "sat nav",
    "in|for the? meantime",
    "from now on",
    "for now",
    "what time|day|days|times|hours",
    "which day|days|time|times",
    "what kind of",
    "day care",
    "day off",
    "these days",
    "one of these days",
    "opening|business|office hours|hour",
)

LUNCH_RULES: tuple[Rule, ...] = (rule("NOISE", "my|our|his|her lunch hour|break|time? is|runs TIME", Noise),)
"""When somebody's lunch is: no wish, but "in my lunch break" leans on it."""

UNIT_RULES: tuple[Rule, ...] = (rule("UNITWORD", "=minute|hour|day|week|month|year|night|weekend", lambda u: u),)
