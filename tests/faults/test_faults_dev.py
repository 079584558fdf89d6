"""`hayai dev` under fire: servers killed in mid-conversation, the process itself killed, two at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from websockets.asyncio.client import connect

from hayai.testing.dev import DevServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TIER = ROOT / "deploy/tiers/local.toml"
TENANT = "harbor-dental"
ANSWER_SECONDS = 30.0

pytestmark = pytest.mark.fault


@pytest.fixture
def dev() -> Iterator[DevServer]:
    """A running `hayai dev`; nothing of it is left afterwards, whatever the test did."""
    server = DevServer(TIER)
    try:
        server.start()
        yield server
    finally:
        server.remove()


class Visitor:
    """A customer's page as the server sees it: resends what was not acknowledged, resumes behind the last line."""

    def __init__(self, dev: DevServer) -> None:
        self._url = f"{dev.socket}/web/socket/{TENANT}"
        self._origin = dev.url
        self._session: str | None = None
        self.lines: dict[int, dict[str, Any]] = {}
        self._said = 0

    async def say(self, text: str) -> str:
        """Say it until an answer stands in the transcript behind it; that answer."""
        self._said += 1
        message = {"type": "say", "id": f"message-{self._said}", "text": text}
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            try:
                return await self._exchange(message)
            except (OSError, TimeoutError, Exception) as lost:  # noqa: BLE001 - whatever it was, a page reconnects
                print(f"reconnecting after {type(lost).__name__}")
                await asyncio.sleep(0.3)
        raise AssertionError(f"no answer within {ANSWER_SECONDS} s")

    async def _exchange(self, message: dict[str, str]) -> str:
        async with connect(self._url, origin=self._origin) as socket:  # type: ignore[arg-type]
            hello = {"type": "hello", "session": self._session, "after": max(self.lines, default=0)}
            await socket.send(json.dumps(hello))
            await socket.send(json.dumps(message))
            async with asyncio.timeout(8):
                while True:
                    frame = json.loads(await socket.recv())
                    if frame["type"] == "welcome":
                        self._session = frame["session"]
                    elif frame["type"] == "line":
                        self.lines[frame["position"]] = frame
                        if answer := self._answer_to(message["text"]):
                            return answer

    def _answer_to(self, text: str) -> str | None:
        asked = [at for at, line in self.lines.items() if line["speaker"] == "customer" and line["text"] == text]
        answers = [
            line["text"] for at, line in self.lines.items() if asked and at > asked[-1] and line["speaker"] == "agent"
        ]
        return answers[-1] if answers else None


def _server_id(dev: DevServer) -> str:
    """The bus's identity, new with every start of the server."""
    monitor = json.loads((dev.data / "ports.json").read_text())["monitor"]
    with urllib.request.urlopen(f"http://127.0.0.1:{monitor}/varz", timeout=5) as answer:
        return str(json.load(answer)["server_id"])


async def _other_server_id(dev: DevServer, old: str) -> str:
    for _ in range(100):
        try:
            if (new := await asyncio.to_thread(_server_id, dev)) != old:
                return new
        except OSError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("the bus did not come back within 10 s")


def _bus_pid(dev: DevServer) -> int:
    children = psutil.Process(dev.pids["hayai"]).children(recursive=True)
    return next(child.pid for child in children if "nats-server" in child.name())


@pytest.mark.timeout(240)
async def test_the_chat_goes_on_while_the_bus_is_killed_again_and_again(dev: DevServer) -> None:
    """SIGKILL before each turn of a booking: a new server each time, every message answered once, one appointment."""
    visitor = Visitor(dev)
    turns = ["I'd like a cleaning next week", "the first one", "Ada Lovelace", "207 555 0199", "yes, book it"]
    server_id = _server_id(dev)
    for turn in turns:
        os.kill(_bus_pid(dev), signal.SIGKILL)
        answer = await visitor.say(turn)
        new_id = await _other_server_id(dev, server_id)
        assert new_id != server_id
        server_id = new_id
    assert "booked" in answer.lower()
    said = [line["text"] for line in visitor.lines.values() if line["speaker"] == "customer"]
    assert said == turns, "each message stands once and in order"
    assert [line["speaker"] for _, line in sorted(visitor.lines.items())] == ["customer", "agent"] * len(turns)
    assert len(_appointments(dev)) == 1


