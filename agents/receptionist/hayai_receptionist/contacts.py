"""Telephone numbers and mail addresses in what a customer writes, in the many ways in which they are written."""

from __future__ import annotations

import re

_LEAD = (
    r"(?:(?:(?:you can |please |just )*(?:call|reach|phone|ring|text|e?-?mail|contact) me"
    r" (?:back )?(?:on|at|under|via)?"
    r"|my (?:phone |telephone |mobile |cell )?(?:number|phone|mobile|cell|e-?mail|mail)(?: address)?(?: is|'s|:)?"
    r"|(?:tel|phone|mobile|e-?mail|mail)\.?:)\s*)?"
)
"""What tells that a contact comes; it says nothing else: "call me on 207 555 0101" asks nobody to call."""
_MAIL = re.compile(rf"{_LEAD}(?P<told>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)
_DOT = r"(?:\s+dot\s+|\s*[(\[]dot[)\]]\s*|\.)"
_SPOKEN_MAIL = re.compile(
    rf"{_LEAD}(?P<told>(?P<user>[\w.+-]+)(?:\s*[(\[]at[)\]]\s*(?P<far>[\w-]+(?:{_DOT}[a-z][\w-]*)+)"
    r"|\s+at\s+(?P<near>[\w-]+(?:(?:\s+dot\s+|\s*[(\[]dot[)\]]\s*)[a-z][\w-]*)+|[\w-]+\.(?:com|net|org|edu|gov|info|de|io))\b))",
    re.IGNORECASE,
)
_PHONES = tuple(
    re.compile(rf"{_LEAD}(?P<told>{number})(?![\w:/])", re.IGNORECASE)
    for number in (
        r"(?<![\w:/.])\+?\(?\d(?:[\s().-]{0,3}\d){6,14}",
        r"(?<![\w:/.])(?:\+\d{1,3}\s?)?\(?0?\d{2,5}\)?\s?/\s?\d(?:[\s.-]{0,2}\d){5,11}",
    )
)
_DATES = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_FIGURES = {
    "zero": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_SPOKEN_PHONE = re.compile(rf"{_LEAD}(?P<told>(?:\b(?:{'|'.join(_FIGURES)})\b[\s,.-]*){{7,15}})(?!\w)", re.IGNORECASE)


def contact_in(text: str) -> tuple[str, tuple[int, int] | None]:
    """The telephone number or mail address in `text` and where it stands; empty and None without one."""
    if found := _MAIL.search(text):
        return found["told"], found.span()
    if found := _SPOKEN_MAIL.search(text):
        return f"{found['user']}@{_dotted(found['far'] or found['near'])}", found.span()
    dated = [each.span() for each in _DATES.finditer(text)]
    for found in (each for pattern in _PHONES for each in pattern.finditer(text)):
        if not any(start <= found.start("told") < end for start, end in dated):
            return found["told"].strip(" .-"), found.span()
    if found := _SPOKEN_PHONE.search(text):
        return "".join(_FIGURES[each] for each in re.findall(r"[a-z]+", found["told"].casefold())), found.span()
    return "", None


def _dotted(domain: str) -> str:
    return re.sub(_DOT, ".", domain, flags=re.IGNORECASE)
