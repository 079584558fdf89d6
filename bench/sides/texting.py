"""Texting: how long Twilio waits until a text is taken, at a steady rate, and at a door that does nothing with it."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from twilio.request_validator import RequestValidator

from hayai.runtime.serving import open_door
from hayai.settings import read_settings
from hayai.testing.bus_install import TIER
from hayai.testing.web import listening
from hayai_twilio.simulator.account import new_sid
from hayai_twilio.simulator.line import ACCOUNT, OURS, TOKEN

_WARM = 0.2
_CUSTOMERS = 200
_ORIGIN = "https://sms.example"
_PATH = "/sms/incoming"
_NAMES = """
channels = ["sms"]
businesses = ["hayai_receptionist:practices/dentist.toml"]
"""
_SMS = f"""
[channel.sms]
account_sid = "{ACCOUNT}"
auth_tokens = ["{TOKEN}"]
numbers = {{ "{OURS}" = "harbor-dental" }}
public_url = "{_ORIGIN}"
"""


async def taken(*, url: str, owner: str, application: str, rate: float, events: int) -> dict[str, float]:
    """The product: checked, recorded in the transcript and published before the answer; no agent is at work."""
    text = _NAMES + TIER.format(nats=url, postgres=application, partitions=1, agents="", bus="") + _SMS
    more = {"HAYAI_DATABASE__OWNER_URL": owner, "HAYAI_WEB__PORT": "0"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tier.toml"
        await asyncio.to_thread(file.write_text, text)
        settings = await asyncio.to_thread(read_settings, file, more)
        async with open_door(settings, migrating=True) as opened:
            return await _posted(opened.url, rate, events)


async def bare(*, rate: float, events: int) -> dict[str, float]:
    """The same web server with a route that reads the form and answers."""
    app = FastAPI()

    @app.post(_PATH)
    async def take(request: Request) -> Response:
        await request.body()
        return Response("<Response/>", media_type="text/xml")

    async with listening(app) as url:
        return await _posted(url, rate, events)


async def _posted(door: str, rate: float, events: int) -> dict[str, float]:
    """Percentiles in milliseconds, as a process of its own saw them."""
    options = json.dumps({"door": door, "rate": rate, "events": events})
    command = (sys.executable, "-m", "bench.side", "texting.post", options)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("The process that posts webhooks failed.")
    return dict[str, float](json.loads(told.splitlines()[-1]))


async def post(*, door: str, rate: float, events: int) -> dict[str, float]:
    """Signed webhooks by the timetable, whatever becomes of them; counted from when each was due."""
    async with httpx.AsyncClient(base_url=door, timeout=30) as client:
        begun = time.perf_counter() + 0.1
        late = await asyncio.gather(*(_one(client, begun + number / rate, number) for number in range(events)))
    hundredths = quantiles(late[int(events * _WARM) :], n=100)
    return {"p50": 1000 * hundredths[49], "p99": 1000 * hundredths[98]}


async def _one(client: httpx.AsyncClient, due: float, number: int) -> float:
    form = _form(number)
    signature = RequestValidator(TOKEN).compute_signature(_ORIGIN + _PATH, form)
    await asyncio.sleep(max(0.0, due - time.perf_counter()))
    answer = await client.post(_PATH, data=form, headers={"X-Twilio-Signature": signature})
    answer.raise_for_status()
    return time.perf_counter() - due


def _form(number: int) -> dict[str, Any]:
    sender = f"+1555{2_000_000 + number % _CUSTOMERS:07d}"
    text = "I need a cleaning next Tuesday morning, please."
    return {"MessageSid": new_sid(), "AccountSid": ACCOUNT, "From": sender, "To": OURS, "Body": text, "NumMedia": "0"}
