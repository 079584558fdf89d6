"""Number words: "five", "twenty-fifth", "thirty one" as plain integers."""
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

_UNITS = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_ORDINAL_UNITS = "first second third fourth fifth sixth seventh eighth ninth".split()
_ORDINAL_TEENS = (
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth".split()
)

TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50}
_GLUED = {f"{tens}{unit}": base + n for tens, base in TENS.items() for n, unit in enumerate(_UNITS, start=1)}
CARDINALS = {word: n for n, word in enumerate(_UNITS + _TEENS, start=1)} | TENS | _GLUED | {"zero": 0}
ORDINALS = {word: n for n, word in enumerate(_ORDINAL_UNITS + _ORDINAL_TEENS, start=1)} | {
    "twentieth": 20,
    "thirtieth": 30,
    **{
        f"{tens}{unit}": TENS[tens] + n
        for tens in ("twenty", "thirty")
        for n, unit in enumerate(_ORDINAL_UNITS, start=1)
    },
}


def joined(tens: str, unit: str) -> tuple[int, bool] | None:
    """The value of "twenty five" or "twenty fifth" and whether it is an ordinal; None when they do not join."""
    if tens not in TENS:
        return None
    if unit in _UNITS:
        return TENS[tens] + CARDINALS[unit], False
    if unit in _ORDINAL_UNITS:
        return TENS[tens] + ORDINALS[unit], True
    return None
