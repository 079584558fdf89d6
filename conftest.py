"""What every test of the workspace runs under: no blocking call of ours inside the event loop."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blockbuster import blockbuster_ctx

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent
PACKAGES = sorted(
    found.parent.name
    for room in ("core", "adapters/*", "agents/*", "channels/*")
    for found in ROOT.glob(f"{room}/hayai*/__init__.py")
    if importlib.util.find_spec(found.parent.name)
)


@pytest.fixture(autouse=True)
def blocking_calls_are_errors() -> Iterator[None]:
    """A sleep, a file or a socket that blocks the loop inside our packages raises BlockingError.

    The test kit (hayai.testing) is left out: it starts and ends servers, and its waiting is the test's.
    """
    with blockbuster_ctx(scanned_modules=PACKAGES, excluded_modules=["hayai.testing"]):
        yield
