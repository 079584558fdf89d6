"""Words that join or turn time words: or, and, but, not, except, "no wait", "doesn't work"."""

from __future__ import annotations

from dataclasses import dataclass

from hayai_receptionist.when.grammar import Rule, rule


@dataclass(frozen=True)
class Mark:
    """A joint between time words.

    Its `kind` is one of: or, and, but, not, except, fix, bad, cant, instead, if, unsure, no, move, mine, booked, to,
    propose, vague. `compose.Composer` says what each does.
    """

    kind: str


def _mark(kind: str, *patterns: str) -> tuple[Rule, ...]:
    return tuple(rule("MARK", pattern, lambda *_: Mark(kind)) for pattern in patterns)


_CANT = "can't|cannot|cant|couldn't|won't|never"
_NOT_DO = "make|do|come|attend|be|get|work|manage|visit|see"
_HOPELESS = "hopeless|useless|awful|chaos|manic|rammed|packed|awkward|unavailable|rubbish|hectic|crazy|mad|off"
_ISNT = "doesn't|don't|dont|doesnt|won't|wont|isn't|isnt|aren't|didn't"
_BOOKING = "appointment|booking|visit|slot|one|appt"
_BUSY = "busy|unavailable|away|working|travelling|traveling|tied|booked|out|overseas"

MARK_RULES: tuple[Rule, ...] = (
    *_mark(
        "or",
        "or",
        "/",
        "otherwise",
        "else",
        "or else",
        "or maybe|perhaps|even|possibly|alternatively",
        "alternatively",
        "failing that",
        "and|or? if not ,?",
        "if that|it|this doesn't|isn't|won't|does|is|not work|possible|available|free|ok",
        "if that|it|this is not possible|available|free",
        "if that|it|this is not|n't possible|available|free",
        "if that|it|this does not work",
        "nor",
        "or|and if that|it|this doesn't|isn't work|possible|available",
        "second choice",
        "if you're|youre full|booked",
    ),
    *_mark("and", "and", "&", "and also", "as well as", "plus"),
    *_mark("but", "but", "but maybe|perhaps|preferably", "though", "however"),
    *_mark(
        "not",
        "not",
        "not on|in|at|during",
        "n't",
        "anything but|except",
        "don't|dont want|like|do",
        "neither",
        "avoid",
        "avoiding",
        "never on|in?",
        "not available|free|possible|able|good on|in|at|during?",
        "can't|cannot|won't be available|free|there on|in|at|during?",
        "rather|anything|better than",
        "instead of",
        "rather than",
        "skip",
        "no good on",
    ),
    *_mark(
        "except",
        "except",
        "except on|for|in",
        "excluding",
        "other than",
        "besides",
        "apart from",
        "aside from",
        "excepting",
        "bar",
        "minus",
        "but not",
        "just not",
        "only not",
        "anything but",
        "any time|day|other but",
        "any day but",
        "outside of?",
        "as long as|it's|its? it|it's? isn't|not",
        "with the exception of",
        "save",
        "saving|barring|excl|sans|without",
        "not counting|including",
        "leaving out",
    ),
    *_mark(
        "fix",
        "no ,? wait",
        "wait ,? no",
        "wait",
        "actually",
        "i mean",
        "i meant",
        "or rather",
        "make|makes that|it",
        "scratch that",
        "hang on",
        "correction",
        "sorry",
        "oops",
        "no ,? actually",
        "no ,? sorry",
        "sorry ,? no",
        "no ,? make that|it",
        "on second thought|thoughts",
        "change that to",
        "changed my mind",
        "hold on",
        "no ,? i mean|meant",
        "strike that",
        "my mistake",
        "my bad",
        "nope",
        "better",
        "no ,? no",
        "no ,? wait ,? actually",
        "wait ,? actually",
        "hmm",
        "whoops",
        "never mind",
        "nevermind",
        "forget that",
        "er",
        "uh no?",
    ),
    *_mark("instead", "instead", "rather"),
    *_mark(
        "bad",
        f"{_ISNT} work|suit|good|possible|great|ideal|fit|an|available|do",
        "doesn't|don't|won't really? work|suit",
        "is|are|was no good",
        "is|are|was fully|already|completely? bad|impossible|full|busy|booked|taken|terrible|difficult",
        "is|are not good|possible|great|an|ideal|available|convenient|going",
        "does|do|will not work|suit",
        "no good",
        "not good|possible",
        "is|are really? bad|out|tricky|hard",
        f"is|are|looks|look really|totally|completely|a|just|pretty? {_HOPELESS}",
        "is|are no go|use",
        "is|are out of the question",
        "is|are a nightmare|no",
        "not great|ideal|so",
    ),
    *_mark(
        "cant",
        f"i'm|im|am|are|be|is|we're|she's|he's {_BUSY} up? on|in|all|most?",
        "i'm|im|am|are|is|we're|she's|he's on holiday|holidays|vacation|leave|duty|call on|in|all|most?",
        f"i|we? {_CANT} {_NOT_DO}? it?",
        f"i|we? can not {_NOT_DO}? it?",
        "away|abroad|overseas on|in|all|most|from?",
        "on holiday|holidays|vacation|leave in|all|most|from?",
        "out of town|office on|in|all|most|from?",
        "out of the country|office on|in|all|most|from?",
        f"i|we? unable to {_NOT_DO}? it?",
    ),
    *_mark("if", "if"),
    *_mark(
        "unsure",
        "or? was|is it",
        "will let you know",
        "i'll|we'll let you know",
        "i'll|we'll|will check|confirm",
        "not sure",
        "i|we might|may be free|able|around|late",
        "depends on?",
        "i forget",
        "i|we think it|it's|its was?",
        "can't|cannot|cant remember",
        "don't|dont know",
        "or something",
        "i? need|have to check",
    ),
    *_mark(
        "move",
        "move|reschedule|change|switch|shift|push|postpone|bring|swap|transfer|rebook|moving|rescheduling|changing",
    ),
    *_mark(
        "mine",
        f"my|the|our existing|current|original|old {_BOOKING} is|was|which|that? on|for|at|is|from?",
    ),
    *_mark(
        "mine",
        "i|i've|we've have|had|got|booked|got an|a|my? appointment|booking|appt|slot is? on|for|at|booked|scheduled?",
    ),
    *_mark("propose", "how|what about", "what if", "how does|do|is"),
    *_mark("booked", "appointment|booking|appt|visit|slot|one"),
    *_mark("to", "to", "into", "for"),
    *_mark("no", "no"),
    *_mark(
        "vague",
        "not? too early|late|soon",
        "i'm|im|am|are|we're|is off on?",
        "not? so|very early|late",
        "in|sometime|this|next|the? the? spring|summer|autumn|fall|winter",
        "same as last|before|always|usual time?",
        "the|my|our usual time|day|slot?",
        "the? next one along|up",
        "whenever the|my|he|she|they|his|her|our",
        "in the new year",
    ),
)
