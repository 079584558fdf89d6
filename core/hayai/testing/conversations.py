"""ConversationsContract: what every adapter of the port `conversations` keeps to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hayai.errors import KeyNotOpaque
from hayai.ports.base import Settings
from hayai.ports.conversations import Conversations, Line, Memory

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
WHERE = ("smile-dental", "conversation-a")


def line(number: int, text: str = "Hello", **more: Any) -> Line:
    """A line of a customer, `number` seconds after noon."""
    return Line(id=f"event-{number}", speaker="customer", text=text, at=NOON + timedelta(seconds=number), **more)


class ConversationsContract:
    """Inherit, and give a `conversations` fixture: a started adapter that holds nothing yet."""

    async def test_it_is_an_adapter_of_its_port(self, conversations: Conversations) -> None:
        """The class inherits from Conversations, and its settings from Settings."""
        assert isinstance(conversations, Conversations)
        assert issubclass(type(conversations).Settings, Settings)

    async def test_positions_count_from_one(self, conversations: Conversations) -> None:
        """Whoever speaks, and whatever order the clocks claim."""
        said = [line(3), replace(line(2), speaker="agent"), replace(line(1), speaker="staff")]
        kept = [await conversations.append(*WHERE, each) for each in said]
        assert [each.position for each in kept] == [1, 2, 3]
        assert await conversations.lines(*WHERE) == kept

    async def test_a_line_comes_back_as_it_was_said(self, conversations: Conversations) -> None:
        """Text in any script, choices in order, and the same instant from whatever zone."""
        at = datetime(2026, 7, 1, 9, 30, tzinfo=timezone(timedelta(hours=-7)))
        said = replace(line(1, 'Zahnarzt "bitte" \\ 歯 👩🏽‍⚕️\n\t— ’'), at=at, choices=("Mo 9:00", "Di ½10"))
        await conversations.append(*WHERE, said)
        assert await conversations.lines(*WHERE) == [replace(said, position=1)]

    @pytest.mark.parametrize("odd", ["\0", chr(0xD83D), chr(0xDC69)], ids=["NUL", "high surrogate", "low surrogate"])
    async def test_no_character_loses_a_line(self, conversations: Conversations, odd: str) -> None:
        """What no store can hold may be replaced, the rest stays, in a line as in a memory."""
        await conversations.append(*WHERE, line(1, f"before{odd}after", choices=(f"one{odd}",)))
        await conversations.remember(*WHERE, "receptionist", Memory({f"said{odd}": [f"x{odd}y"]}, "event-1", []))
        (kept,) = await conversations.lines(*WHERE)
        memory = await conversations.recall(*WHERE, "receptionist")
        assert kept.text.startswith("before")
        assert kept.text.endswith("after")
        assert memory is not None
        assert len(memory.state) == 1

    async def test_the_same_id_is_appended_once(self, conversations: Conversations) -> None:
        """A redelivery gets the line that is there, and leaves no gap behind."""
        first = await conversations.append(*WHERE, line(1))
        assert await conversations.append(*WHERE, line(1)) == first
        assert (await conversations.append(*WHERE, line(1, "other words"))).text == "Hello"
        assert (await conversations.append(*WHERE, line(2))).position == 2

    async def test_concurrent_appends_leave_no_gap(self, conversations: Conversations) -> None:
        """Forty lines at once, each sent twice: forty positions, each line once, in both answers the same."""
        sent = [line(number) for number in range(40)] * 2
        kept = await asyncio.gather(*(conversations.append(*WHERE, each) for each in sent))
        assert sorted(each.position for each in kept[:40]) == list(range(1, 41))
        assert list(kept[:40]) == list(kept[40:])
        assert [each.position for each in await conversations.lines(*WHERE)] == list(range(1, 41))

    async def test_lines_resume_behind_a_position(self, conversations: Conversations) -> None:
        """As many as asked for, and none behind the last or before any was said."""
        for number in range(5):
            await conversations.append(*WHERE, line(number))
        found = await conversations.lines(*WHERE, after=2, limit=2)
        assert [each.position for each in found] == [3, 4]
        assert await conversations.lines(*WHERE, after=5) == []
        assert await conversations.lines("smile-dental", "never-begun") == []

    async def test_conversations_and_tenants_are_apart(self, conversations: Conversations) -> None:
        """The same ids in another conversation or of another tenant begin at one and are not mixed."""
        for where in (WHERE, ("smile-dental", "conversation-b"), ("bright-remodel", "conversation-a")):
            assert (await conversations.append(*where, line(1, f"in {where}"))).position == 1
            await conversations.remember(*where, "receptionist", Memory({"where": list(where)}, "event-1", []))
        (other,) = await conversations.lines("bright-remodel", "conversation-a")
        memory = await conversations.recall(*WHERE, "receptionist")
        assert "bright-remodel" in other.text
        assert memory is not None
        assert memory.state == {"where": list(WHERE)}

    async def test_a_memory_is_what_was_kept_last(self, conversations: Conversations) -> None:
        """None at first; then state, handled event and outcome, whole; one for each agent."""
        assert await conversations.recall(*WHERE, "receptionist") is None
        state = {"wanted": {"service": "cleaning", "days": [1, 2.5, None, True]}, "ünï": "歯", "empty": {}}
        for memory in (Memory({"old": 1}, "event-1", []), Memory(state, "event-2", [{"type": "reply.ready", "n": 1}])):
            await conversations.remember(*WHERE, "receptionist", memory)
            assert await conversations.recall(*WHERE, "receptionist") == memory
        assert await conversations.recall(*WHERE, "reminders") is None

    async def test_a_memory_is_a_copy(self, conversations: Conversations) -> None:
        """Changing what was given or got changes nothing that is kept."""
        given = Memory({"days": [1]}, "event-1", [])
        await conversations.remember(*WHERE, "receptionist", given)
        given.state["days"].append(2)
        got = await conversations.recall(*WHERE, "receptionist")
        assert got is not None
        got.state["days"].append(3)
        kept = await conversations.recall(*WHERE, "receptionist")
        assert kept is not None
        assert kept.state == {"days": [1]}

    async def test_a_tenant_must_be_a_token(self, conversations: Conversations) -> None:
        """Nothing is kept or found for an empty tenant, or for a name."""
        for wrong in ("", "Smile Dental"):
            with pytest.raises(KeyNotOpaque):
                await conversations.append(wrong, "conversation-a", line(1))
            with pytest.raises(KeyNotOpaque):
                await conversations.lines(wrong, "conversation-a")

    async def test_stopping_twice_is_no_error(self, conversations: Conversations) -> None:
        """A runtime that shuts down in a hurry may stop it twice."""
        await conversations.stop()
        await conversations.stop()
