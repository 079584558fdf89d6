"""SimulatedNats: NATS's client protocol as far as the bus speaks it: subscriptions, replies, crashes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.jetstream import SimulatedJetStream
from tests.simulation.wire import Network

if TYPE_CHECKING:
    from tests.simulation.wire import Link
    from tests.simulation.world import World

_INFO = {"server_id": "SIM", "version": "2.15.1", "headers": True, "max_payload": 1_048_576, "proto": 1}
_TICK = 0.2


@dataclass(eq=False)
class Session:
    """What one connection listens to."""

    link: Link
    subjects: dict[str, str] = field(default_factory=dict)
    """By the client's number for it."""


class SimulatedNats:
    """One server with JetStream; it is up from the beginning."""

    def __init__(self, world: World) -> None:
        self.is_up = True
        self.network = Network(world, self)
        self.jetstream = SimulatedJetStream(world, self)
        self._world = world
        self._sessions: dict[Link, Session] = {}
        self._listeners: dict[str, dict[Session, str]] = {}
        world.after(_TICK, self._tick)

    def _tick(self) -> None:
        self._world.after(_TICK, self._tick)
        if self.is_up:
            self.jetstream.tick()

    def crash(self) -> None:
        """Be gone at once, as by SIGKILL."""
        self.is_up = False
        self.network.break_off()
        self.jetstream.crash()

    def greet(self, link: Link) -> None:
        """A client has connected."""
        self._sessions[link] = Session(link)
        link.at_client.send(f"INFO {json.dumps(_INFO)}\r\n".encode())

    def forget(self, link: Link) -> None:
        """A connection is gone."""
        session = self._sessions.pop(link, None)
        for number in list(session.subjects) if session else ():
            assert session is not None
            self._unsubscribe(session, number)

    def hear(self, link: Link, command: bytes) -> None:
        """One command of a client."""
        session = self._sessions.get(link)
        if session is None or not self.is_up:
            return
        line, _, rest = command.partition(b"\r\n")
        verb, *words = line.decode().split(" ")
        if verb in {"PUB", "HPUB"}:
            self._published(words, rest, headed=verb == "HPUB")
        elif verb == "PING":
            link.at_client.send(b"PONG\r\n")
        elif verb == "SUB":
            session.subjects[words[-1]] = words[0]
            self._listeners.setdefault(words[0], {})[session] = words[-1]
        elif verb == "UNSUB":
            self._unsubscribe(session, words[0])

    def _unsubscribe(self, session: Session, number: str) -> None:
        subject = session.subjects.pop(number, None)
        if subject is not None:
            self._listeners[subject].pop(session, None)
            if not self._listeners[subject]:
                del self._listeners[subject]

    def _published(self, words: list[str], rest: bytes, *, headed: bool) -> None:
        subject, reply = words[0], words[1]
        size = int(words[2]) if headed else 0
        headers = dict(_header(each) for each in rest[:size].split(b"\r\n")[1:] if each)
        body = rest[size:-2]
        if subject.startswith("$JS.") or self.jetstream.takes(subject):
            answered = self.jetstream.hear(subject, body, headers, reply)
        else:
            answered = self.tell(subject, body, reply=reply)
        if not answered and reply:
            self.tell(reply, b"", head=b"NATS/1.0 503\r\n\r\n")

    def hears(self, subject: str) -> bool:
        """Whether anybody listens to `subject`."""
        return any(each in self._listeners for each in _patterns(subject))

    def tell(self, subject: str, body: bytes, *, head: bytes = b"", reply: str = "", shown: str = "") -> bool:
        """Send to whoever listens to `subject`, as if it came on `shown`; whether anybody does."""
        told = False
        shown = shown or subject
        for pattern in _patterns(subject):
            for session, number in self._listeners.get(pattern, {}).items():
                told = True
                back = f" {reply}" if reply else ""
                if head:
                    line = f"HMSG {shown} {number}{back} {len(head)} {len(head) + len(body)}\r\n"
                else:
                    line = f"MSG {shown} {number}{back} {len(body)}\r\n"
                session.link.at_client.send(line.encode() + head + body + b"\r\n")
        return told


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.partition(b":")
    return name.decode().strip(), value.decode().strip()


def _patterns(subject: str) -> tuple[str, ...]:
    """What a client of ours may listen to it by."""
    return subject, subject.rpartition(".")[0] + ".*", ".".join(subject.split(".", 2)[:2]) + ".>"
