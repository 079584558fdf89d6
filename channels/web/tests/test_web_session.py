"""Sessions and the key that signs them."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hayai.errors import KeyNotOpaque, SettingsError
from hayai_web.key import kept_key
from hayai_web.session import SessionEnded, Sessions

if TYPE_CHECKING:
    from pathlib import Path

    from hayai.testing.clock import MovableClock


def test_what_was_signed_is_read_again(clock: MovableClock) -> None:
    """Tenant, visitor, conversation and expiry come back."""
    sessions = Sessions(b"key", lifetime=timedelta(days=1), clock=clock)
    session = sessions.begin("smile-dental")
    assert sessions.read(sessions.sign(session), tenant="smile-dental") == session


def test_two_visitors_have_nothing_in_common(clock: MovableClock) -> None:
    """Ids are random."""
    sessions = Sessions(b"key", lifetime=timedelta(days=1), clock=clock)
    one, two = sessions.begin("smile-dental"), sessions.begin("smile-dental")
    assert len({one.visitor, one.conversation, two.visitor, two.conversation}) == 4


def test_every_changed_character_is_noticed(clock: MovableClock) -> None:
    """No part of a signed session can be exchanged."""
    sessions = Sessions(b"key", lifetime=timedelta(days=1), clock=clock)
    signed = sessions.sign(sessions.begin("smile-dental"))
    for place, character in enumerate(signed):
        changed = signed[:place] + ("0" if character != "0" else "1") + signed[place + 1 :]
        with pytest.raises(SessionEnded):
            sessions.read(changed, tenant="smile-dental")


def test_a_tenant_that_could_break_the_form_begins_no_session(clock: MovableClock) -> None:
    """A dot would shift the parts."""
    with pytest.raises(KeyNotOpaque):
        Sessions(b"key", lifetime=timedelta(days=1), clock=clock).begin("smile.dental")


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """The folder is made as well; the second start finds the first one's key."""
    folder = tmp_path / "data" / "deeper"
    key = kept_key(folder)
    assert len(key) == 64
    assert kept_key(folder) == key
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    """Nobody signs with a key that is thrown away, and nobody reads half of one."""
    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(kept_key, [tmp_path] * 64))) == 1


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """The sentence says what to change."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"cannot be kept in .*file.*: make the folder writable, set `data`"):
        kept_key(tmp_path / "file")


def test_a_damaged_key_is_not_signed_with(tmp_path: Path) -> None:
    """An empty file would sign everybody's session alike."""
    (tmp_path / "web-session.key").write_text("short")
    (tmp_path / "web-session.key").chmod(0o600)
    with pytest.raises(SettingsError, match="is no session key: delete it"):
        kept_key(tmp_path)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o666])
def test_a_key_that_anybody_can_read_is_not_signed_with(tmp_path: Path, mode: int) -> None:
    """A copy of the folder may have opened it; the sentence says how to close it."""
    kept_key(tmp_path)
    (tmp_path / "web-session.key").chmod(mode)
    with pytest.raises(SettingsError, match=r"chmod 600 .*web-session\.key"):
        kept_key(tmp_path)
