"""Secrets of tier 1: a file of NAME=value lines that only its owner may read."""

from __future__ import annotations

import asyncio
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dotenv.parser import parse_stream
from pydantic import Field

from hayai.errors import SettingsError
from hayai.ports import base
from hayai.ports.secrets import Secrets

if TYPE_CHECKING:
    from dotenv.parser import Binding

_PREFIX = "HAYAI_SECRET_"


class DotenvSettings(base.Settings):
    """The `[secrets]` table of a tier file with `adapter = "dotenv"`."""

    file: str = Field(default=".env", min_length=1, description="the file of NAME=value lines, from where you start")


class DotenvSecrets(Secrets):
    """Reads the file anew each time, so that an edit counts at once; no file at all is an empty one.

    The secret `chat-key` is the line `chat-key=...` or, as shells can say it, `CHAT_KEY=...`.
    The environment variable HAYAI_SECRET_CHAT_KEY goes before the file; no other variable is ever taken for a secret.
    Quotes and escapes are python-dotenv's; `$` means nothing.
    """

    Settings: ClassVar[type[base.Settings]] = DotenvSettings

    def __init__(self, settings: DotenvSettings) -> None:
        self._file = Path(settings.file)

    async def start(self) -> None:
        """Read the file once. Raises SettingsError where others may read it too, or where a line is malformed."""
        await asyncio.to_thread(_lines, self._file)

    async def _read(self, name: str) -> str | None:
        shell = re.sub(r"[.-]", "_", name).upper()
        if given := os.environ.get(_PREFIX + shell):
            return given
        held = await asyncio.to_thread(_lines, self._file)
        return held.get(name, held.get(shell))

    def place(self) -> str:
        """The file."""
        return f"the file {self._file}"


def _lines(file: Path) -> dict[str, str]:
    """The file's names and values. Raises SettingsError, which tells a line by its number and never its content."""
    held: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(_text(file))):
        line = _number(binding)
        if binding.error or (binding.key is not None and binding.value is None):
            raise SettingsError(f"Line {line} of {file} is not NAME=value: correct it, or put # before it.")
        if binding.key is not None:
            if binding.key in held:
                raise SettingsError(f"Line {line} of {file} gives {binding.key} a second time: remove one of the two.")
            held[binding.key] = binding.value or ""
    return held


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            mode = os.fstat(opened.fileno()).st_mode & 0o777
            if mode & 0o077:
                raise SettingsError(f"Others may read or write {file} (mode {mode:04o}): run `chmod 600 {file}`.")
            return opened.read()
    except FileNotFoundError:
        return ""
    except OSError as unread:
        raise SettingsError(f"The file {file} cannot be read: {unread.strerror}.") from None
    except UnicodeDecodeError as unread:
        raise SettingsError(f"The file {file} is not UTF-8 at byte {unread.start}: save it as UTF-8.") from None


def _number(binding: Binding) -> int:
    """The line where the binding itself begins: python-dotenv counts the empty lines before it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
