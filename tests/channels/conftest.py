"""The real servers of an install that a storm goes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hayai.testing.bus_install import Servers, installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hayai.testing.postgres_server import PostgresServer


@pytest.fixture
def servers(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Servers]:
    """NATS and Postgres, with every table."""
    with installed(postgres_server, tmp_path) as standing:
        yield standing
