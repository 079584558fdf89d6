"""Secrets: read a secret by name."""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from typing import ClassVar

from pydantic import SecretStr

from hayai.errors import SecretMissing, Unavailable
from hayai.ports.base import Adapter

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z")


class Secrets(Adapter):
    """Where passwords and keys are kept.

    A secret is one string, not empty; its name is 1 to 128 of `A-Za-z0-9_.-`, so that it is never a path.
    An adapter writes `_read` and `place`: names, deadline, second tries and wrapping are kept here.
    """

    deadline: ClassVar[float] = 10.0
    """Seconds that one read may take in all."""
    pauses: ClassVar[tuple[float, ...]] = (0.2, 0.5)
    """Seconds to wait before each further try where the store does not answer."""

    async def read(self, name: str) -> SecretStr:
        """The secret called `name`. Raises SecretMissing (naming it), Unavailable, or PermanentError where refused."""
        if _NAME.match(name) is None:  # not repeated in the sentence: it may be a secret given by mistake
            raise SecretMissing("That is no name of a secret: use 1 to 128 letters, digits, '_', '-' or '.'.")
        try:
            async with asyncio.timeout(self.deadline):
                found = await self._patiently(name)
        except TimeoutError:
            raise Unavailable(
                f"The secret {name!r} did not come from {self.place()} within {self.deadline:g} s: is it up?"
            ) from None
        if not found:
            raise SecretMissing(f"There is no secret {name!r} in {self.place()}: store it there, or correct the name.")
        return SecretStr(found)

    async def _patiently(self, name: str) -> str | None:
        for pause in self.pauses:
            try:
                return await self._read(name)
            except Unavailable:
                await asyncio.sleep(pause)
        return await self._read(name)

    @abstractmethod
    async def _read(self, name: str) -> str | None:
        """The secret as stored, None where there is none. Raises Unavailable, or PermanentError where refused."""

    @abstractmethod
    def place(self) -> str:
        """Where the secrets are, for an error's sentence; holds no secret itself."""
