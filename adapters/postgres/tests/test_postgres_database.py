"""PostgresDatabase: what a url may say, and TLS against a real server."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr, ValidationError

from hayai.errors import SettingsError, Unavailable
from hayai.pools import connect
from hayai.testing.postgres_server import PostgresServer
from hayai_postgres.database import PostgresDatabase, PostgresSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hayai.ports.database import Address


async def address(url: str, **more: Any) -> Address:
    """Where the application's role would connect."""
    return await PostgresDatabase(PostgresSettings(url=SecretStr(url), **more)).address("application")


async def test_a_url_is_taken_apart() -> None:
    """Host, port, database, user and password, with what is percent-encoded."""
    found = await address("postgresql://front%20desk:p%40ss%2Fword%23%25@[::1]:6432/my%2Ddata")
    assert (found.host, found.port, found.database, found.user) == ("::1", 6432, "my-data", "front desk")
    assert found.password == SecretStr("p@ss/word#%")


async def test_what_a_url_leaves_out_has_a_default() -> None:
    """The port is 5432, and a server that trusts its users needs no password."""
    found = await address("postgres://desk@localhost/data")
    assert (found.port, found.password, found.tls) == (5432, None, None)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "must start with postgresql://"),
        ("mysql://desk:secret@host/data", "must start with postgresql://"),
        ("desk:secret@host/data", "must start with postgresql://"),
        ("postgresql://desk:secret@host", "names no database"),
        ("postgresql://host/data", "names no user"),
        ("postgresql:///data", "names no user and no host"),
        ("postgresql://desk:sec/ret@host/data", "is no url"),
        ("postgresql://desk:secret@host:port/data", "is no url"),
        ("postgresql://desk:secret@[host/data", "is no url"),
        ("postgresql://desk:secret@host/data?pgbouncer=true", "parameters pgbouncer"),
        ("postgresql://desk:secret@host/data?sslmode=prefer", "fall back to plain text"),
        ("postgresql://desk:secret@host/data?sslmode=", "fall back to plain text"),
    ],
)
def test_a_malformed_url_is_refused(url: str, sentence: str) -> None:
    """With what is wrong and how to write it, and without a word of the url, which holds a password."""
    with pytest.raises(ValidationError, match=sentence) as refused:
        PostgresSettings(url=SecretStr(url))
    assert "secret" not in str(refused.value)
    assert "sec/ret" not in str(refused.value)


async def test_migrating_without_an_owner_is_one_sentence() -> None:
    """The owner's url is missing, and why it is needed."""
    with pytest.raises(SettingsError, match=r"\[database\] owner_url is missing"):
        await PostgresDatabase(PostgresSettings(url=SecretStr("postgresql://desk@localhost/data"))).address("owner")


async def test_a_password_does_not_show_itself() -> None:
    """Neither in the settings nor in an address."""
    url = "postgresql://desk:hunter2@localhost/data"
    settings = PostgresSettings(url=SecretStr(url), owner_url=SecretStr(url))
    assert "hunter2" not in f"{settings!r} {settings} {await address(url)!r}"


@pytest.mark.parametrize(
    ("host", "query", "tls", "verified"),
    [
        ("localhost", "", "auto", None),
        ("127.0.0.1", "?sslmode=require", "auto", False),
        ("db.example", "", "auto", True),
        ("db.example", "?sslmode=disable", "auto", None),
        ("db.example", "?sslmode=verify-full", "auto", True),
        ("db.example", "?sslmode=verify-ca", "auto", True),
        ("db.example", "?sslmode=disable", "verify", True),
        ("localhost", "", "require", False),
        ("db.example", "?sslmode=require", "off", None),
    ],
)
async def test_tls_is_verified_unless_told_otherwise(host: str, query: str, tls: str, verified: bool | None) -> None:
    """Off on this machine, verified elsewhere; the url may say, and the tier file has the last word."""
    found = (await address(f"postgresql://desk@{host}/data{query}", tls=tls)).tls
    assert (found is None) == (verified is None)
    if found is not None:
        assert found.check_hostname is verified
        assert (found.verify_mode is ssl.CERT_REQUIRED) is verified


async def test_an_unreadable_authority_is_one_sentence(tmp_path: Path) -> None:
    """A file that is missing, and one that holds no certificate."""
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for file in (tmp_path / "missing.pem", empty):
        with pytest.raises(SettingsError, match=r"\[database\] tls_ca: .* PEM"):
            await address("postgresql://desk@db.example/data", tls_ca=str(file))


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresServer, Path]]:
    """A server that takes encrypted connections alone, and the certificate it signed for 127.0.0.1 itself."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", "server.key", "-out", "server.crt", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
         "-addext", "keyUsage=critical,digitalSignature,keyCertSign"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    with PostgresServer() as server:
        server.stop()
        server.place("server.crt", (folder / "server.crt").read_text())
        server.place("server.key", (folder / "server.key").read_text())
        server.place("pg_hba.conf", "hostssl all all 127.0.0.1/32 scram-sha-256\n")
        server.settings["ssl"] = "on"
        server.start()
        yield server, folder / "server.crt"


def _owner(server: PostgresServer, **more: Any) -> PostgresDatabase:
    url = SecretStr(server.url("postgres"))
    return PostgresDatabase(PostgresSettings(url=url, owner_url=url, **more))


async def test_a_verified_connection_is_encrypted(tls_server: tuple[PostgresServer, Path]) -> None:
    """The server itself says so."""
    server, certificate = tls_server
    connection = await connect(_owner(server, tls="verify", tls_ca=str(certificate)), "owner")
    found = await connection.fetchval("select version from pg_stat_ssl where pid = pg_backend_pid()")
    await connection.close()
    assert found == "TLSv1.3"


async def test_a_strange_certificate_is_refused(tls_server: tuple[PostgresServer, Path]) -> None:
    """Signed by nobody that this machine knows; `require` takes it all the same."""
    server, _ = tls_server
    with pytest.raises(Unavailable, match=r"certificate does not verify: .* tls_ca"):
        await connect(_owner(server, tls="verify"), "owner")
    connection = await connect(_owner(server, tls="require"), "owner")
    await connection.close()


async def test_plain_text_is_refused_by_such_a_server(tls_server: tuple[PostgresServer, Path]) -> None:
    """And the sentence thinks of TLS."""
    server, _ = tls_server
    with pytest.raises(Unavailable, match=r"refuses this user from this machine: .*TLS"):
        await connect(_owner(server, tls="off"), "owner")
