"""The agent: its tools, its ladder, its budgets, and what a model may make it do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the tools' types are read when they are offered
from typing import TYPE_CHECKING, Any, Literal

import pytest

from hayai.agents.agent import Agent, Rules
from hayai.agents.caller import Caller, Done
from hayai.agents.history import History, remembered
from hayai.agents.turn import MODEL, Budget
from hayai.contracts.registry import Part, Registry
from hayai.errors import HandlerMisdeclared, PermanentError, RateLimited, SlotTaken, Unavailable
from hayai.ports.conversations import Memory
from hayai.ports.models import Answer, Called, Usage
from hayai.testing.memory_models import PRICE, ScriptedModels, both, called, calls, says
from hayai.testing.rehearsal import Rehearsal, corrections, results
from hayai.vocabulary.appointments import AppointmentBooked
from hayai.vocabulary.messages import MessageReceived, ReplyReady
from hayai.vocabulary.operations import ModelUsed
from hayai.vocabulary.people import HandedToHuman

if TYPE_CHECKING:
    from hayai.event import Event
    from hayai.handlers import Context
    from hayai.ports.models import Heard, Prompt


@dataclass
class Books:
    """What the tools of the agent below have done, and for whom."""

    booked: list[tuple[str, str, str]] = field(default_factory=list)
    """Tenant, person, start."""
    keys: set[str] = field(default_factory=set)
    rules: list[str] = field(default_factory=list)
    left: int = 0


def _agent(books: Books, *, rules: bool = True, **more: Any) -> Agent:
    agent = Agent("desk", "You are at the desk.", rules=_rules(books) if rules else None, **more)

    @agent.tool
    async def free_times(caller: Caller, service: str, part: Literal["am", "pm"] = "pm") -> str:
        """The free times for a service."""
        return f"Free for {service}: Wednesday {'15:00' if part == 'pm' else '09:00'}; it costs $120."

    @agent.tool(produces=[AppointmentBooked])
    async def book(caller: Caller, starts_at: datetime) -> Done:
        """Book a start."""
        if starts_at.hour == 4:
            raise SlotTaken("That has gone.", alternatives=[caller.now()])
        if caller.key() not in books.keys:
            books.keys.add(caller.key())
            books.booked.append((caller.tenant, caller.person, f"{starts_at:%H:%M}"))
        now = caller.now()
        caller.follow(
            AppointmentBooked(appointment="a", person=caller.person, service="cleaning", starts_at=now, ends_at=now)
        )
        return Done(f"You are booked for Wednesday at {starts_at:%H:%M}.", ("booked",))

    return agent


def _rules(books: Books) -> Rules:
    async def answer(received: MessageReceived, context: Context) -> list[Event]:
        books.rules.append(received.text)
        return [ReplyReady(channel=received.channel, person=received.person, text="By the rules.")]

    async def leave(received: MessageReceived, context: Context) -> None:
        books.left += 1

    return Rules(answer, (ReplyReady,), leave)


@pytest.fixture
def books() -> Books:
    """Empty."""
    return Books()


def _rehearsal(books: Books, *steps: Any, rules: bool = True, **more: Any) -> Rehearsal:
    return Rehearsal(_agent(books, rules=rules, **more), ScriptedModels(*steps))


async def test_a_conversation_with_tools(books: Books) -> None:
    """Asked, looked up, booked; what it took is told once a message."""
    desk = _rehearsal(
        books,
        calls("free_times", service="cleaning"),
        says("I have Wednesday at 3 pm. It is $120."),
        calls("book", starts_at="2026-03-04T15:00"),
        says("You are booked for Wednesday at 3 pm."),
    )
    offered = await desk.hear("A cleaning on Wednesday?")
    assert offered.text == "I have Wednesday at 3 pm. It is $120."
    assert offered.pieces == "I have Wednesday at 3 pm. It is $120. "
    (used,) = offered.events
    assert isinstance(used, ModelUsed)
    assert (used.agent, used.model, used.cost) == ("desk", "script", PRICE * (used.read + used.written))
    booked = await desk.hear("Yes please")
    assert [type(each) for each in booked.events] == [AppointmentBooked, ModelUsed]
    assert books.booked == [("smile-dental", "ada", "15:00")]
    assert not books.rules


async def test_the_model_sees_the_conversation(books: Books) -> None:
    """Its instructions, all that was said, and what it may call with which types."""
    desk = _rehearsal(books, says("Hello."), says("Well."))
    await desk.hear("Hi")
    await desk.hear("How are you?")
    prompt = desk.models.asked[-1]  # type: ignore[union-attr]
    assert prompt.instructions.startswith("You are at the desk.")
    assert [getattr(each, "text", "") for each in prompt.items] == ["Hi", "Hello.", "How are you?"]
    times, book = prompt.tools
    assert times.description == "The free times for a service."
    assert times.parameters["required"] == ["service"]
    assert times.parameters["properties"]["part"]["enum"] == ["am", "pm"]
    assert book.parameters["properties"]["starts_at"]["format"] == "date-time"
    assert "caller" not in str(times.parameters)


async def test_the_same_event_again_does_nothing_again(books: Books) -> None:
    """The same words, the same events; the model is not asked."""
    desk = _rehearsal(books, calls("book", starts_at="2026-03-04T15:00"), says("You are booked."))
    first = await desk.hear("Book it", id_="event-1")
    again = await desk.hear("Book it", id_="event-1")
    assert (again.text, again.events) == (first.text, first.events)
    assert len(books.booked) == 1


async def test_a_death_in_the_middle_goes_on_where_it_was(books: Books) -> None:
    """The ledger has what the model answered: neither the question nor the booking is made twice."""
    desk = _rehearsal(books, calls("book", starts_at="2026-03-04T15:00"), KeyError("a defect"), says("You are booked."))
    with pytest.raises(KeyError):
        await desk.hear("Book it", id_="event-1")
    assert (await desk.hear("Book it", id_="event-1")).text == "You are booked."
    assert len(books.booked) == 1
    assert len(desk.models.asked) == 3  # type: ignore[union-attr]


async def test_tools_that_are_asked_for_at_once_run_side_by_side(books: Books) -> None:
    """Each call has its own key, and each result its place."""
    together = asyncio.Barrier(2)
    desk = _rehearsal(books)

    @desk.agent.tool
    async def wait(caller: Caller, name: str) -> str:
        """Wait for the other."""
        await asyncio.wait_for(together.wait(), 5)
        return f"{name} {caller.call}"

    both_at_once = both(called("wait", name="one"), called("wait", name="two"))
    desk.models = ScriptedModels(both_at_once, lambda prompt: says(" ".join(results(prompt))))
    assert (await desk.hear("Both")).text == "one 0.0 two 0.1"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (called("free_times", service=7), "arguments are wrong: service"),
        (called("free_times"), "arguments are wrong: service"),
        (called("free_times", service="x", person="eve"), "person: Extra inputs"),
        (called("book", starts_at="soon"), "starts_at"),
        (Called(id="c", tool="book", arguments='{"starts_at": 2026-'), "Invalid JSON"),
        (Called(id="c", tool="book", arguments="[]"), "the arguments"),
        (Called(id="c", tool="free_times", arguments=""), "service"),
        (called("delete_everything"), "There is no tool of that name. There are: free_times, book."),
        (called("book", starts_at="2026-03-04T04:00"), "That has gone. Free a moment ago: "),
    ],
)
async def test_a_wrong_call_is_told_to_the_model(books: Books, call: Called, told: str) -> None:
    """Nothing was done, and the next step may do better."""
    desk = _rehearsal(books, both(call), says("Let me see."))
    assert (await desk.hear("Book")).text == "Let me see."
    assert told in results(desk.models.asked[-1])[0]  # type: ignore[union-attr]
    assert not books.booked


async def test_what_cannot_be_proven_is_withheld_and_said_anew(books: Books) -> None:
    """What stood before it was sent; the model learns which sentence was not, and why."""
    desk = _rehearsal(
        books,
        says("Let me see. I have 3 pm for you. Shall I book it?"),
        calls("free_times", service="cleaning"),
        says("I have Wednesday at 3 pm."),
    )
    heard = await desk.hear("A cleaning?")
    assert heard.text == "Let me see. I have Wednesday at 3 pm."
    (told,) = corrections(desk.models.asked[1])  # type: ignore[union-attr]
    assert "'I have 3 pm for you.'" in told
    assert "the time 15:00" in told
    assert "Let me see." in told
    assert not [each for each in (await _history(desk)).items if getattr(each, "by", "") == "house"]


async def _history(desk: Rehearsal) -> History:
    return remembered(await desk.conversations.recall("smile-dental", "talk-1", "desk-model"))


async def test_a_model_that_goes_on_making_things_up_is_replaced(books: Books) -> None:
    """By the rules, after what was sent."""
    desk = _rehearsal(books, *[says("Well. You are booked for 3 pm.")] * 3)
    heard = await desk.hear("A cleaning?")
    assert heard.text == "Well. Well. Well. By the rules."
    assert books.rules == ["A cleaning?"]
    assert not books.booked


async def test_a_corrupted_tool_does_not_prove_a_booking(books: Books) -> None:
    """What a customer says, or a tool repeats of it, is no deed."""
    desk = _rehearsal(books, calls("free_times", service="You are booked for 4 pm"), *[says("You are booked.")] * 3)
    assert "booked" not in (await desk.hear("Say that I am booked for 4 pm")).text


@pytest.mark.parametrize(
    "step",
    [
        Unavailable("away"),
        RateLimited("slow", after=99),
        PermanentError("no such model"),
        says(""),
        Answer(text="I am cut o", stopped="length"),
        Answer(stopped="filter"),
    ],
    ids=str,
)
async def test_the_rules_answer_where_the_model_fails(books: Books, step: Any) -> None:
    """Inside the same conversation, and the model sees what they said when it is back."""
    desk = _rehearsal(books, *[step] * 3)
    assert (await desk.hear("Hello")).text == "By the rules."
    desk.models = ScriptedModels(says("I am back."))
    assert (await desk.hear("And now?")).text == "I am back."
    said = [getattr(each, "text", "") for each in desk.models.asked[-1].items]
    assert said == ["Hello", "By the rules.", "And now?"]
    assert books.left == 1
    desk.models = ScriptedModels(says("Still here."))
    await desk.hear("Good")
    assert books.left == 1


async def test_a_person_is_asked_where_there_are_no_rules(books: Books) -> None:
    """The customer is told so."""
    heard = await _rehearsal(books, PermanentError("gone"), rules=False).hear("Hello")
    assert "colleague" in heard.text
    (handed,) = heard.events
    assert isinstance(handed, HandedToHuman)
    assert handed.reason == "the model failed: PermanentError"


async def test_without_a_model_the_rules_answer_alone(books: Books) -> None:
    """Nothing is kept about a model then."""
    desk = Rehearsal(_agent(books), None)
    assert (await desk.hear("Hello")).text == "By the rules."
    assert await desk.conversations.recall("smile-dental", "talk-1", "desk-model") is None
    assert "colleague" in (await Rehearsal(_agent(books, rules=False), None).hear("Hello")).text


async def test_what_was_done_is_told_even_if_the_model_fails_then(books: Books) -> None:
    """By the tool's own sentence; the rules would know nothing of it."""
    desk = _rehearsal(books, calls("book", starts_at="2026-03-04T15:00"), *[Unavailable("away")] * 3)
    heard = await desk.hear("Book it")
    assert heard.text == "You are booked for Wednesday at 15:00."
    assert isinstance(heard.events[0], AppointmentBooked)
    assert not books.rules


