"""Standing: the processor's time of 200 subscriptions with nothing to do, and the memory of a worker at work."""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from bench.figures import Figure, Need
from bench.plan import titled
from bench.run import interleaved, run
from bench.servers import nats_server, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.plan import Plan
    from bench.servers import Sync

_SUBSCRIPTIONS = 200
_SECONDS = 5.0
"""As often as the server says that it is there, so that each round sees that once for each subscription."""
_KEYS = 10_000
_STEADY = 1000
"""Events a second of a soak."""
_OWN, _RAW, _FASTSTREAM = "hayai", "raw standing loop", "FastStream PullSub(500)"
_IDLE = {_OWN: "hayai.idle", _FASTSTREAM: "faststream.idle"}
_BACKLOG = {_OWN: "hayai.backlog", _RAW: "raw.backlog"}


def idle(plan: Plan, sync: Sync) -> list[Figure]:
    """The share of a core."""
    names = [f"idle_{number}" for number in range(_SUBSCRIPTIONS)]
    with nats_server(sync) as server:
        run("hayai.found", url=server.url, names=[])
        found = interleaved(
            {label: partial(_idle, server.url, side, names) for label, side in _IDLE.items()},
            plan.rounds,
            progress=plan.progress,
        )
    what = titled(f"idle, {_SUBSCRIPTIONS} subscriptions", sync)
    own, peer = median(found[_OWN]), median(found[_FASTSTREAM])
    return [Figure(what, own, "% of a core", _FASTSTREAM, peer, Need(value=0.5))]


def _idle(url: str, side: str, names: Sequence[str], _turn: int) -> float:
    durables = [f"{side.replace('.', '_')}_{name}" for name in names]
    return float(run(side, url=url, names=durables, seconds=_SECONDS)["share"])


def memory(plan: Plan, sync: Sync) -> list[Figure]:
    """The most memory, and how much it grew over the second half of the backlog."""
    with nats_server(sync) as server:
        run("hayai.found", url=server.url, names=[_name(turn) for turn in range(plan.rounds)])
        run("hayai.publish", url=server.url, events=plan.backlog, keys=_KEYS)
        found = interleaved(
            {label: partial(_backlog, server.url, plan.backlog, side) for label, side in _BACKLOG.items()},
            plan.rounds,
            progress=plan.progress,
        )
    what = titled(f"memory, {_KEYS:,} keys, a backlog of {plan.backlog:,}", sync)
    (most, growth), (raw, raw_growth) = (_medians(found[label]) for label in (_OWN, _RAW))
    return [
        Figure(what, most, "MB", _RAW, raw, Need(value=200, gated=False)),
        Figure(f"{what}, growth over the second half", growth, "MB", _RAW, raw_growth),
    ]


def soak(plan: Plan, sync: Sync) -> list[Figure]:
    """The same where events come at a steady rate for as long as the plan says; once, and beside nobody."""
    with nats_server(sync) as server:
        run("hayai.found", url=server.url, names=[])
        plan.progress(f"{plan.soak:g} s")
        events = int(_STEADY * plan.soak)
        used = run("soak.hayai", url=server.url, name="bench_soak", rate=_STEADY, events=events, keys=_KEYS)
    what = titled(f"memory, {_KEYS:,} keys, {plan.soak:g} s of {_STEADY:,}/s", sync)
    return [
        Figure(what, used["most"], "MB", need=Need(value=200, gated=False)),
        Figure(f"{what}, growth over the second half", used["growth"], "MB"),
    ]


def _backlog(url: str, events: int, side: str, turn: int) -> dict[str, float]:
    name = _name(turn) if side == _BACKLOG[_OWN] else f"raw_{turn}"
    used = run(side, url=url, name=name, events=events)
    settle(url, f"{name}_0" if side == _BACKLOG[_OWN] else name, events)
    return used


def _medians(found: Sequence[dict[str, float]]) -> tuple[float, float]:
    return median(each["most"] for each in found), median(each["growth"] for each in found)


def _name(turn: int) -> str:
    return f"bench_{turn}"
