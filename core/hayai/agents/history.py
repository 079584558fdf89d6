"""History: what an agent keeps of a conversation between two messages, within a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hayai.agents.truth import Fact, facts, kept
from hayai.ports.models import Called, Item, Returned, Said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hayai.agents.tools import Result
    from hayai.ports.conversations import Memory

_WHOLE = 6
"""Messages of the customer back to which everything is kept, the tools' results too."""
_LINES = 60
"""Lines kept from before that."""
_LINE = 400
"""Characters of each of those."""


class History(BaseModel):
    """Frozen; each method gives the next one."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    items: tuple[Annotated[Item, Field(discriminator="kind")], ...] = Field(default=(), repr=False)
    facts: tuple[Fact, ...] = ()
    speaker: str = ""
    """The agent that has the word; empty for the one that was written to."""
    ruled: bool = False
    """Whether the last message was answered by rules."""
    tokens: int = 0
    """What the model has read and written in this conversation."""

    def but(self, **changes: object) -> History:
        """The same with `changes`."""
        return self.model_copy(update=changes)

    def with_items(self, *several: Item) -> History:
        """`several` came next."""
        return self.but(items=(*self.items, *several))

    def with_results(self, calls: Iterable[Called], results: Iterable[Result]) -> History:
        """The tools have answered; what a tool said may be said from now on."""
        pairs = list(zip(calls, results, strict=True))
        told = [fact for _, each in pairs if each.told for fact in facts(each.text, each.deeds)]
        returned = (Returned(id=call.id, text=each.text) for call, each in pairs)
        return self.but(items=(*self.items, *returned), facts=kept((*self.facts, *told)))

    def condensed(self) -> History:
        """The newest messages with all that belongs to them, and from before them the spoken lines, shortened.

        What the house told the model goes: it was about one answer.
        """
        mine = [each for each in self.items if not (isinstance(each, Said) and each.by == "house")]
        asked = [place for place, each in enumerate(mine) if isinstance(each, Said) and each.by == "customer"]
        cut = asked[-_WHOLE] if len(asked) > _WHOLE else 0
        return self.but(items=(*list(_lines(mine[:cut]))[-_LINES:], *mine[cut:]))


def remembered(memory: Memory | None) -> History:
    """What was kept; one that another release has left in words unknown here begins anew."""
    try:
        return History.model_validate(memory.state) if memory else History()
    except ValidationError:
        return History()


def _lines(items: Iterable[Item]) -> Iterator[Said]:
    for each in items:
        if isinstance(each, Said):
            yield each if len(each.text) <= _LINE else each.model_copy(update={"text": f"{each.text[:_LINE]} …"})