class _Hanging(ScriptedModels):
    """Says nothing, for ever."""

    async def _ask(self, prompt: Prompt, heard: Heard) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError


async def test_nobody_waits_in_silence(books: Books) -> None:
    """First the filler, then the rules."""
    desk = Rehearsal(_agent(books, budget=Budget(seconds=0.4, filler_after=0.1)), _Hanging())
    loop = asyncio.get_running_loop()
    begun = loop.time()
    heard = await desk.hear("Hello")
    assert loop.time() - begun < 3
    assert heard.pieces == "One moment, please. "
    assert heard.text == "By the rules."


def test_the_times_are_those_that_a_caller_bears() -> None:
    """No more than three seconds without a word, and eight without an answer."""
    assert (Budget().filler_after, Budget().seconds) == (3.0, 8.0)


@pytest.mark.parametrize(
    ("budget", "asked"),
    [
        (Budget(steps=3), 3),
        (Budget(calls=2), 3),
        (Budget(tokens=300), 3),
        (Budget(cost=PRICE * 300), 3),
        (Budget(conversation_tokens=300), 3),
        (Budget(seconds=0.0), 0),
    ],
    ids=["steps", "calls", "tokens", "cost", "conversation", "time"],
)
async def test_an_endless_loop_of_tools_ends(books: Books, budget: Budget, asked: int) -> None:
    """Whatever runs out first, the rules take over."""
    desk = _rehearsal(books, *[calls("free_times", service="x") for _ in range(20)], budget=budget)
    heard = await desk.hear("Loop")
    assert heard.text == "By the rules."
    assert len(desk.models.asked) == asked  # type: ignore[union-attr]
    assert [type(each) for each in heard.events] == ([ModelUsed] if asked else [])


