"""The log: an exception is told by its class and places, never by its text."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn

from hayai.errors import Unavailable
from hayai.event import Event, Personal
from hayai.local.ports import listener
from hayai.runtime import logs, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What the house's log has written."""
    before = list(logging.getLogger().handlers)
    yield lambda: capsys.readouterr().err
    logging.getLogger().handlers[:] = before


def _stumble() -> None:
    """Raise one error from another, both with a text that must not be told."""
    try:
        _look_up()
    except LookupError as wrong:
        raise ValueError("+44 20 7946 0000") from wrong


def _look_up() -> None:
    raise LookupError("Ada Lovelace")


async def _stumbling_app(scope: Any, receive: Any, send: Any) -> None:
    del receive, send
    if scope["type"] == "http":
        _stumble()


async def test_a_defect_in_a_request_is_logged_without_its_text(written: Callable[[], str]) -> None:
    """On the real server, which logs what an application lets through, cause included."""
    logs.begin()
    with listener(0) as socket:
        server = uvicorn.Server(serving._config(_stumbling_app, "127.0.0.1", 0))
        serving_it = asyncio.create_task(server.serve([socket]))
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{socket.getsockname()[1]}/")
        server.should_exit = True
        await serving_it
    assert answer.status_code == 500
    said = written()
    assert "ValueError at test_hayai_runtime_logs.py" in said
    assert "from LookupError" in said
    assert "Ada" not in said
    assert "+44" not in said


async def test_a_task_that_nobody_awaits_is_logged_without_its_text(written: Callable[[], str]) -> None:
    """The handler of asyncio itself would print the task and with it the exception."""
    logs.begin()

    async def fail() -> None:
        _stumble()

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    await asyncio.sleep(0)
    said = written()
    assert "Task exception was never retrieved: ValueError" in said
    assert "+44" not in said


async def test_begun_twice_each_line_is_written_once(written: Callable[[], str]) -> None:
    """An error of ours keeps its sentence: it holds nothing personal."""
    logs.begin()
    logs.begin()
    logging.getLogger("hayai").error("It failed", exc_info=Unavailable("Postgres does not answer."))
    assert written().count("Postgres does not answer.") == 1


def test_an_event_that_does_not_fit_does_not_repeat_what_was_given() -> None:
    """The publisher's own error text is as discreet as ours."""

    class NoteLeft(Event, type="note.left"):
        """A note."""

        text: Personal[str]

    with pytest.raises(ValueError, match="text") as refused:
        NoteLeft.model_validate({"text": ["my tooth hurts"]})
    assert "tooth" not in str(refused.value)
