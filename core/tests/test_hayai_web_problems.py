"""Problems: what a channel's own route answers when something refuses what it asks for."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from hayai.bus.memory import MemoryBus
from hayai.testing.bus_words import BellRung
from hayai.web.problems import answer_problems


async def test_a_conflict_is_told_with_its_sentence() -> None:
    """Who asked looks again, rather than sends the same once more as after a 503."""
    app, bus = FastAPI(), MemoryBus()
    answer_problems(app)
    await bus.start()

    @app.post("/bell")
    async def ring() -> None:
        await bus.publish(BellRung(), tenant="acme", key="k", expected=0)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
        assert (await http.post("/bell")).status_code == httpx.codes.OK
        answer = await http.post("/bell")
    await bus.stop()
    assert (answer.status_code, answer.json()["title"]) == (409, "Conflict")
    assert "came first" in answer.json()["detail"]
