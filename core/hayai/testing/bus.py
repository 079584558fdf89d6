"""BusContract: what every engine of the port `bus` keeps to; its parts are the modules beside it."""

from __future__ import annotations

from hayai.testing.bus_expecting import ExpectingContract
from hayai.testing.bus_failing import FailingContract
from hayai.testing.bus_handling import HandlingContract
from hayai.testing.bus_leaving import LeavingContract
from hayai.testing.bus_pieces import PiecesContract
from hayai.testing.bus_refusing import RefusingContract


class BusContract(
    HandlingContract, ExpectingContract, FailingContract, RefusingContract, LeavingContract, PiecesContract
):
    """Inherit, and give three fixtures.

    `bus` is a started bus, stopped after the test; `peer` is another one on the same events, as a second process would
    have it; `plant(subject, body)` stores bytes past the bus's own checks, as a broken publisher would.
    """
