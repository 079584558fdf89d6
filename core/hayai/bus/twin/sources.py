"""Source: what one stream draws from another, in order, as far as it has room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayai.bus.jetstream import Refused
from hayai.bus.twin.subjects import Transform

if TYPE_CHECKING:
    from hayai.bus.twin.stream import TwinStream


class Source:
    """Copies from `upstream` what the transforms of `config` cover, under the subjects that they make, once each."""

    def __init__(self, upstream: TwinStream, downstream: TwinStream, config: dict[str, Any]) -> None:
        self._upstream = upstream
        self._downstream = downstream
        self._transforms = [
            (each["src"], Transform(each["src"], each["dest"])) for each in config["subject_transforms"]
        ]
        self._next = 1

    def draw(self) -> None:
        """Copy what is new; what finds no room is tried again at the next call."""
        for src, transform in self._transforms:
            while (found := self._upstream.store.following(self._next, [src])) is not None:
                try:
                    self._downstream.publish(transform(found.subject), found.body, found.headers, drawn=True)
                except Refused:
                    return
                self._next = found.sequence + 1
