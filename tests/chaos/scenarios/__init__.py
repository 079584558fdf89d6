"""The scenarios by name, in the order in which they run: a new one is a module here and a line in `SCENARIOS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.scenarios import (
    broker,
    clock,
    cluster,
    deaths,
    disk,
    doubles,
    hot,
    hung,
    moving,
    outage,
    plugins,
    poison,
    postgres,
    power,
    slow,
)

if TYPE_CHECKING:
    from tests.chaos.plan import Scenario

SCENARIOS: dict[str, Scenario] = {
    "broker": broker.run,
    "power-broker": power.broker,
    "power-default-sync": power.default,
    "power-postgres": power.postgres,
    "clock": clock.run,
    "disk-broker": disk.broker,
    "disk-postgres": disk.postgres,
    "cluster": cluster.run,
    "postgres": postgres.killed,
    "promotion": postgres.promoted,
    "deaths": deaths.run,
    "outage": outage.run,
    "slow": slow.run,
    "hot": hot.run,
    "moving": moving.run,
    "hung": hung.run,
    "poison": poison.run,
    "plugins": plugins.run,
    "doubles": doubles.run,
}
