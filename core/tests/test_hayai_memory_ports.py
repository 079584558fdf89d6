"""The memory twins of conversations, identity and people keep to the same contracts as the real ones."""

from __future__ import annotations

import pytest

from hayai.testing.consents import ConsentsContract
from hayai.testing.conversations import ConversationsContract
from hayai.testing.identity import IdentityContract
from hayai.testing.memory_consents import MemoryConsents
from hayai.testing.memory_conversations import MemoryConversations
from hayai.testing.memory_identity import MemoryIdentity
from hayai.testing.memory_people import MemoryPeople
from hayai.testing.people import PeopleContract


class TestMemoryConversations(ConversationsContract):
    """Held to the contract."""

    @pytest.fixture
    def conversations(self) -> MemoryConversations:
        """An empty one."""
        return MemoryConversations()


class TestMemoryIdentity(IdentityContract):
    """Held to the contract."""

    @pytest.fixture
    def identity(self) -> MemoryIdentity:
        """An empty one."""
        return MemoryIdentity()


class TestMemoryPeople(PeopleContract):
    """Held to the contract."""

    @pytest.fixture
    def people(self) -> MemoryPeople:
        """One that knows nobody."""
        return MemoryPeople()


class TestMemoryConsents(ConsentsContract):
    """The twin is held to what the adapters are held to."""

    @pytest.fixture
    def consents(self) -> MemoryConsents:
        """One that was told nothing yet."""
        return MemoryConsents()
