"""Clockjump: processes whose clock on the wall is moved while they run, by libfaketime in front of their libc.

What counts seconds (the monotonic clock) is left alone, as it is when somebody sets a machine's clock. Go's programs
ask the kernel past the libc: nats-server's clock cannot be moved so.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

_CACHE_SECONDS = 1
"""A process looks for a jump when more than that many whole seconds have passed: looking costs more than the work."""
LATEST = 2.0
"""Seconds after which a jump has reached every process."""


class WallClock:
    """A clock of its own for some processes; right until it jumps. A context manager."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="hayai-clock-")
        self._file = Path(self._folder.name) / "offset"

    def __enter__(self) -> Self:
        """Go right."""
        Path(self._folder.name).chmod(0o755)  # Postgres runs as somebody else
        self.jump(0)
        return self

    def __exit__(self, *_: object) -> None:
        """Forget it; the processes must have ended."""
        self._folder.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a process is started that shall go by this clock."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(_CACHE_SECONDS),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    def jump(self, seconds: int) -> None:
        """Be that much ahead of the machine's clock, or behind it; everybody knows after LATEST seconds."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.rename(self._file)


def _library() -> Path:
    """The shared object in the wheel `libfaketime`, whose Python is not loaded."""
    spec = find_spec("libfaketime")
    assert spec is not None, "install the wheel: `make install`"
    assert spec.origin is not None
    return Path(spec.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
