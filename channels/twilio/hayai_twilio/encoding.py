"""Encoding: how many segments a text takes, as carriers bill them, and how a long one is parted.

A text in the 7-bit alphabet of GSM 03.38 has 160 characters in one segment and 153 in each of several; any other
character makes the whole text UCS-2, with 70 and 67.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

LONGEST = 1600
"""Characters in one message, beyond which Twilio refuses it (error 21617)."""
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""These take two places."""
_PLAIN = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ",
    "\u202f": " ", "\u2009": " ", "•": "-", "×": "x", "→": "->",
})  # fmt: skip
_ENDS = ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ")


@dataclass(frozen=True)
class Size:
    """What a text takes on the air."""

    encoding: str
    """GSM-7 or UCS-2."""
    units: int
    segments: int


def size(text: str) -> Size:
    """The encoding and the segments of `text`."""
    if all(each in _BASIC or each in _EXTENDED for each in text):
        return _sized("GSM-7", sum(2 if each in _EXTENDED else 1 for each in text), 160, 153)
    return _sized("UCS-2", len(text.encode("utf-16-le")) // 2, 70, 67)


def plain(text: str) -> str:
    """The same with typographic signs in letters that GSM-7 has, which halve what most texts cost."""
    return text.translate(_PLAIN)


def parts(text: str, longest: int = LONGEST) -> list[str]:
    """`text` in messages of at most `longest` characters, parted where a sentence or a word ends."""
    found: list[str] = []
    rest = text.strip()
    while len(rest) > longest:
        cut = _cut(rest, longest)
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*found, rest] if rest else found


def _cut(text: str, longest: int) -> int:
    """Where to part: behind the last good end in the second half, else at the limit."""
    for end in _ENDS:
        if (place := text.rfind(end, longest // 2, longest)) > 0:
            return place + len(end)
    return longest


def _sized(encoding: str, units: int, alone: int, each: int) -> Size:
    return Size(encoding, units, 1 if units <= alone else ceil(units / each))
