"""The memory twins of conversations and identity keep to the same contracts as the real ones."""

from __future__ import annotations

import pytest

from hayai.testing.conversations import ConversationsContract
from hayai.testing.identity import IdentityContract
from hayai.testing.memory_conversations import MemoryConversations
from hayai.testing.memory_identity import MemoryIdentity


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
