"""Line: a door that takes text messages, and the simulated Twilio in front of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayai_twilio.simulator.account import Account

if TYPE_CHECKING:
    from hayai_twilio.simulator.twilio import SimulatedTwilio

ACCOUNT = f"AC{'0' * 31}1"
TOKEN = "simulated-auth-token-of-nobody-00"  # noqa: S105 - known to all, and good for nothing but the simulator
OURS = "+15550100001"
THEIRS = "+15550109999"
"""Numbers that nobody has (https://nationalnanpa.com/number_resource_info/555_numbers.html)."""


def demo_account() -> Account:
    """The account that is simulated where nobody asks for another."""
    return Account(ACCOUNT, TOKEN, frozenset({OURS, f"whatsapp:{OURS}"}))


@dataclass(frozen=True)
class Line:
    """What a customer can do: text, and hear."""

    twilio: SimulatedTwilio
    origin: str
    """The door's public address, as the channel's `public_url` has it."""

    async def text(self, body: str, sid: str | None = None, *, sender: str = THEIRS, to: str = OURS) -> int:
        """Let a customer text; the HTTP status of the door's answer, 0 where there was none."""
        return await self.twilio.calls.text(f"{self.origin}/sms/incoming", sender, to, body, sid)
