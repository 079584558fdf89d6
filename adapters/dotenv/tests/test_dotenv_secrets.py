"""DotenvSecrets against its contract, and what is its own: the file, its mode, its lines, the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hayai.errors import SecretMissing, SettingsError
from hayai.testing.secrets import SecretsContract
from hayai_dotenv.secrets import DotenvSecrets, DotenvSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], DotenvSecrets]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the file, for its owner alone, and get the adapter that reads it."""

    def written(text: str) -> DotenvSecrets:
        file = tmp_path / "secrets.env"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        return DotenvSecrets(DotenvSettings(file=str(file)))

    return written


def quoted(value: str) -> str:
    """The value between single quotes, as python-dotenv reads them."""
    return "'" + re.sub(r"([\\'])", r"\\\1", value) + "'"


class TestDotenvSecrets(SecretsContract):
    """The port's contract."""

    @pytest.fixture
    async def secrets(self, write: Write) -> DotenvSecrets:
        """A file with what the contract asks for."""
        adapter = write("".join(f"{name}={quoted(value)}\n" for name, value in self.stored.items()))
        await adapter.start()
        return adapter


async def test_a_name_may_be_written_as_shells_write_it(write: Write) -> None:
    """`chat-key` is found as CHAT_KEY, with or without export, a comment or quotes."""
    secrets = write('# keys\n\nexport CHAT_KEY = "a b" # of the chat\n')
    assert (await secrets.read("chat-key")).get_secret_value() == "a b"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_a_value_may_have_several_lines_and_the_file_may_come_from_anywhere(write: Write, end: str) -> None:
    """A private key between quotes; an editor may have put a mark of its own before the first line."""
    secrets = write("\ufeffKEY='-----BEGIN-----\nAAAA\n-----END-----'\nNEXT=1\n".replace("\n", end))
    assert (await secrets.read("KEY")).get_secret_value() == "-----BEGIN-----\nAAAA\n-----END-----"
    assert (await secrets.read("NEXT")).get_secret_value() == "1"


async def test_a_link_is_as_safe_as_what_it_leads_to(write: Write, tmp_path: Path) -> None:
    """Orchestrators mount secrets through links: the file's own mode counts."""
    write("KEY=linked")
    (tmp_path / "link.env").symlink_to(tmp_path / "secrets.env")
    secrets = DotenvSecrets(DotenvSettings(file=str(tmp_path / "link.env")))
    assert (await secrets.read("KEY")).get_secret_value() == "linked"
    (tmp_path / "secrets.env").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        await secrets.read("KEY")


async def test_the_file_is_read_anew_each_time(write: Write) -> None:
    """An edited file counts at once, without a restart."""
    secrets = write("KEY=old")
    assert (await secrets.read("KEY")).get_secret_value() == "old"
    write("KEY=new")
    assert (await secrets.read("KEY")).get_secret_value() == "new"


async def test_the_environment_goes_before_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """HAYAI_SECRET_KEY overrides the line KEY."""
    monkeypatch.setenv("HAYAI_SECRET_KEY", "from outside")
    assert (await write("KEY=inside").read("key")).get_secret_value() == "from outside"


async def test_no_other_variable_is_taken_for_a_secret(write: Write) -> None:
    """PATH is set in every process and is nobody's secret."""
    with pytest.raises(SecretMissing):
        await write("").read("PATH")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666])
async def test_a_file_that_others_may_read_is_refused(write: Write, tmp_path: Path, mode: int) -> None:
    """The refusal holds the command that corrects it."""
    secrets = write("KEY=hidden")
    (tmp_path / "secrets.env").chmod(mode)
    with pytest.raises(SettingsError, match=r"chmod 600 .*secrets\.env"):
        await secrets.start()
    with pytest.raises(SettingsError):
        await secrets.read("KEY")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=1\n\n\nhidden words\n", "Line 4 "),
        ("A=1\nB='hidden\n", "Line 2 "),
        ("hidden\nA=1\n", "Line 1 "),
        ("A=hidden\nB=2\nA=hidden\n", "Line 3 .*A a second time"),
    ],
)
async def test_a_malformed_line_is_named_by_its_number(write: Write, text: str, said: str) -> None:
    """The content of a line may be a secret, so that only its number is told."""
    with pytest.raises(SettingsError, match=said) as refused:
        await write(text).start()
    assert "hidden" not in str(refused.value)


async def test_an_empty_value_is_a_missing_secret(write: Write) -> None:
    """A line without a value is a form that nobody filled in."""
    with pytest.raises(SecretMissing, match="KEY"):
        await write("KEY=\n").read("KEY")


async def test_without_a_file_every_secret_is_missing(tmp_path: Path) -> None:
    """A fresh clone starts without one; the first secret asked for says which file to write."""
    secrets = DotenvSecrets(DotenvSettings(file=str(tmp_path / "none.env")))
    await secrets.start()
    with pytest.raises(SecretMissing, match=r"'KEY' in the file .*none\.env"):
        await secrets.read("KEY")


async def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """A directory, or bytes that are no text."""
    with pytest.raises(SettingsError, match="cannot be read"):
        await DotenvSecrets(DotenvSettings(file=str(tmp_path))).start()
    (tmp_path / "b.env").write_bytes(b"KEY=\xff\xfe")
    (tmp_path / "b.env").chmod(0o600)
    with pytest.raises(SettingsError, match="not UTF-8 at byte 4"):
        await DotenvSecrets(DotenvSettings(file=str(tmp_path / "b.env"))).start()
