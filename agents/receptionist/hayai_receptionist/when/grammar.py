"""A small grammar engine: rules written as patterns over tokens, all readings of a name, longest first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hayai_receptionist.when.tokens import Token

Readings = tuple[tuple[int, Any], ...]
Memo = dict[tuple[str, int], Readings]


@dataclass(frozen=True, slots=True)
class Element:
    """One place of a pattern: the words, token kinds or rule names that may stand there."""

    names: frozenset[str]
    optional: bool
    capture: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """`name` may read as `elements`; `make` turns what was captured into a value, or None to refuse."""

    name: str
    elements: tuple[Element, ...]
    make: Callable[..., Any]


def rule(name: str, pattern: str, make: Callable[..., Any]) -> Rule:
    """Write a rule: lower case is a word, upper case a token kind or a rule, `a|b` either, `?` optional.

    Upper-case places are handed to `make` in order (None when an optional one is missing); `=a|b` hands over the
    word that stood there.
    """
    return Rule(name, tuple(_element(text) for text in pattern.split()), make)


def _element(text: str) -> Element:
    optional = text.endswith("?") and len(text) > 1
    text = text.removesuffix("?") if optional else text
    capture = text.startswith("=") or any(c.isupper() for c in text)
    return Element(frozenset(text.removeprefix("=").split("|")), optional, capture)


class Grammar:
    """All rules, indexed by the token kinds and words that can begin them."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: dict[str, list[Rule]] = defaultdict(list)
        for each in rules:
            self.rules[each.name].append(each)
        self._index: dict[str, dict[str, list[Rule]]] = {name: self._by_first(name) for name in self.rules}

    def _by_first(self, name: str) -> dict[str, list[Rule]]:
        index: dict[str, list[Rule]] = defaultdict(list)
        for each in self.rules[name]:
            for key in self._first(each.elements):
                index[key].append(each)
        return dict(index)

    def _first(self, elements: Sequence[Element]) -> set[str]:
        keys: set[str] = set()
        for element in elements:
            for name in element.names:
                rules = self.rules.get(name)
                keys |= {k for r in rules for k in self._first(r.elements)} if rules else {name}
            if not element.optional:
                break
        return keys

    def readings(self, name: str, tokens: Sequence[Token], i: int, memo: Memo) -> Readings:
        """Every end at which `name` can have been read from `i`, with its value, longest first."""
        if (name, i) not in memo:
            found: dict[int, Any] = {}
            for each in self._candidates(name, tokens, i):
                for end, values in self._match(each.elements, tokens, i, memo):
                    if end not in found and (value := each.make(*values)) is not None:
                        found[end] = value
            memo[name, i] = tuple(sorted(found.items(), key=lambda pair: -pair[0]))
        return memo[name, i]

    def _candidates(self, name: str, tokens: Sequence[Token], i: int) -> Iterator[Rule]:
        if i >= len(tokens):
            return
        index = self._index[name]
        seen: list[Rule] = []
        for key in tokens[i].keys:
            seen.extend(index.get(key, ()))
        order = self.rules[name]
        yield from sorted({id(r): r for r in seen}.values(), key=order.index) if len(seen) > 1 else seen

    def _match(
        self,
        elements: tuple[Element, ...],
        tokens: Sequence[Token],
        i: int,
        memo: Memo,
    ) -> Iterator[tuple[int, tuple[Any, ...]]]:
        if not elements:
            yield i, ()
            return
        element, rest = elements[0], elements[1:]
        for middle, value in self._one(element, tokens, i, memo):
            head = (value,) if element.capture else ()
            for end, values in self._match(rest, tokens, middle, memo):
                yield end, head + values
        if element.optional:
            head = (None,) if element.capture else ()
            for end, values in self._match(rest, tokens, i, memo):
                yield end, head + values

    def _one(
        self,
        element: Element,
        tokens: Sequence[Token],
        i: int,
        memo: Memo,
    ) -> Iterator[tuple[int, Any]]:
        if i >= len(tokens):
            return
        for name in element.names:
            if name in self.rules:
                yield from self.readings(name, tokens, i, memo)
            elif name in tokens[i].keys:
                yield i + 1, tokens[i] if name.isupper() else name
