"""Where Postgres lives when root starts it: data and programs must be within reach of another user."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hayai.local.place import Place, find_place, may_enter

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root's Postgres runs as another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A data folder yet to be made, where another user may pass, as not in pytest's own."""
    base = Path(tempfile.mkdtemp(prefix="hayai-local-"))
    base.chmod(0o755)
    yield base / "data"
    shutil.rmtree(base)


def _found_twice(closed: Path, base: Path) -> Place:
    """The place for a new folder, the same when it is asked for again; the folder is deleted."""
    closed.mkdir(mode=0o700, parents=True)
    place = find_place(closed, base=base)
    assert find_place(closed, base=base).home == place.home
    shutil.rmtree(closed)
    return place


def test_a_deleted_folder_does_not_take_up_the_old_database_again(tmp_path: Path) -> None:
    """Who removes the data folder by hand starts anew; what was kept outside is named, and left to them."""
    closed = tmp_path / "data"
    places = [_found_twice(closed, tmp_path) for _ in range(2)]
    place = places[-1]
    older = sorted(tmp_path.glob("hayai-*"))
    assert len(older) == 2
    assert place.note
    assert str(next(each for each in older if each != place.home)) in place.note


def test_binaries_in_a_closed_environment_are_copied_once(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment below a folder of mode 0700 is closed to `nobody`: a copy in the data folder runs."""
    real = find_place(_made(open_folder)).binaries
    closed = _made(open_folder.parent / "closed") / "pginstall"
    shutil.copytree(real.parent, closed, symlinks=True)
    closed.parent.chmod(0o700)
    monkeypatch.setattr("hayai.local.place._wheel", lambda: closed / "bin")
    copied = find_place(open_folder).binaries
    assert copied != closed / "bin"
    assert may_enter(copied, "nobody")
    assert (copied / "postgres").exists()
    assert find_place(open_folder).binaries == copied


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o755)
    return folder