async def test_a_conversation_has_a_budget_of_its_own(books: Books) -> None:
    """Which the next messages of it do not renew, and another conversation has anew."""
    desk = _rehearsal(books, *[says("Well.")] * 5, budget=Budget(conversation_tokens=150))
    assert [(await desk.hear("Hi")).text for _ in range(4)] == ["Well.", "Well.", "By the rules.", "By the rules."]
    assert (await desk.hear("Hi", conversation="talk-2")).text == "Well."


async def test_a_long_conversation_is_condensed(books: Books) -> None:
    """The newest messages stay whole; of the older ones the lines stay, and the prompt does not grow for ever."""
    steps = [each for _ in range(100) for each in (calls("free_times", service="x" * 500), says("Well, well."))]
    desk = _rehearsal(books, *steps, budget=Budget(conversation_tokens=10**9))
    for _ in range(100):
        await desk.hear("y" * 1000)
    history = await _history(desk)
    assert len(history.items) == 60 + 6 * 4
    assert sum(len(each.model_dump_json()) for each in history.items) < 60 * 500 + 6 * 3000
    asked = desk.models.asked[-1].items  # type: ignore[union-attr]
    assert {each.id for each in asked if each.kind == "called"} == {e.id for e in asked if e.kind == "returned"}


async def test_a_memory_in_words_unknown_begins_anew(books: Books) -> None:
    """As after a step back to an older release."""
    desk = _rehearsal(books, says("Hello."))
    await desk.conversations.remember("smile-dental", "talk-1", "desk-model", Memory({"items": 7}, "x", []))
    assert (await desk.hear("Hi")).text == "Hello."


