"""The one table of what tier 1 runs: child processes are started from it, compose.yaml is held to it by a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"
"""Nothing of tier 1 listens on any other address."""

DATABASE = "hayai"
OWNER = "hayai_owner"
APPLICATION = "hayai_application"
"""The role that serves requests: no superuser, owner of nothing, bound by row-level security."""

BUS_USER = "hayai"
BUS_PASSWORD = "HAYAI_NATS_PASSWORD"  # noqa: S105 - the name of a variable
"""The variable from which nats-server's configuration takes its password."""


@dataclass(frozen=True)
class Service:
    """One row.

    `ports`: what a port is for -> the number it has if nobody else holds it (inside a container: always).
    `gives`: the environment variables by which the rest of Hayai finds the service.
    `settings`: what of the server's own configuration is the same wherever it runs.
    `health`: the command that a container's health check runs.
    """

    name: str
    version: str
    image: str
    ports: Mapping[str, int]
    health: tuple[str, ...]
    gives: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    volume: str | None = None
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def image_variable(self) -> str:
        """The variable that names another image: HAYAI_NATS_IMAGE."""
        return f"HAYAI_{self.name.upper()}_IMAGE"


NATS = Service(
    name="nats",
    version="2.15.1",
    image="docker.io/library/nats:2.15.1-alpine",
    ports=MappingProxyType({"nats": 4222, "monitor": 8222}),
    health=("wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8222/healthz"),
    gives=("NATS_URL",),
    volume="nats",
    settings=MappingProxyType(
        {
            # Acknowledged means on the disk: the default of two minutes loses what a power cut finds unsynced.
            "sync_interval": "always",
            # More than the streams of NatsSettings reserve together, or JetStream refuses to make them.
            "max_file_store": "4GB",
            "max_memory_store": "64MB",
        }
    ),
)

POSTGRES = Service(
    name="postgres",
    version="17.10",
    image="docker.io/library/postgres:17.10-alpine",
    ports=MappingProxyType({"postgres": 5432}),
    health=("pg_isready", "-q", "-h", "127.0.0.1", "-U", OWNER, "-d", DATABASE),
    gives=("DATABASE_URL", "DATABASE_OWNER_URL"),
    volume="postgres",
    settings=MappingProxyType(
        {
            "max_connections": "100",
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # A failed statement and the details of an error may hold what a person said: neither is logged.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
    ),
)

WEB = Service(
    name="hayai",
    version="0.1.0",
    image="hayai:0.1.0",
    ports=MappingProxyType({"web": 8080}),
    health=("python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health/ready', timeout=3)"),
    needs=("nats", "postgres"),
    volume="hayai",
)

SERVICES = (NATS, POSTGRES, WEB)
PORTS: Mapping[str, int] = MappingProxyType({name: port for each in SERVICES for name, port in each.ports.items()})
"""What a port is for -> the number it prefers."""
