"""Connection: one connection to the NATS server that is taken up again whenever it breaks, without an end."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import nats.errors
from nats.aio.client import Client

from hayai.bus.addresses import addresses
from hayai.bus.explain import explained
from hayai.bus.express import Express, refuse_untested
from hayai.bus.inbox import Inbox
from hayai.cancelling import heeded
from hayai.errors import KeyNotOpaque, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hayai.bus.inbox import Receive, Take

T = TypeVar("T")

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 0.2
_PING_SECONDS = 5
_FLUSH_SECONDS = 2
_KNOWN = 16_384
_UNSOUND = re.compile(r"[\s\x00]|\A\Z")


class Silent(Unavailable):
    """The server is connected, as far as anybody knows, and does not answer."""


class Connection:
    """Connected from start() to stop(); in between it may be down, and comes back by itself.

    Only what nats-py documents is used of it, unless `express` asks for more (hayai.bus.express). Its errors end here:
    callers get Unavailable.
    """

    def __init__(self, url: str, *, inbox: str = "_INBOX", express: bool = False) -> None:
        """Raises SettingsError where `express` is wanted, and not to be had with the nats-py that is installed."""
        if express:
            refuse_untested()
        self._kind = Express if express else Client
        self._addresses = addresses(url)
        self._inbox = inbox
        self.server = self._addresses.shown
        """The server's address, or the addresses of a cluster's, without credentials: fit for a sentence."""
        self._client = self._kind()
        self._ready = asyncio.Event()
        self._stopping = True
        self._reasons: dict[str, None] = {}
        self._inboxes: dict[Inbox, None] = {}
        self._watchers: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self._renewal: asyncio.Task[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the server is there now."""
        return self._ready.is_set()

    @property
    def max_payload(self) -> int:
        """The most bytes that the server takes in one message, headers included."""
        return self._client.max_payload

    def watch(self, lost: Callable[[], None], found: Callable[[], None]) -> Callable[[], None]:
        """Call `lost` when the server goes away and `found` when it is there again; the result, called, ends that."""
        watcher = lost, found
        self._watchers.append(watcher)

        def unwatch() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return unwatch

    async def start(self, seconds: float) -> None:
        """Connect. Raises Unavailable where that takes longer than `seconds`."""
        self._stopping = False
        self._reasons.clear()
        self._client = self._kind()
        try:
            async with asyncio.timeout(seconds):
                await self._connect()
        except TimeoutError:
            await self._client.close()
            raise Unavailable(
                f"No NATS server takes us at {self.server} ({', '.join(self._reasons)}): "
                "start it, or correct `url` under [bus]."
            ) from None
        self._ready.set()

    async def stop(self) -> None:
        """Send what waits to be sent and close; safe to call twice."""
        self._stopping = True
        if self._renewal is not None:
            self._renewal.cancel()
        if self._ready.is_set():
            await self.flush()
        for lost, _ in list(self._watchers):
            lost()
        self._ready.set()  # whoever waits for the server learns that there will be none
        self._ready.clear()
        if not self._client.is_closed:
            with suppress(nats.errors.Error, OSError):  # the server has gone in this very moment
                await self._client.close()

    async def ready(self, until: float) -> None:
        """Return when the server is there. Raises Unavailable at `until`, an instant of the loop's clock."""
        try:
            if not self._stopping:
                async with asyncio.timeout_at(until):
                    await self._ready.wait()
        except TimeoutError:
            raise Unavailable(
                f"The NATS server at {self.server} has been away too long: start it again, then try again."
            ) from None
        if self._stopping:
            raise Unavailable("This bus was stopped: publish before stop(), or start it again.")

    async def listen(self, subject: str, receive: Receive) -> Inbox:
        """Call `receive` with each message on `subject` until the inbox is closed; survives every reconnection."""
        return await self._open(Inbox(self, _sound(subject), receive=receive))

    async def take(self, subject: str, take: Take) -> Inbox:
        """As listen() for who need not wait, on the shortest way there is."""
        return await self._open(Inbox(self, _sound(subject), take=take))

    async def _open(self, inbox: Inbox) -> Inbox:
        self._inboxes[inbox] = None
        with suppress(nats.errors.ConnectionClosedError):  # then the next client opens it
            await inbox.open(self._client)
        return inbox

    def forget(self, inbox: Inbox) -> None:
        """Open `inbox` no more after a reconnection."""
        self._inboxes.pop(inbox, None)

    def new_inbox(self) -> str:
        """A subject that nobody else knows."""
        return self._client.new_inbox()

    async def post(self, subject: str, body: bytes, *, reply: str = "", headers: dict[str, str] | None = None) -> None:
        """Send without an answer; what is sent while the server is away goes out when it is back, or is lost."""
        client = self._client
        if isinstance(client, Express) and client.put(_sound(subject), body, reply, headers):
            return
        try:  # noqa: SIM105 - suppress() costs as much as the writing
            await client.publish(_sound(subject), body, reply, headers)
        except (nats.errors.Error, OSError):
            pass

    async def answer(self, reply: str, body: bytes) -> None:
        """Send to a subject that the server has given us; as post() does."""
        client = self._client
        if isinstance(client, Express) and client.put(reply, body):
            return
        try:  # noqa: SIM105 - as above
            await client.publish(reply, body)
        except (nats.errors.Error, OSError):
            pass

    async def request(self, subject: str, body: bytes, *, seconds: float) -> bytes:
        """The answer's body. Raises Unavailable."""
        try:
            return (await heeded(self._client.request(_sound(subject), body, timeout=seconds))).data
        except (nats.errors.Error, OSError) as wrong:
            kind = Silent if isinstance(wrong, nats.errors.TimeoutError) else Unavailable
            raise kind(
                f"The NATS server at {self.server} did not answer ({type(wrong).__name__}): see that it runs with "
                "JetStream on, then try again."
            ) from None

    async def ask(self, subject: str, body: bytes, *, headers: dict[str, str], seconds: float) -> bytes | None:
        """The answer's body; None where none came."""
        try:
            asked = self._client.request(_sound(subject), body, timeout=seconds, headers=headers)
            return (await heeded(asked)).data
        except (nats.errors.Error, OSError):
            return None

    async def flush(self) -> None:
        """Return when the server has acted on what was sent so far, or does not answer.

        A ping, as nats-py's own flush sends it, overtakes what waits to be written (seen in 2.16: it goes straight to
        the socket). A request stays in line, and one that nobody takes is answered by the server at once.
        """
        with suppress(nats.errors.Error, OSError):
            await heeded(self._client.request(self._client.new_inbox(), b"", timeout=_FLUSH_SECONDS))

    async def renew(self) -> None:
        """Drop a connection on which the server has fallen silent and take up another."""
        await self._client.force_reconnect()

    async def _connect(self) -> None:
        await self._client.connect(
            list(self._addresses.urls),
            user=self._addresses.user,
            password=self._addresses.password,
            token=self._addresses.token,
            name="hayai",
            inbox_prefix=self._inbox,
            skip_subject_validation=True,  # _sound() sees to it, and remembers; what the server gave us is sound
            max_reconnect_attempts=-1,
            reconnect_time_wait=_RETRY_SECONDS,  # type: ignore[arg-type] # it sleeps that long: fractions are fine
            ping_interval=_PING_SECONDS,
            error_cb=self._note,
            disconnected_cb=self._lost,
            reconnected_cb=self._found,
            closed_cb=self._closed,
        )

    async def _note(self, wrong: Exception) -> None:
        if not isinstance(wrong, nats.errors.Error | OSError | TimeoutError):  # raised by what takes the messages
            _log.error("A message of the NATS server at %s could not be taken: %s", self.server, explained(wrong))
        told = str(wrong).removeprefix("nats: ").strip("'") if isinstance(wrong, nats.errors.Error) else ""
        reason = told or type(wrong).__name__
        if not self._ready.is_set():
            self._reasons[reason] = None
        _log.debug("NATS at %s: %s", self.server, reason)

    async def _lost(self) -> None:
        if not self._ready.is_set():
            return
        self._ready.clear()
        if not self._stopping:
            _log.warning("The NATS server at %s is gone; it is looked for.", self.server)
        for lost, _ in list(self._watchers):
            lost()

    async def _found(self) -> None:
        _log.warning("The NATS server at %s is back.", self.server)
        self._ready.set()
        for _, found in list(self._watchers):
            found()

    async def _closed(self) -> None:
        """nats-py has given up for good (refused credentials, a protocol error): begin again with a new client."""
        if not self._stopping and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.create_task(self._replace())

    async def _replace(self) -> None:
        while self._client.is_closed:
            await asyncio.sleep(_RETRY_SECONDS)
            self._client = self._kind()
            with suppress(nats.errors.Error, OSError):
                await self._connect()
                for inbox in list(self._inboxes):
                    await inbox.open(self._client)
                await self.flush()
        await self._found()


@lru_cache(_KNOWN)
def _sound(subject: str) -> str:
    """`subject` itself. Raises KeyNotOpaque where it would end early on the wire and begin a command of its own."""
    if _UNSOUND.search(subject):
        raise KeyNotOpaque("A subject holds a blank or is empty: make topics and keys of opaque tokens (hayai.tokens).")
    return subject


async def patiently(ask: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Ask again for that long while the server is silent, as a cluster is that has lost its leader. Raises Silent."""
    until = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await ask()
        except Silent:
            if asyncio.get_running_loop().time() >= until:
                raise