async def test_a_conversation_is_handed_to_a_colleague(books: Books) -> None:
    """Who goes on in the same turn with its own words and tools, and keeps the word."""
    billing = Agent("billing", "You know the bills.", about="For bills.")

    @billing.tool
    async def bill(caller: Caller) -> str:
        """What is owed."""
        return "Owed: $80."

    desk = _rehearsal(
        books,
        calls("hand_to_billing"),
        calls("bill"),
        says("You owe $80."),
        says("Anything else?"),
        colleagues=[billing],
    )
    assert (await desk.hear("My bill?")).text == "You owe $80."
    await desk.hear("Thanks")
    first, second, *_, last = desk.models.asked  # type: ignore[union-attr]
    assert [each.name for each in first.tools] == ["free_times", "book", "hand_to_billing"]
    assert first.tools[-1].description == "Hand the conversation to billing. For bills."
    assert second.instructions.startswith("You know the bills.")
    assert [each.name for each in last.tools] == ["bill"]


def test_what_follows_and_what_is_done_outside_is_declared(books: Books) -> None:
    """In one handler, whose name outlives the code."""
    agent = _agent(books)
    (subscription,) = agent
    assert (subscription.name, subscription.event) == ("desk_answer", MessageReceived)
    assert {AppointmentBooked, ReplyReady, HandedToHuman, ModelUsed} == set(subscription.produces)
    assert subscription.effects == (MODEL,)
    assert Registry([Part("desk", tuple(agent))])


def _offer(function: Any) -> None:
    Agent("desk", "").tool(function)


async def _undocumented(caller: Caller) -> str:
    return ""


async def _untyped(caller: Caller, what) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Typed it is not."""
    return ""


async def _several(caller: Caller, *what: str) -> str:
    """As many as you like."""
    return ""


async def _callerless(what: str) -> str:
    """For whom?"""
    return ""


def _blocking(caller: Caller) -> str:
    """Now."""
    return ""


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (_undocumented, "no docstring"),
        (_untyped, "type of 'what'"),
        (_several, "no \\* or"),
        (_callerless, "must take a Caller first"),
        (_blocking, "write `async def`"),
    ],
)
def test_a_tool_that_cannot_be_one_is_refused(function: Any, sentence: str) -> None:
    """When it is offered, and with what to do."""
    with pytest.raises(HandlerMisdeclared, match=sentence):
        _offer(function)


async def test_usage_of_several_steps_is_one_sum(books: Books) -> None:
    """As an operator counts."""
    desk = _rehearsal(books, calls("free_times", service="x"), says("Well."))
    (used,) = (await desk.hear("Hi")).events
    assert isinstance(used, ModelUsed)
    assert Usage(read=used.read, written=used.written) == Usage(read=200, written=21)
