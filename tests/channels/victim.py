"""A replica that kills itself at one point of the way of a text, or tells which points it passed.

`python -m tests.channels.victim FOLDER [POINT]` is `hayai run` with a call written around every await of `ROOMS`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.chaos import points
from tests.chaos.oracle import Oracle

ROOMS = (
    "hayai.channel",
    "hayai.consent",
    "hayai.ledger.desk",
    "hayai.ledger.effects",
    "hayai_postgres.consents",
    "hayai_postgres.conversations",
    "hayai_postgres.people",
    "hayai_receptionist.agent",
    "hayai_twilio.",
)
"""From the webhook to the report that the answer arrived; bus and ledger are broken by make chaos."""


def main(folder: str, point: str = "") -> None:
    """Run until SIGTERM, or until that point."""
    points.watch_imports(ROOMS)
    from hayai.cli.main import app

    oracle = Oracle(Path(folder))
    points.arm(oracle, point, 1, traced=not point)
    try:
        app(["run"])
    finally:
        points.tell(oracle)


if __name__ == "__main__":
    main(*sys.argv[1:])
