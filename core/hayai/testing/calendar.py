"""CalendarContract: what every calendar keeps.

Subclass it in a test module that has the fixture `calendar`: the adapter, started, built with the fixture `clock`
(hayai.testing.clock.MovableClock, which comes with the pytest plugin). Each test installs a practice of its own.
"""

from __future__ import annotations

from hayai.testing.calendar_changes import ChangeContract
from hayai.testing.calendar_holds import HoldContract
from hayai.testing.calendar_offers import OfferContract


class CalendarContract(OfferContract, HoldContract, ChangeContract):
    """All of it: offers and refusals, holds, changes."""
