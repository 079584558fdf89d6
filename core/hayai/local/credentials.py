"""The passwords of the local servers: made up once, kept in the data folder, readable by its owner alone."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from hayai.errors import LocalStackRefused
from hayai.local.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path


def _password() -> str:
    # A letter first: nats-server reads a value that starts with a digit as a number.
    return f"h{secrets.token_hex(20)}"


@dataclass(frozen=True)
class Credentials:
    """One password a role."""

    application: str = field(default_factory=_password, repr=False)
    owner: str = field(default_factory=_password, repr=False)
    bus: str = field(default_factory=_password, repr=False)


def keep_credentials(path: Path) -> tuple[Credentials, bool]:
    """Those in `path`, or new ones that are written there; and whether they are new.

    Raises LocalStackRefused where the file holds something else.
    """
    try:
        return Credentials(**json.loads(path.read_text(encoding="utf-8"))), False
    except FileNotFoundError:
        made = Credentials()
        write_whole(path, json.dumps(asdict(made), indent=1), mode=0o600)
        return made, True
    except (ValueError, TypeError):
        raise LocalStackRefused(f"{path} is damaged: delete it, and new passwords are set at the next start.") from None
