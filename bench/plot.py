"""Plot: the rates of bench/results/latest.json as bars, the product's and its peers', in an SVG for the docs.

`python -m bench.plot [FIGURES.json [PICTURE.svg]]`
"""

from __future__ import annotations

import json
import math
import sys
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.run import ROOT

_FIGURES, _PICTURE = ROOT / "bench/results/latest.json", ROOT / "docs/performance.svg"
_LABEL, _WIDTH, _LINE, _PLACE = 330, 900, 18, 90
_LOWEST, _HIGHEST = 100, 1_000_000
_OWN, _PEER = "#1f6feb", "#b8c0cc"


def main() -> None:
    """Read the one, write the other."""
    source, picture = (*map(Path, sys.argv[1:]), *(_FIGURES, _PICTURE)[len(sys.argv) - 1 :])
    picture.write_text(drawn(json.loads(source.read_text())))


def drawn(figures: list[dict[str, Any]]) -> str:
    """One bar for each rate, on a logarithmic scale from 100 to 1,000,000 events a second."""
    rates = [each for each in figures if each["unit"] == "events/s"]
    parts, y = [], _LINE
    for name, group in groupby(rates, key=lambda each: each["name"]):
        several = list(group)
        parts.append(_text(4, y + 13, name, weight="bold"))
        y += _LINE
        bars = [("hayai", several[0]["value"], _OWN), *((each["peer"], each["peer_value"], _PEER) for each in several)]
        for label, rate, colour in bars:
            parts += _bar(y, label, rate, colour)
            y += _LINE
        y += _LINE // 2
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"]) + "\n"


def _bar(y: int, label: str, rate: float, colour: str) -> list[str]:
    share = math.log(min(max(rate, _LOWEST), _HIGHEST) / _LOWEST) / math.log(_HIGHEST / _LOWEST)
    long = round(share * (_WIDTH - _LABEL - _PLACE), 1)
    return [
        _text(_LABEL - 8, y + 13, label, anchor="end"),
        f'<rect x="{_LABEL}" y="{y + 2}" width="{long}" height="{_LINE - 4}" fill="{colour}"/>',
        _text(_LABEL + long + 6, y + 13, f"{rate:,.0f}/s"),
    ]


def _text(x: float, y: int, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    style = f'font-size="12" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>'


if __name__ == "__main__":
    main()
