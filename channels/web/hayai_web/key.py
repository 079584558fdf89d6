"""The key that signs sessions, made once and kept in a file that only this user can read."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from hayai.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "web-session.key"
_LENGTH = 64


def kept_key(folder: Path) -> bytes:
    """The key in `folder`, made there if it is missing; two processes that start at once get the same one.

    Blocks: call it in a thread. Raises SettingsError where the folder cannot be used or the file is not a key.
    """
    path = folder / _FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        with path.open("rb") as file:
            mode, key = os.fstat(file.fileno()).st_mode, file.read().strip()
    except OSError as wrong:
        raise SettingsError(
            f"The chat's session key cannot be kept in {folder} ({wrong.strerror}): make the folder writable, set "
            "`data` under [channel.web] to another one, or give `session_key`."
        ) from None
    if mode & 0o007:
        raise SettingsError(
            f"Anybody on this machine can read {path} and sign sessions with it: run `chmod 600 {path}`, or delete it, "
            "and a new one is made; open chats begin anew."
        )
    if len(key) < _LENGTH:
        raise SettingsError(f"{path} is no session key: delete it, and a new one is made; open chats begin anew.")
    return key


def _make(path: Path) -> None:
    """Write the whole key aside, then link it into place: the first to do so wins, and nobody reads half a key."""
    aside = path.with_suffix(f".{secrets.token_hex(8)}")
    aside.touch(mode=0o600)
    try:
        aside.write_text(secrets.token_hex(_LENGTH // 2))
        with suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink()
