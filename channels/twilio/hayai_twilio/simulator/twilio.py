"""SimulatedTwilio: the API served on a port of this machine, and a customer's phone to text with."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import uvicorn

from hayai_twilio.simulator.api import api
from hayai_twilio.simulator.calls import Calls

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncGenerator, Callable

    from hayai_twilio.simulator.account import Account, Message


class SimulatedTwilio:
    """One account and everybody who texts with it.

    Every message gets where it goes at once, and that is reported; with `disorder`, in any order and now and then
    twice, as Twilio's own reports may come.
    """

    def __init__(
        self,
        account: Account,
        *,
        via: Callable[[str], str] = str,
        disorder: random.Random | None = None,
        arrived: Callable[[Message], None] | None = None,
    ) -> None:
        self.account = account
        self.calls = Calls(account, via=via)
        self.app = api(account, self._carry)
        self._disorder = disorder
        self._arrived = arrived
        self._heard: dict[str, list[str]] = defaultdict(list)
        self._waiting: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def heard(self, number: str) -> list[str]:
        """The texts that have reached that number, in order."""
        return list(self._heard[number])

    async def hears(self, number: str, texts: int) -> list[str]:
        """The same, once there are so many."""
        while len(self._heard[number]) < texts:
            self._waiting[number].clear()
            await self._waiting[number].wait()
        return self.heard(number)

    async def _carry(self, message: Message) -> None:
        statuses = list(self.account.lands(message))
        message.status = statuses[-1]
        if message.status == "undelivered":
            message.error_code = 30006
        else:
            self._heard[message.to].append(message.body)
            self._waiting[message.to].set()
            if self._arrived:
                self._arrived(message)
        for status in self._shuffled(["queued", *statuses]):
            await self.calls.report(message, status)

    def _shuffled(self, statuses: list[str]) -> list[str]:
        if self._disorder is None:
            return statuses
        again = self._disorder.choices(statuses, k=self._disorder.randrange(3))
        return self._disorder.sample([*statuses, *again], len(statuses) + len(again))


@asynccontextmanager
async def serving(simulated: SimulatedTwilio, *, port: int = 0) -> AsyncGenerator[str]:
    """Serve its API on 127.0.0.1; the URL, for `api_url` of the channel."""
    config = uvicorn.Config(
        simulated.app, port=port, lifespan="off", log_level="warning", access_log=False, timeout_graceful_shutdown=1
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await ticking
        await server.shutdown()
