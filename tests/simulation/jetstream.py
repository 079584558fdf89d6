"""SimulatedJetStream: streams that keep each id once, and the API on $JS.API, as nats-server 2.15 answers it."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.simulation.durable import DurableModel

if TYPE_CHECKING:
    from tests.simulation.nats_server import SimulatedNats
    from tests.simulation.world import World

_EXISTS = {"code": 400, "err_code": 10012, "description": "deliver policy can not be updated"}
_NO_CONSUMER = {"code": 404, "err_code": 10014, "description": "consumer not found"}
_NO_STREAM = {"code": 404, "err_code": 10059, "description": "stream not found"}
_GAP = {"code": 400, "err_code": 10176, "description": "batch publish sequence is missing"}
_TWICE = {"code": 400, "err_code": 10201, "description": "batch publish contains duplicate message id"}
_FIXED = ("deliver_policy", "opt_start_seq", "filter_subject", "ack_policy")


@dataclass
class Stored:
    """One message in a stream."""

    sequence: int
    subject: str
    id: str
    body: bytes
    time: int


@dataclass
class StreamModel:
    """One stream."""

    config: dict[str, Any]
    created: str
    last: int = 0
    messages: dict[int, Stored] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    consumers: dict[str, DurableModel] = field(default_factory=dict)

    @property
    def info(self) -> dict[str, Any]:
        """What STREAM.INFO says."""
        first = min(self.messages, default=self.last + 1)
        state = {"messages": len(self.messages), "bytes": 0, "first_seq": first, "last_seq": self.last}
        return {"config": self.config, "created": self.created, "state": state}


class SimulatedJetStream:
    """The streams of one server."""

    def __init__(self, world: World, server: SimulatedNats) -> None:
        self.streams: dict[str, StreamModel] = {}
        self._world = world
        self._server = server
        self._batches: dict[str, list[tuple[str, bytes, str]]] = {}
        self._ingested: dict[str, int] = {}
        """How many members of each batch were stored as they came."""

    def takes(self, subject: str) -> bool:
        """Whether a stream listens to it."""
        return self._stream_of(subject) is not None

    def tick(self) -> None:
        """Look after what is overdue."""
        for stream in self.streams.values():
            for consumer in stream.consumers.values():
                consumer.tick()

    def crash(self) -> None:
        """Lose what is kept in memory alone."""
        self._batches.clear()
        self._ingested.clear()
        for stream in self.streams.values():
            for consumer in stream.consumers.values():
                consumer.crash()

    def wipe(self, name: str) -> None:
        """Delete a stream and all in it."""
        if (stream := self.streams.pop(name, None)) is not None:
            for consumer in stream.consumers.values():
                consumer.end()

    def delete_consumer(self, stream: str, name: str) -> bool:
        """Delete a consumer; whether it was there."""
        found = self.streams[stream].consumers.pop(name, None) if stream in self.streams else None
        if found is not None:
            self._world.note(f"consumer {name} is deleted")
            found.end()
        return found is not None

    def hear(self, subject: str, body: bytes, headers: dict[str, str], reply: str) -> bool:
        """What a client sent; False where nobody is there for it."""
        if subject.startswith("$JS.ACK."):
            _, _, stream, name, _, sequence, *_ = subject.split(".")
            consumer = self._consumer(stream, name)
            if consumer is not None:
                consumer.answered(int(sequence), body)
            return True
        if subject.startswith("$JS.API."):
            return self._asked(subject.split(".", 5)[2:], body, reply)
        answer = self._ingest(subject, body, headers, reply) or self._store(subject, body, headers)
        if answer and reply:
            self._server.tell(reply, json.dumps(answer, separators=(",", ":")).encode())
        return True

    def _stream_of(self, subject: str) -> StreamModel | None:
        prefix = subject.partition(".")[0]
        for stream in self.streams.values():
            if any(each.startswith(f"{prefix}.") for each in stream.config["subjects"]):
                return stream
        return None

    def _consumer(self, stream: str, name: str) -> DurableModel | None:
        return self.streams[stream].consumers.get(name) if stream in self.streams else None

    def _ingest(self, subject: str, body: bytes, headers: dict[str, str], reply: str) -> dict[str, Any] | None:
        """A member of a batch that is stored as it arrives; what the last one, or a gap, is answered with."""
        if not reply.endswith(".$FI"):
            return None
        batch, _, _, place, operation, _ = reply.rsplit(".", 6)[1:]
        if operation == "0":
            self._ingested[batch] = 0
        if self._ingested.get(batch) != int(place) - 1:
            self._ingested.pop(batch, None)
            return {"error": _GAP}
        self._store(subject, body, headers)
        self._ingested[batch] += 1
        if operation != "2":
            return {"type": "ack"}
        return {"type": "pub", "batch": batch, "count": self._ingested.pop(batch)}

    def _store(self, subject: str, body: bytes, headers: dict[str, str]) -> dict[str, Any] | None:
        stream = self._stream_of(subject)
        assert stream is not None
        identity = headers.get("Nats-Msg-Id", "")
        batch = headers.get("Nats-Batch-Id")
        if batch is not None:
            self._batches.setdefault(batch, []).append((subject, body, identity))
            if "Nats-Batch-Commit" not in headers:
                return None
            members = self._batches.pop(batch)
            ids = [each[2] for each in members]
            if len(members) != int(headers["Nats-Batch-Sequence"]) or any(each in stream.ids for each in ids):
                return {"error": _TWICE}
            for each in members:
                self._keep(stream, *each)
        elif identity and identity in stream.ids:
            return {"stream": stream.config["name"], "seq": stream.ids[identity], "duplicate": True}
        else:
            self._keep(stream, subject, body, identity)
        for consumer in stream.consumers.values():
            consumer.deliver()
        return {"stream": stream.config["name"], "seq": stream.last}

    def _keep(self, stream: StreamModel, subject: str, body: bytes, identity: str) -> None:
        stream.last += 1
        place = _partitioned(stream.config, subject)
        at = int((1_000_000 + self._world.now) * 1e9) + stream.last
        stream.messages[stream.last] = Stored(stream.last, place, identity, body, at)
        if identity:
            stream.ids[identity] = stream.last

    def _asked(self, words: list[str], body: bytes, reply: str) -> bool:
        verb = ".".join(words[:2]) if words[0] in {"STREAM", "CONSUMER"} else words[0]
        if verb == "CONSUMER.MSG":
            stream, _, name = words[-1].partition(".")
            consumer = self._consumer(stream, name)
            if consumer is None:
                return False
            try:
                consumer.asked(json.loads(body), reply)
            except json.JSONDecodeError:
                self._server.tell(reply, b"", head=b"NATS/1.0 400 Bad Request\r\n\r\n")
            return True
        request = json.loads(body or b"{}")
        answer = self._stream_api(verb, words, request) or self._consumer_api(verb, words[2], words[3:], request)
        self._server.tell(reply, json.dumps(answer).encode())
        return True

    def _stream_api(self, verb: str, words: list[str], request: dict[str, Any]) -> dict[str, Any] | None:
        if verb == "STREAM.INFO":
            return self.streams[words[2]].info if words[2] in self.streams else {"error": _NO_STREAM}
        if verb == "STREAM.CREATE":
            return self.streams.setdefault(words[2], StreamModel(request, f"at {self._world.now}")).info
        return None

    def _consumer_api(self, verb: str, stream: str, rest: list[str], request: dict[str, Any]) -> dict[str, Any]:
        if stream not in self.streams:
            return {"error": _NO_STREAM}
        name = rest[0].split(".")[0]
        found = self.streams[stream].consumers.get(name)
        if verb == "CONSUMER.INFO":
            return found.info if found else {"error": _NO_CONSUMER}
        if verb == "CONSUMER.DELETE":
            return {"success": True} if self.delete_consumer(stream, name) else {"error": _NO_CONSUMER}
        assert verb == "CONSUMER.CREATE", verb
        config = {**request["config"], "name": name}
        if found is None:
            found = DurableModel(self._world, self._server, self.streams[stream], config)
            self.streams[stream].consumers[name] = found
            self._world.note(f"consumer {name} is made, from {found.next}")
        elif any(found.config.get(each) != config.get(each) for each in _FIXED):
            return {"error": _EXISTS}
        found.config = config
        return found.info


def _partitioned(config: dict[str, Any], subject: str) -> str:
    """The subject as the stream's transform makes it."""
    transform = config.get("subject_transform")
    if not transform:
        return subject
    partitions = int(transform["dest"].split("partition(")[1].split(",")[0])
    prefix, tenant, key, rest = subject.split(".", 3)
    return f"{prefix}.{zlib.crc32(f'{tenant}{key}'.encode()) % partitions}.{tenant}.{key}.{rest}"
