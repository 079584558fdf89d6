"""Run: one seed, with every source of chance and time that the product reaches for put under the seed."""

from __future__ import annotations

import gc
import logging
import random
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import patch

import nats.aio.client
import nats.nuid

import hayai.tokens
from tests.simulation.scene import Scene
from tests.simulation.wire import SimulatedTransport
from tests.simulation.world import Broken

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from tests.simulation.world import World


@dataclass
class Result:
    """What came of one seed."""

    seed: int
    wrong: str
    """What does not hold; empty where all does."""
    sum: int
    """Of the history: the same whenever the seed is run."""
    events: int
    seconds: float
    callbacks: int
    excused: int
    faults: Counter[str]
    history: list[str] = field(default_factory=list)


class _Errors(logging.Handler):
    """What the product itself calls an error is one, unless a handler's manner asks for it."""

    def __init__(self, told: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._told.append(record.getMessage())


def run(seed: int) -> Result:
    """Run one seed; never raises for what the seed finds."""
    told: list[str] = []
    with _under(scene := Scene(seed), told):
        wrong = ""
        try:
            scene.run()
            wrong = f"an error was logged: {told[0]}" if told else ""
        except Broken as broken:
            wrong = str(broken)
        except Exception as defect:  # of the simulation itself, and told as such
            wrong = f"the simulation failed: {defect!r}"
            logging.getLogger(__name__).exception("seed %d", seed)
        world = scene.world
        result = Result(
            seed=seed,
            wrong=wrong,
            sum=world.noted,
            events=len(scene.oracle.acknowledged),
            seconds=world.now,
            callbacks=sum(each.loop.callbacks for each in [*world.processes, *world.buried]),
            excused=scene.oracle.excused,
            faults=scene.faults,
            history=list(world.history),
        )
        world.end()
    return result


@cache
def _set_aside() -> None:
    """What was imported stays: a collection after each seed need not look at it."""
    gc.freeze()


@contextmanager
def _under(scene: Scene, told: list[str]) -> Iterator[None]:
    """Chance, time and the network are the scene's; no garbage is collected in the middle."""
    world = scene.world
    random.seed(scene.seed)
    logger = logging.getLogger("hayai")
    errors = _Errors(told)
    _set_aside()
    gc.disable()
    logger.addHandler(errors)
    with ExitStack() as stack:
        for target, name, stand_in in _stand_ins(world):
            stack.enter_context(patch.object(target, name, stand_in))
        try:
            yield
        finally:
            logger.removeHandler(errors)
            gc.enable()
            gc.collect()


def _stand_ins(world: World) -> list[tuple[object, str, object]]:
    chance = world.random
    return [
        (nats.aio.client, "TcpTransport", SimulatedTransport),
        (nats.aio.client, "time", SimpleNamespace(monotonic=lambda: world.now)),
        (nats.aio.client, "token_hex", lambda size: chance.randbytes(size).hex()),
        (nats.nuid, "token_bytes", chance.randbytes),
        (nats.nuid, "randbelow", chance.randrange),
        (hayai.tokens, "secrets", SimpleNamespace(token_hex=lambda size: chance.randbytes(size).hex())),
        (hayai.tokens, "_ready", []),
    ]
