"""Subjects: which of them a filter covers, and how a stream's transform rewrites them."""

from __future__ import annotations

import re
from functools import lru_cache

_REST, _ANY = ">", "*"
_CALL = re.compile(r"\{\{(partition|wildcard)\(([\d,]+)\)\}\}")
_FNV_OFFSET, _FNV_PRIME, _32_BITS = 0x811C9DC5, 0x01000193, 0xFFFFFFFF


@lru_cache(4096)
def covers(wider: str, subject: str) -> bool:
    """Whether every subject that `subject` stands for, itself or a filter, passes the filter `wider`."""
    tokens, wanted = subject.split("."), wider.split(".")
    for place, want in enumerate(wanted):
        if want == _REST:
            return place < len(tokens)
        if place >= len(tokens) or tokens[place] == _REST or want not in {_ANY, tokens[place]}:
            return False
    return len(tokens) == len(wanted)


class Transform:
    """Rewrites subjects that `src` covers into the shape of `dest`, with {{wildcard(n)}} and {{partition(n,i,j)}}.

    The rules are NATS' own: https://docs.nats.io/nats-concepts/subject_mapping.
    """

    def __init__(self, src: str, dest: str) -> None:
        self._src = src
        self._dest = dest
        self._wildcards = [place for place, token in enumerate(src.split(".")) if token == _ANY]
        self._open = len(src.split(".")) - 1 if src.endswith(_REST) else None

    def __call__(self, subject: str) -> str:
        """`subject` rewritten; as it is where `src` does not cover it."""
        if not covers(self._src, subject):
            return subject
        tokens = subject.split(".")
        found = [tokens[place] for place in self._wildcards]
        made = _CALL.sub(lambda call: _called(call, found), self._dest)
        return made if self._open is None else made[: -len(_REST)] + ".".join(tokens[self._open :])


def _called(call: re.Match[str], found: list[str]) -> str:
    numbers = [int(number) for number in call[2].split(",")]
    if call[1] == "wildcard":
        return found[numbers[0] - 1]
    return str(_fnv32a("".join(found[place - 1] for place in numbers[1:])) % numbers[0])


def _fnv32a(text: str) -> int:
    """The hash by which the server chooses a partition (http://www.isthe.com/chongo/tech/comp/fnv/)."""
    made = _FNV_OFFSET
    for byte in text.encode():
        made = (made ^ byte) * _FNV_PRIME & _32_BITS
    return made
