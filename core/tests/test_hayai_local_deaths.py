"""However its parent dies, the local stack leaves no process; and the next start cleans up what it may."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hayai.local.leftovers import end_leftovers
from hayai.local.ports import next_free

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DRIVER = """
import asyncio, json, signal, sys
from pathlib import Path
from hayai.local.ready import write_ready
from hayai.local.stack import LocalStack

async def main(data, ready, *ports):
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ports = dict(zip(("nats", "monitor", "postgres", "web"), map(int, ports)))
    async with LocalStack(Path(data), ports=ports, environment={}) as stack:
        told = stack.urls | {str(n): note for n, note in enumerate(stack.notes)}
        write_ready(Path(ready), urls=told, pids=stack.pids(), data=stack.data, seconds=stack.seconds)
        await stop.wait()

asyncio.run(main(*sys.argv[1:]))
"""


class Run:
    """One driver process, ready to be killed; `told` is its ready file."""

    def __init__(self, base: Path, ports: list[int]) -> None:
        self._ready, self._said = base / "ready.json", base / "said"
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-c", DRIVER, str(base / "data"), str(self._ready), *map(str, ports)]
        with self._said.open("w") as said:
            self.process = subprocess.Popen(command, stderr=said)

    def wait(self) -> None:
        """Return when it is ready."""
        deadline = time.monotonic() + 30
        while not self._ready.exists() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self._ready.exists(), self._said.read_text()
        self.told: dict[str, Any] = json.loads(self._ready.read_text())
        parents = [psutil.Process(pid) for pid in self.told["pids"].values()]
        self.servers = [each for parent in parents for each in [parent, *parent.children(recursive=True)]]

    def end(self, how: signal.Signals) -> int:
        """Send it that, and wait for it and for its servers; returns its exit code."""
        self.process.send_signal(how)
        code = self.process.wait(30)
        _, alive = psutil.wait_procs(self.servers, timeout=20)
        assert not alive
        return code

    def notes(self) -> list[str]:
        """What the stack had to say at the start."""
        return [text for name, text in self.told["urls"].items() if name.isdigit()]


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A folder that another user may pass through, as pytest's own are not; nothing stays of it.

    One for all, to make one database only: every test ends with a clean stop.
    """
    made = Path(tempfile.mkdtemp(prefix="hayai-local-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def start(base: Path) -> Iterator[Callable[[], Run]]:
    """Starts a driver on the folder, each time on the same ports; what a failed test leaves is ended."""
    runs: list[Run] = []
    first = random.randrange(20_000, 30_000)
    ports = [first := next_free(first) for _ in range(4)]

    def begin() -> Run:
        runs.append(Run(base, ports))
        runs[-1].wait()
        return runs[-1]

    yield begin
    for run in runs:
        run.process.terminate()
        run.process.wait(30)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that names the folder on its command line, as a server of the stack does."""
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "marker")], start_new_session=True) as process:
        yield process
        process.kill()


@pytest.mark.fault
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_end_leaves_no_process_and_no_trace_of_a_crash(
    base: Path, start: Callable[[], Run], how: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM end the servers in order; the next start has nothing to say."""
    run = start()
    assert len(run.servers) > 5, "nats-server, the postmaster and its workers"
    assert run.end(how) == 0
    assert not list((base / "data/run").iterdir())
    assert "database system is shut down" in (base / "data/logs/postgres.log").read_text()
    again = start()
    assert again.notes() == []
    again.end(signal.SIGTERM)


@pytest.mark.fault
def test_a_killed_parent_takes_its_servers_along_and_the_next_start_says_so(
    base: Path, start: Callable[[], Run]
) -> None:
    """After SIGKILL the kernel ends nats-server and asks Postgres for a fast shutdown; nothing is left to wait for."""
    run = start()
    assert run.end(signal.SIGKILL) == -signal.SIGKILL
    assert "received fast shutdown request" in (base / "data/logs/postgres.log").read_text()
    again = start()
    assert again.notes() == [f"The last run (pid {run.process.pid}) was killed; its servers had ended with it."]
    assert again.told["urls"]["nats"] == run.told["urls"]["nats"]
    again.end(signal.SIGTERM)


@pytest.mark.fault
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the leftovers are real ones, without this trick")
def test_servers_that_outlive_their_parent_are_ended_by_the_next_start(start: Callable[[], Run]) -> None:
    """Frozen servers cannot follow their parent; the next start ends them, says so, and gets the same ports."""
    run = start()
    for each in run.servers:
        each.suspend()
    run.process.kill()
    run.process.wait()
    assert all(each.is_running() for each in run.servers)
    # They wake up only while the next start is looking for them.
    with subprocess.Popen(["sh", "-c", f"sleep 1; kill -CONT {' '.join(str(each.pid) for each in run.servers)}"]):
        again = start()
    notes = " ".join(again.notes())
    assert f"Ended nats-server (pid {run.told['pids']['nats']}), left over from a run that was killed." in notes
    assert f"Ended postgres (pid {run.told['pids']['postgres']}), left over from a run that was killed." in notes
    assert again.told["urls"]["nats"] == run.told["urls"]["nats"]
    again.end(signal.SIGTERM)


def test_a_leftover_is_known_by_pid_start_time_and_command_line_together(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    """A stranger who has the pid by now, or the same program on another folder, is left alone."""
    started, marker = psutil.Process(sleeper.pid).create_time(), str(tmp_path / "marker")
    right = {"name": "nats-server", "pid": sleeper.pid, "started": started, "marker": marker}
    wrong = [
        right | {"started": started - 60},
        right | {"marker": str(tmp_path / "other")},
        right | {"marker": ""},
        [],
        {},
    ]
    for record in [*wrong, "no json"]:
        (tmp_path / "x.server.json").write_text(record if isinstance(record, str) else json.dumps(record))
        assert end_leftovers(tmp_path, None, killed=None) == []
        assert sleeper.poll() is None
    (tmp_path / "x.server.json").write_text(json.dumps(right))
    (note,) = end_leftovers(tmp_path, None, killed=1)
    assert note == f"Ended nats-server (pid {sleeper.pid}), left over from a run that was killed."
    assert not psutil.pid_exists(sleeper.pid)
    assert not list(tmp_path.glob("*.server.json"))


def test_a_stale_postmaster_file_whose_pid_a_stranger_has_is_removed(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    """Postgres would refuse to start for it; where nobody has the pid, the judgement is left to Postgres."""
    stale = tmp_path / "postmaster.pid"
    stale.write_text(f"{sleeper.pid}\n{tmp_path}\n")
    assert end_leftovers(tmp_path, tmp_path, killed=None) == []
    assert not stale.exists()
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()
    stale.write_text(f"{sleeper.pid}\n{tmp_path}\n")
    end_leftovers(tmp_path, tmp_path, killed=None)
    assert stale.exists()
