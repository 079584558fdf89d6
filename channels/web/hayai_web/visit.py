"""Visit: one open chat, from hello to goodbye."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from hayai.bus.explain import explained
from hayai.channel import Inbound, accept, inbound_id, live_topic
from hayai.errors import PermanentError, TenantWrong, TransientError
from hayai_web.feed import Feed
from hayai_web.frames import Hello, Ping, Pong, Received, Welcome
from hayai_web.limits import Rate
from hayai_web.live import line_hint
from hayai_web.session import SessionEnded
from hayai_web.wire import DEFECT, LATER, POLICY, Gone, TurnedAway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hayai.business import Business
    from hayai.ports.conversations import Line
    from hayai_web.desk import Desk
    from hayai_web.frames import Say
    from hayai_web.session import Session
    from hayai_web.wire import Wire

_log = logging.getLogger(__name__)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HELLO_SECONDS = 10.0
_FRAMES_PER_MINUTE = 240
AGAIN_SECONDS = 3.0
"""When a browser tries again what could not be taken for a reason of ours."""


class Visit:
    """One socket of one visitor of `business`."""

    def __init__(self, wire: Wire, desk: Desk, business: Business, channel: str) -> None:
        self._wire = wire
        self._desk = desk
        self._business = business
        self._channel = channel
        self._known: dict[str, str] = {}
        """Event id -> the browser's own id, of messages that this browser sent."""
        self._frames = Rate(_FRAMES_PER_MINUTE, desk.clock)

    async def run(self) -> None:
        """Stay until the visitor leaves or is turned away."""
        try:
            with self._desk.address_places.place(self._wire.address) as free:
                await self._admitted(free)
        except* Gone:
            pass
        except* TurnedAway as turned:
            await self._part(turned)
        except* Exception as wrong:  # noqa: BLE001 - one chat's defect must not show as a traceback with a person's words
            _log.error("A chat broke off: %s", "; ".join(explained(each) for each in _leaves(wrong)))
            await self._wire.close(DEFECT)

    async def _part(self, turned: BaseExceptionGroup[TurnedAway]) -> None:
        for each in _leaves(turned):
            if isinstance(each, TurnedAway):
                with suppress(Gone):
                    await self._wire.turn_away(each)

    async def _admitted(self, free: bool) -> None:  # noqa: FBT001 - what Places answered
        if not free:
            raise TurnedAway("busy", "Too many chats are open from your network: close one.", again=30.0, closing=LATER)
        self._count_connection()
        hello, session = await self._greeted()
        with self._desk.visitor_places.place(session.visitor) as seat:
            if not seat:
                raise TurnedAway("busy", "This chat is open in too many tabs: close one.", again=5.0, closing=LATER)
            await self._talk(hello, session)

    async def _greeted(self) -> tuple[Hello, Session]:
        """The first hello that carries no session, or one that holds."""
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                while True:
                    try:
                        return await self._hello()
                    except TurnedAway as turned:
                        await self._wire.turn_away(turned)
        except TimeoutError:
            raise TurnedAway("unreadable", "Nobody said hello: connect again and do.", closing=POLICY) from None

    async def _hello(self) -> tuple[Hello, Session]:
        self._count_frame()
        hello = await self._wire.receive()
        if not isinstance(hello, Hello):
            raise TurnedAway("unreadable", "Say hello first.", closing=POLICY)
        tenant = self._business.tenant
        if hello.session is None:
            return hello.model_copy(update={"after": 0}), self._desk.sessions.begin(tenant)
        try:
            return hello, self._desk.sessions.read(hello.session, tenant=tenant)
        except (SessionEnded, TenantWrong) as wrong:
            raise TurnedAway("session", str(wrong)) from None

    async def _talk(self, hello: Hello, session: Session) -> None:
        for each in hello.pending:
            self._know(session, each)
        feed = Feed(self._wire, self._desk, session, after=hello.after, known=self._known)
        await self._wire.send(await self._welcome(hello, session, feed))
        async with asyncio.TaskGroup() as group:
            group.create_task(feed.run())
            await self._hear(session, feed)

    async def _welcome(self, hello: Hello, session: Session, feed: Feed) -> Welcome:
        try:
            position = await feed.catch_up()
        except TransientError:
            raise TurnedAway(
                "away", "We cannot reach this chat's history just now; please wait.", again=AGAIN_SECONDS, closing=LATER
            ) from None
        return Welcome(
            session=self._desk.sessions.sign(self._desk.sessions.renewed(session)),
            fresh=hello.session is None,
            position=position,
            business=self._business.name,
            greeting=self._business.greeting,
            message_length=self._desk.settings.message_length,
        )

    async def _hear(self, session: Session, feed: Feed) -> None:
        while True:
            try:
                self._count_frame()
                await self._answer(await self._wire.receive(), session, feed)
            except TurnedAway as turned:
                await self._wire.turn_away(turned)

    async def _answer(self, frame: Hello | Say | Ping, session: Session, feed: Feed) -> None:
        if isinstance(frame, Ping):
            await self._wire.send(Pong())
        elif isinstance(frame, Hello):
            raise TurnedAway("unreadable", "Hello was said already: go on, or connect again.", closing=POLICY)
        else:
            await self._take(frame, session, feed)

    async def _take(self, say: Say, session: Session, feed: Feed) -> None:
        text = self._readable(say)
        self._slow_down(say, session)
        self._know(session, say.id)
        message = Inbound(session.tenant, session.conversation, session.visitor, say.id, text, self._desk.clock())
        line = await self._accepted(message)
        await self._wire.send(Received(id=say.id, position=line.position))
        feed.look()
        await self._tell_other_tabs(session, line)

    async def _accepted(self, message: Inbound) -> Line:
        desk = self._desk
        try:
            return await accept(self._channel, message, bus=desk.bus, tier=desk.tier)
        except TransientError:
            desk.visitor_rate.give_back(message.person)
            desk.address_rate.give_back(self._wire.address)
            raise TurnedAway(
                "away", "We could not take that just now; it will be sent again.", id=message.id, again=AGAIN_SECONDS
            ) from None
        except PermanentError:
            raise TurnedAway(
                "unreadable", "We cannot take this message: please write it differently.", id=message.id
            ) from None

    async def _tell_other_tabs(self, session: Session, line: Line) -> None:
        topic = live_topic(session.tenant, session.conversation)
        try:
            await self._desk.bus.signal(topic, line_hint(line))
        except TransientError:
            _log.debug("The other tabs will find the new line by themselves.")

    def _readable(self, say: Say) -> str:
        text = _CONTROL.sub("", say.text.replace("\r\n", "\n")).strip()
        most = self._desk.settings.message_length
        if not text:
            raise TurnedAway("empty", "There was nothing in that message: write something.", id=say.id)
        if len(text) > most:
            raise TurnedAway(
                "too_long", f"A message can have {most} characters and this has {len(text)}: shorten it.", id=say.id
            )
        return text

    def _slow_down(self, say: Say, session: Session) -> None:
        desk = self._desk
        keys = ((desk.visitor_rate, session.visitor), (desk.address_rate, self._wire.address))
        if wait := max(rate.wait(key) for rate, key in keys):
            raise TurnedAway(
                "too_fast",
                f"You are writing faster than we can read; this will be sent in {max(1, round(wait))} s.",
                id=say.id,
                again=round(wait + 0.05, 2),
            )
        for rate, key in keys:
            rate.take(key)

    def _count_connection(self) -> None:
        rate = self._desk.connection_rate
        if wait := rate.wait(self._wire.address):
            again = round(wait + 0.05, 2)
            reason = "Too many chats were opened from your network in a minute; yours is opened in a moment."
            raise TurnedAway("busy", reason, again=again, closing=LATER)
        rate.take(self._wire.address)

    def _count_frame(self) -> None:
        if self._frames.wait("frames"):
            raise TurnedAway("too_fast", "Too many frames in a minute: connect again later.", closing=POLICY)
        self._frames.take("frames")

    def _know(self, session: Session, id: str) -> None:  # noqa: A002 - the browser's id
        self._known[inbound_id(self._channel, session.tenant, session.conversation, id)] = id


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """The exceptions in a group and in the groups within it."""
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(each)
        else:
            yield each
