"""Interceptors: what a message is taken for before it becomes one that agents answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from hayai.event import Event
    from hayai.tier import Tier
    from hayai.vocabulary.messages import MessageReceived

GROUP = "hayai.interceptors"


class Interceptor(ABC):
    """Asked by a channel about each message, before anybody else hears of it; built with nothing.

    An entry point of the group `hayai.interceptors`, of the same name as the agent that it belongs to: the tier file's
    `agents` turn both on, in that order.
    """

    publishes: ClassVar[tuple[type[Event], ...]]
    """What it may make of a message."""

    @abstractmethod
    async def intercept(self, received: MessageReceived, *, id: str, tenant: str, tier: Tier) -> Event | None:  # noqa: A002 - CloudEvents' word
        """What is published in the message's place under its `id`; None leaves it to the agents.

        The same whenever it comes again: networks repeat themselves, and at several replicas at once.
        The customer waits for it. Raises Unavailable, after which the network brings the message again.
        """
