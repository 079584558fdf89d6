"""PostgresDatabase: any Postgres 15 or later by its url, with TLS that is verified unless it is told not to be."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from typing import ClassVar, Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import ConfigDict, Field, SecretStr, field_validator

from hayai.errors import SettingsError
from hayai.ports import base
from hayai.ports.database import LEDGER, Address, Database, Role, ledger_password

Tls = Literal["auto", "off", "require", "verify"]

_EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
_SSLMODES: dict[str, Tls] = {"disable": "off", "require": "require", "verify-ca": "verify", "verify-full": "verify"}
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class _Parsed:
    """What a url says; `tls` is None where it says nothing of it."""

    host: str
    port: int
    database: str
    user: str
    password: SecretStr | None
    tls: Tls | None


class PostgresSettings(base.Settings):
    """Where the database is. The urls are never printed: they hold passwords."""

    model_config = ConfigDict(hide_input_in_errors=True)

    url: SecretStr = Field(
        description=f"The application's role, {_EXAMPLE}; from whoever runs the database, or `hayai dev` brings its own"
    )
    owner_url: SecretStr | None = Field(
        default=None, description="The owner's role, same form; needed to migrate and for nothing else"
    )
    ledger_url: SecretStr | None = Field(
        default=None, description="The ledger's role, same form; hayai_ledger with a derived password if left out"
    )
    tls: Tls = Field(
        default="auto",
        description="verify (certificate and host name), require (encrypted, whoever answers), off; "
        "auto is what the url's sslmode says, else off on this machine and verify elsewhere",
    )
    tls_ca: str | None = Field(default=None, description="File of the certificate authority; the system's if left out")

    @field_validator("url", "owner_url", "ledger_url")
    @classmethod
    def _is_a_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            _parse(url.get_secret_value())
        return url


class PostgresDatabase(Database):
    """The addresses in the tier file, the same for every connection."""

    Settings: ClassVar[type[base.Settings]] = PostgresSettings

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings

    async def address(self, role: Role) -> Address:
        """The address for that role. Raises SettingsError without an owner_url, or for an unreadable tls_ca."""
        parsed = self._parsed(role)
        return Address(
            host=parsed.host,
            port=parsed.port,
            database=parsed.database,
            user=parsed.user,
            password=parsed.password,
            tls=await asyncio.to_thread(_context, self._tls(parsed), self._settings.tls_ca),
        )

    def _parsed(self, role: Role) -> _Parsed:
        settings = self._settings
        url = {"owner": settings.owner_url, "ledger": settings.ledger_url, "application": settings.url}[role]
        if url is not None:
            return _parse(url.get_secret_value())
        if role == "owner":
            raise SettingsError(f"[database] owner_url is missing, and migrating needs it: give {_EXAMPLE}.")
        application = _parse(settings.url.get_secret_value())
        return replace(application, user=LEDGER, password=ledger_password(application.password))

    def _tls(self, parsed: _Parsed) -> Tls:
        if self._settings.tls != "auto":
            return self._settings.tls
        return parsed.tls or ("off" if parsed.host in _LOCAL else "verify")


def _context(tls: Tls, authority: str | None) -> ssl.SSLContext | None:
    if tls == "off":
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"[database] tls_ca: {authority} is no readable file of PEM certificates ({type(error).__name__}): "
            "give the one of the authority that signed the server's certificate."
        ) from error
    if tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _parse(url: str) -> _Parsed:
    """The parts of a url. Raises ValueError with a sentence that quotes nothing of it, since it holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        raise ValueError(f"is no url (a port that is no number, or a stray bracket): write {_EXAMPLE}") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"must start with postgresql:// : write {_EXAMPLE}")
    database = unquote(parts.path.removeprefix("/"))
    given = {"user": parts.username, "host": parts.hostname, "database": database}
    if missing := [name for name, value in given.items() if not value]:
        raise ValueError(
            f"names no {' and no '.join(missing)}: write {_EXAMPLE} (an @, a / or a # in a password as %40, %2F, %23)"
        )
    assert parts.hostname is not None and parts.username is not None  # noqa: PT018 - both were just looked at
    return _Parsed(
        host=unquote(parts.hostname),
        port=port,
        database=database,
        user=unquote(parts.username),
        password=SecretStr(unquote(parts.password)) if parts.password else None,
        tls=_sslmode(parts),
    )


def _sslmode(parts: SplitResult) -> Tls | None:
    query = parse_qs(parts.query, keep_blank_values=True)
    if strange := sorted(query.keys() - {"sslmode"}):
        raise ValueError(
            f"has the parameters {', '.join(strange)}, which mean nothing here: only sslmode may stand there"
        )
    if "sslmode" not in query:
        return None
    mode = query["sslmode"][-1]
    if mode not in _SSLMODES:
        raise ValueError(
            f"has an sslmode that could fall back to plain text or is unknown: choose {', '.join(_SSLMODES)}"
        )
    return _SSLMODES[mode]