def _appointments(dev: DevServer) -> list[dict[str, Any]]:
    """What staff see, with a key that was issued for it."""
    key = _hayai("keys", "issue", "--tenant", TENANT, "--data", str(dev.data), "--tier", str(TIER)).strip()
    request = urllib.request.Request(
        f"{dev.url}/v1/tenants/{TENANT}/appointments", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
        return found


def _hayai(*arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "hayai.cli.main", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_no_process(dev: DevServer, number: signal.Signals) -> None:
    """After SIGTERM or Ctrl-C the bus, the database and the house are gone, and the exit status is 0."""
    assert dev.stop(number) == 0
    assert dev.left_over() == []
    assert "Stopped." in dev.printed


@pytest.mark.timeout(120)
async def test_after_a_kill_the_next_start_cleans_up_and_everything_is_there(dev: DevServer) -> None:
    """SIGKILL of the house, then a start on the same data: it says what it found, and the talk goes on.

    The key that signs the visitor's session is kept with the data.
    """
    visitor = Visitor(dev)
    await visitor.say("hello")
    old = dev.pids
    await asyncio.to_thread(dev.stop, signal.SIGKILL)
    await asyncio.to_thread(dev.start)
    assert set(dev.pids.values()).isdisjoint(old.values())
    assert f"The last run (pid {old['hayai']}) was killed" in dev.printed
    assert [each.stat().st_mode & 0o777 for each in (dev.data / "keys").iterdir()] == [0o600]
    await visitor.say("what are your opening hours?")
    assert len(visitor.lines) == 4, "the two lines from before the kill, and two new ones"
    print(f"ready again after {dev.told['seconds']} s")
    assert dev.told["seconds"] < 5


@pytest.mark.timeout(120)
def test_a_second_one_on_the_same_data_says_so(dev: DevServer) -> None:
    """It names the first's address and process, and takes nothing down."""
    said = _hayai("dev", "--data", str(dev.data), "--tier", str(TIER), status=1)
    assert str(dev.pids["hayai"]) in said
    assert dev.url in said
    assert "Traceback" not in said
    with urllib.request.urlopen(f"{dev.url}/health/ready", timeout=5) as answer:
        assert answer.status == 200


@pytest.mark.timeout(120)
def test_everything_together_stays_below_a_gigabyte(dev: DevServer) -> None:
    """Resident memory of the house and all its children, shared pages counted as often as they are shared."""
    house = psutil.Process(dev.pids["hayai"])
    resident = sum(each.memory_info().rss for each in [house, *house.children(recursive=True)])
    print(f"{resident / 2**20:.0f} MiB resident, ready after {dev.told['seconds']} s")
    assert resident < 2**30


@pytest.mark.timeout(120)
def test_the_doctor_finds_a_running_house_well_and_a_stopped_one_ill(dev: DevServer) -> None:
    """Every part ok while it runs; afterwards the cure and each server have a sentence, as JSON too."""
    options = ("--data", str(dev.data), "--tier", str(TIER))
    assert "WRONG" not in _hayai("doctor", *options)
    dev.stop()
    findings = json.loads(_hayai("doctor", *options, "--json", status=1))
    wrong = {each["part"]: each["says"] for each in findings if not each["ok"]}
    assert set(wrong) == {"local stack", "bus", "database"}
    assert "start it with `make dev`" in wrong["local stack"]
    assert all(says.endswith(".") and "Traceback" not in says for says in wrong.values())
