"""How people tell what is or will be anyway: "my flight lands at 6", "my wife has hers on Thursday"."""

from __future__ import annotations

import re

_EVENTS = (
    "shift|exam|exams|wedding|birthday|flight|train|interview|funeral|party|meeting|lecture|surgery|operation|"
    "trip|ferry|ceremony|graduation|anniversary|concert|match|rehearsal|conference|deadline|course|lesson|"
    "lessons|lectures|match|game|prom|event|holiday|holidays|vacation"
)
_VERBS = (
    "work|works|start|starts|finish|finishes|leave|leaves|fly|flies|land|lands|arrive|arrives|get back|get off|"
    "get out|gets back|gets off|gets out|get in|get home|gets home|knock off|clock off|am at|are at|is at|gets in|teach|"
    "teaches|drop|drops|pick|picks|collect|collects|wake|wakes|nap|naps|study|studies|travel|travels|sleep|sleeps|"
    "return|returns|am home|is home"
)
_NOUN = r"(?!(?:can|could|would|will|may|might|should|to|and|or|for|on|at|in|of|is|are|next|first|last)\b)[\w']+"
_OTHERS = rf"(?:he|she|they|(?:my|our|his|her|their|the|a|an) (?:{_NOUN} )?{_NOUN})"
"""Somebody else than who writes; what they do is no wish, unless a word of wishing stands before."""
_DOINGS = (
    "comes|come|goes|go|plays|play|meets|takes|visits|stays|does|do|sees|see|drives|drive|turns up|"
    "turn up|shows up|show up|gets|get|opens|open|moves|move|operates|collects|delivers|deliver"
)
_HAVE = "has|have|has got|have got|is having|are having|had"
_PLEASING = "suits|lets|helps|works|means|makes|leaves|gives|is|was|has|does|this|thanks|yes"
_THERE = "free|available|around|there|here|in|able|home|at home|off|ready|good|happy|fine"
_OPEN = "free|off|open|available|time|availability|nothing|no|opening|openings|gap|gaps|window|space|spare|hour|option"
_MINE = "appointment|appt|booking|slot|visit|question|problem|issue|preference|to"
_HOPING = "looking|hoping|wondering|thinking|trying|wanting|needing|calling|asking|booking|writing|texting|planning"
_ABSENT = "coming|working|travelling|traveling|going|bringing|using|having|being|requesting|emailing|messaging|moving|changing"

CONTACT = re.compile(
    r"\b(?:call|ring|phone|text|email|message|reach)(?: me| us)(?: back| again)?\b(?=[^,]*$)"
    r"|\bgive (?:me|us) a (?:call|ring|bell|buzz|shout)\b(?=[^,]*$)|\breach me\b"
    r"|\b(?:don't|dont|not) (?:call|ring|phone|text)\b(?=[^,]*$)"
)
"""When somebody wants to hear from the business: no time of an appointment."""
FACT = re.compile(
    r"\b(?:my|our|his|her|their|school)(?: (?!appointment|booking|slot|preference|choice|visit|appt)\w+){1,3}"
    r" (?:is|are)(?: (?:in|on|at|from|until|till|til))?$|"
    rf"\b(?:i|we|he|she|they|who|wife|husband|son|daughter|mum|mom|dad|boss|tenant|partner|baby|kids|flight|train)"
    rf"(?: (?:only|usually|normally|always|generally|don't|often|also|just|have to))? (?:{_VERBS})\b"
    rf"|\b(?:my|our|his|her|their|the|a|an) (?:\w+ ){{0,2}}(?:{_EVENTS})(?:'s| is| are)?\b(?! of)"
    rf"|\b(?:{_EVENTS})(?:'s| is| are)\b"
    r"|\b(?:runs? out|expires?|(?:is|are|be) due|ends|closes|starts|begins|finishes|land back|lands back|only works|only runs)\b"
    r"|\b(?:flying|landing|leaving|arriving|getting married|moving (?:house|out|in)|due (?:back|home|on|in|by))\b"
    r"|\b(?:coming|come|comes|get|gets|getting) off\b|\bback (?:from|home)\b|\bused to\b"
    r"|\b\w+ (?:flies|leaves|lands|arrives|returns|finishes|gets (?:in|back|home))\b"
    r"|\bschool (?:starts|finishes|ends|gets out)\b"
    r"|\b(?:usually|normally|generally|typically) (?!free|available|can|around|able)"
    r"|\bon (?:nights|days|earlies|lates|call|shift|duty)\b|(?<!to be )(?<!must be )(?<!it )\b(?:done|finished|through|free) by\b"
    r"|\b(?:lunch|break|lunch break|lunch hour) is\b"
    # What others have, do, and want of me is no wish of mine; after a comma the wish may begin.
    rf"|\b{_OTHERS} (?:{_HAVE}) (?!to\b)(?!(?:\w+ )?(?:{_OPEN})\b)"
    r"(?:hers|his|theirs|(?:\w+ ){1,4}?(?:on|at|from|every|until|till|til))\b(?=[^,]*$)"
    rf"|\b{_OTHERS}(?: (?:only|usually|always|also|just|both|all))? (?:{_DOINGS})\b(?=[^,]*$)"
    rf"|\b{_OTHERS} (?!(?:{_PLEASING})\b)(?:\w+s|need|want|have) (?:me|us|him|them)\b(?=[^,]*$)"
    rf"|\b(?:i|we)(?:'ve| have| have got|'ve got| got|'m having|'re having)"
    rf" (?!(?:\w+ ){{0,2}}(?:{_OPEN}|{_MINE})\b)(?:\w+ ){{1,3}}?(?:on|at|from|every|all|until|till|til)\b(?=[^,]*$)"
    r"|\b(?:i|we)(?:'m|'re| am| are) in (?!town|the|on|at|for|from|all|every|any|today|tomorrow)\w+(?: \w+)?"
    r" (?:until|till|til|thru|through)\b"
    rf"|\b(?:i|we)'ll be (?!{_THERE})\w+|\b(?:i|we) won't be (?:home|back|in|here|there)\b"
    rf"|\b(?:i|we)(?:'m|'re|'ll be| am| are| get|'ll get) back (?:in town )?(?:in|on|at|from|home)\b"
    rf"|\b{_OTHERS} (?:is|are|was|were) (?!{_HOPING})\w+ing\b(?=[^,]*$)"
    rf"|\b(?:i|we)(?:'m|'re| am| are) (?!{_HOPING}|{_ABSENT})\w+ing\b(?=[^,]*$)"
    r"|\b(?:lets|let) out\b|\bclosing on\b|\b(?:originally|initially|at first)\b|\bi (?:know i )?said\b"
    r"|\b(?:they|he|she|dr|doctor|dentist|vet|hygienist|guy|lady) (?:said|says|told)\b(?=[^,]*$)"
    r"|\b(?:i|we)(?:'ve| have| have got|'ve got| got) (?:someone|somebody|people|guests|(?:a|the|my|our) \w+)"
    r" (?:coming|here|over|visiting|booked|scheduled)\b(?=[^,]*$)"
    rf"|\bit (?!(?:{_PLEASING}|looks|sounds|needs|says|depends|seems)\b)\w+s\b(?=[^,]*$)"
)
"""Statements of what is or will be anyway; beside a wish they are no wish themselves."""
