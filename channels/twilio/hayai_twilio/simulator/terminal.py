"""SimulatedTexting: `hayai simulate sms`, a telephone in a terminal."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from hayai.errors import SettingsError, Unavailable
from hayai.simulators import Simulator
from hayai_twilio.settings import SMSSettings
from hayai_twilio.simulator.account import Account
from hayai_twilio.simulator.line import THEIRS, Line
from hayai_twilio.simulator.twilio import SimulatedTwilio, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from hayai.ports.base import Settings
    from hayai_twilio.simulator.account import Message

_HERE = re.compile(r"http://127\.0\.0\.1:(?P<port>[0-9]{1,5})\Z")
_QUIET = 4.0
"""Seconds without an answer after which none is waited for."""
_SAID = {
    0: "nobody answers at {door}: is Hayai running?",
    403: "the signature was refused: `public_url` and `auth_tokens` of a running Hayai are other ones than here",
    404: "there is no text channel at {door}: start Hayai with this tier file",
}


class SimulatedTexting(Simulator):
    """One customer, who texts to the first of the channel's numbers."""

    def __init__(self, settings: Settings) -> None:
        assert isinstance(settings, SMSSettings), "the settings of this package's channel"
        self._settings = settings

    async def run(self, door: str, *, say: Callable[[str], None], typed: AsyncIterator[str]) -> None:
        """Text what is typed; see hayai.simulators.Simulator.run."""
        port = self._port()
        ours = next(iter(self._settings.numbers))
        origin = self._settings.public_url or door
        spoken = asyncio.Event()

        def hear(message: Message) -> None:
            say(f"{message.sender}: {message.body}")
            spoken.set()

        twilio = SimulatedTwilio(self._account(), via=lambda url: url.replace(origin, door, 1), arrived=hear)
        async with serving(twilio, port=port):
            say(f"You are {THEIRS} and write to {ours}. Type, and press Enter; Ctrl-D ends it.")
            async for text in typed:
                _check(await Line(twilio, origin).text(text, to=ours), door)
            await _quiet(spoken)

    def _port(self) -> int:
        found = _HERE.match(self._settings.api_url)
        if found is None:
            raise SettingsError(
                "The text channel is set up for Twilio itself, and not for the simulator: set `api_url` under "
                "[channel.sms] to an address of this machine, such as http://127.0.0.1:8281, and start Hayai again."
            )
        return int(found["port"])

    def _account(self) -> Account:
        if not self._settings.auth_tokens:
            raise SettingsError(
                "[channel.sms] has no `auth_tokens`: invent one for the simulator, and start Hayai again."
            )
        numbers = frozenset(self._settings.numbers)
        return Account(self._settings.account_sid, self._settings.auth_tokens[0].get_secret_value(), numbers)


def _check(status: int, door: str) -> None:
    """Raises Unavailable where the text was not taken."""
    if status != 200:  # noqa: PLR2004 - HTTP's word for taken
        said = _SAID.get(status, f"it answered {status}; its log says why")
        raise Unavailable(f"The text was not taken: {said.format(door=door)}.")


async def _quiet(spoken: asyncio.Event) -> None:
    """Return when nothing was heard for a while."""
    while True:
        spoken.clear()
        try:
            async with asyncio.timeout(_QUIET):
                await spoken.wait()
        except TimeoutError:
            return
