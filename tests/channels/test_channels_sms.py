"""A storm of webhooks at two replicas, one of which dies: one event and one reply for each text, as the network counts.

Everything but the telephone network is real: NATS, Postgres, two `hayai run`, the receptionist. Each text is posted
three times at once, and again where nobody answered, as Twilio does; reports of delivery come shuffled and doubled.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

import pytest

from hayai.testing.bus_install import Servers, installed
from hayai.testing.servers import free_port
from hayai_twilio.simulator.account import new_sid
from hayai_twilio.simulator.line import OURS, TOKEN, Line, demo_account
from hayai_twilio.simulator.twilio import SimulatedTwilio, serving

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

    from hayai.testing.postgres_server import PostgresServer

pytestmark = [pytest.mark.fault, pytest.mark.storm]

TEXTS, CUSTOMERS, TIMES = 1000, 200, 3
AT_ONCE = 60
ORIGIN = "https://sms.example"
SEED = 20261123
TENANT = "harbor-dental"
SMS = """
[channel.sms]
account_sid = "{account}"
auth_tokens = ["{token}"]
numbers = {{ "{ours}" = "{tenant}" }}
public_url = "{origin}"
api_url = "{api}"
messages_per_second = 1000
settling = 0.5
timeout = 3
"""


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    """NATS and Postgres, with every table."""
    with installed(postgres_server, tmp_path) as standing:
        yield standing


class Replica:
    """One `hayai run` on a port of its own, to be killed and started again."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.process: Process | None = None

    async def start(self) -> int:
        """Start it; its process id, once it is ready."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("HAYAI_")}
        environment = {**others, "HAYAI_TIER": "tier.toml", "HAYAI_WEB__PORT": str(self._port)}
        command = (sys.executable, "-m", "hayai.cli.main", "run")
        log = self._servers.folder / f"{self._port}.log"
        with log.open("ab") as errors:
            self.process = process = await asyncio.create_subprocess_exec(
                *command, cwd=self._servers.folder, env=environment, stdout=PIPE, stderr=errors
            )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            told = (await process.stdout.readline()).decode()
        assert "ready" in told, log.read_text()
        return process.pid

    async def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        assert await self.process.wait() == -signal.SIGKILL

    async def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


@asynccontextmanager
async def standing(servers: Servers) -> AsyncGenerator[tuple[Line, list[Replica]]]:
    """Two replicas, ready, and the line to both in turn."""
    replicas = [Replica(servers), Replica(servers)]
    turns = count()
    twilio = SimulatedTwilio(
        demo_account(),
        via=lambda url: url.replace(ORIGIN, replicas[next(turns) % 2].url, 1),
        disorder=random.Random(SEED),
    )
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(serving(twilio))
        _write(servers, api)
        migrated = await servers.hayai("migrate", "--json")
        assert migrated.status == 0, migrated.err
        for each in replicas:
            stack.push_async_callback(each.stop)
            await each.start()
        yield Line(twilio, ORIGIN), replicas


def _write(servers: Servers, api: str) -> None:
    """The tier file: the receptionist, a practice, and the text channel at the simulated Twilio."""
    servers.write(agents='"receptionist"')
    file = servers.folder / "tier.toml"
    named = f'channels = ["sms"]\nbusinesses = ["hayai_receptionist:practices/dentist.toml"]\n{file.read_text()}'
    account = demo_account().sid
    owner = servers.database.server.url(servers.database.name)
    named = named.replace("[database]\n", f'[database]\nowner_url = "{owner}"\n')
    file.write_text(named + SMS.format(account=account, token=TOKEN, ours=OURS, tenant=TENANT, origin=ORIGIN, api=api))


@pytest.mark.timeout(400)
async def test_a_thousand_texts_three_times_each_make_one_event_and_one_reply_each(servers: Servers) -> None:
    """Two replicas, one of which is killed and started again in the middle of it."""
    async with standing(servers) as (line, replicas):
        sent = [(new_sid(), f"+1555{2_000_000 + number % CUSTOMERS:07d}") for number in range(TEXTS)]
        storm = asyncio.gather(*_posted(line, sent))
        before = replicas[0].process
        await _sent(line, TEXTS // 5)
        await replicas[0].kill()
        after = await replicas[0].start()
        assert before is not None
        assert after != before.pid
        tries = sum(await storm)
        await _sent(line, TEXTS)
        await asyncio.sleep(5)  # what was one too many would come now
        replies = Counter(str(each.callback) for each in line.twilio.account.messages)
        events = json.loads(servers.sql(_EVENTS))
        arrived = json.loads(servers.sql(_ARRIVED))
    print(
        f"\n{TEXTS} texts of {CUSTOMERS} customers, each posted {TIMES} times, {tries} posts in all; seed {SEED}: "
        f"{events['all']} events ({events['ids']} ids), {len(replies)} replies, {sum(replies.values())} sent; "
        f"{arrived} known to have arrived"
    )
    assert (events["all"], events["ids"]) == (TEXTS, TEXTS)
    assert len(replies) == sum(replies.values()) == TEXTS
    assert arrived > TEXTS // 2, "reports are lost only while their replica is away"


_EVENTS = """
select json_build_object('all', count(*), 'ids', count(distinct id)) from hayai.event_index
 where type like 'message.received%'
"""
_ARRIVED = "select count(*) from hayai.twilio_message where status = 'delivered'"


def _posted(line: Line, sent: list[tuple[str, str]]) -> list[asyncio.Task[int]]:
    """Every text, three times at once; each task ends with how often it was posted."""
    places = asyncio.Semaphore(AT_ONCE)

    async def post(sid: str, sender: str) -> int:
        async with places:
            for tries in count(1):
                if await line.text("What are your opening hours?", sid, sender=sender) == 200:
                    return tries
                await asyncio.sleep(0.5)
        raise AssertionError

    return [asyncio.create_task(post(*each)) for each in sent for _ in range(TIMES)]


async def _sent(line: Line, many: int) -> None:
    """Return when so many messages were sent to customers."""
    async with asyncio.timeout(240):
        while len(line.twilio.account.messages) < many:  # noqa: ASYNC110 - the simulator tells nobody
            await asyncio.sleep(0.2)
