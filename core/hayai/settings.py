"""Settings: a tier file and the environment, read once into frozen, typed settings.

A tier file is TOML: what the install is made of, and one table for each port that names its adapter.
- `${NAME}` inside a string is replaced by the environment variable NAME; unset or empty, it is reported.
- `secret:NAME` as a whole string is replaced by that secret, see resolve().
- HAYAI_<TABLE>__<KEY> in the environment overrides a key: HAYAI_BUS__URL, HAYAI_CHANNEL__WEB__TITLE.
Whatever is wrong comes at once in one SettingsError, which names keys and never a value that may be secret.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hayai.errors import SecretMissing, SettingsError
from hayai.limits import LimitSettings
from hayai.placeholders import Gap, Reference, Unset, gaps, referred, resolved, substituted
from hayai.ports.base import Adapter, Settings
from hayai.sentences import description, misfits, nearest, spot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hayai.ports.secrets import Secrets

M = TypeVar("M", bound=BaseModel)

PORTS = ("bus", "calendar", "consents", "conversations", "database", "identity", "models", "people", "secrets")
"""The words that may head an adapter's table."""

_OVERRIDDEN = (*PORTS, "agent", "channel", "limits", "web")
_OVERRIDE = re.compile(r"HAYAI_(?!SECRET_).*__")  # HAYAI_SECRET_NAME belongs to the secrets
_PACKAGED = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:.")


class WebSettings(Settings):
    """The HTTP door."""

    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="the port to listen on, 0 for a free one")
    public_url: str | None = Field(
        default=None, pattern=r"^https?://[^/\s]+$", description="how customers reach this door: https://chat.example"
    )


class AgentSettings(Settings):
    """How one agent runs; what its own settings are is its own affair."""

    isolation: Literal["none", "process"] = Field(
        default="none", description='"process" for a process of its own, which may die without taking anybody along'
    )
    memory_mb: int = Field(default=512, ge=128, description="the most memory that its process may take, in MiB")
    cpu_percent: float = Field(default=100, gt=0, description="of one core, over a minute: more ends its process")
    start_seconds: float = Field(default=30, gt=0, description="how long its process may take to be at work")
    bus_url: str | None = Field(
        default=None, description="the bus's address with a user whom `hayai bus permissions` limits to what it needs"
    )


class _Named(BaseModel):
    """A port's table: the adapter's name, and keys that only the adapter can judge."""

    model_config = ConfigDict(frozen=True, extra="allow")

    adapter: str = Field(min_length=1, description="the name of an installed adapter, as `hayai plugins` lists them")


class _TierFile(Settings):
    """A tier file as a whole."""

    tier: str = Field(min_length=1, description="the tier's name, for example local")
    businesses: tuple[str, ...] = Field(default=(), description="business files, as package:path or a path")
    channels: tuple[str, ...] = Field(default=(), description="channels by name, as `hayai plugins` lists them")
    agents: tuple[str, ...] = Field(default=(), description="agents by name, as `hayai plugins` lists them")
    web: WebSettings = WebSettings()
    limits: LimitSettings = LimitSettings()
    agent: dict[str, AgentSettings] = Field(default={}, description="a table for each agent")
    channel: dict[str, dict[str, Any]] = Field(default={}, description="a table for each channel")
    bus: _Named | None = None
    calendar: _Named | None = None
    conversations: _Named | None = None
    database: _Named | None = None
    identity: _Named | None = None
    consents: _Named | None = None
    models: _Named | None = None
    people: _Named | None = None
    secrets: _Named | None = None

    @field_validator("businesses", "channels", "agents")
    @classmethod
    def _each_once(cls, several: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(several)) < len(several):
            raise ValueError("each may be named once")
        return several


@dataclass(frozen=True)
class Table:
    """One adapter's table as the tier file and the environment have it; `where` is its heading, `keys` are raw."""

    where: str
    adapter: str
    keys: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class InstallSettings:
    """What this install is made of; a business file that is a path stands beside the tier file."""

    source: Path
    tier: str
    businesses: tuple[str, ...]
    channels: tuple[str, ...]
    agents: tuple[str, ...]
    web: WebSettings
    limits: LimitSettings
    ports: Mapping[str, Table]
    channel_tables: Mapping[str, Table]
    """One for each of `channels`, empty where the tier file says nothing about it."""
    agent_settings: Mapping[str, AgentSettings]
    """One for each of `agents`."""
    environment: Mapping[str, str] = field(repr=False)
    """What the tier file was read with."""

    def port(self, port: str) -> Table:
        """The table of that port. Raises SettingsError where the tier file has none."""
        if port not in self.ports:
            raise SettingsError(f"{self.source} names no adapter for {port}: add [{port}] with adapter = ...")
        return self.ports[port]


def read_settings(path: Path, environment: Mapping[str, str]) -> InstallSettings:
    """The install as the tier file at `path` and `environment` have it. Raises SettingsError with all that is wrong."""
    document = cast("dict[str, Any]", substituted(_document(path), environment))
    problems = list(_override(document, environment))
    read, wrong = _checked(_TierFile, document, "", later=(*PORTS, "channel"))
    for kind in ("agent", "channel"):
        problems += _strays(kind, document.get(kind), document.get(f"{kind}s", []))
    problems += wrong
    if read is None or problems:
        raise _refusal(f"The tier file {path}", problems)
    return _install(path, read, environment)


def _strays(kind: str, tables: object, names: object) -> list[str]:
    """A sentence for each table of that kind that none of the listed ones reads."""
    if not (isinstance(tables, dict) and isinstance(names, list)):
        return []  # reported as what it is by the model
    listed = [*map(str, cast("list[object]", names))]
    strays = sorted({*map(str, cast("dict[str, object]", tables))}.difference(listed))
    return [f"[{kind}.{each}] is for no {kind} that `{kind}s` names{nearest(each, listed)}" for each in strays]


def _install(path: Path, read: _TierFile, environment: Mapping[str, str]) -> InstallSettings:
    named = {port: cast("_Named | None", getattr(read, port)) for port in PORTS}
    channels = {name: Table(f"channel.{name}", name, _frozen(read.channel.get(name))) for name in read.channels}
    return InstallSettings(
        source=path,
        tier=read.tier,
        businesses=tuple(each if _PACKAGED.match(each) else str(path.parent / each) for each in read.businesses),
        channels=read.channels,
        agents=read.agents,
        web=read.web,
        limits=read.limits,
        ports=MappingProxyType({p: Table(p, n.adapter, _frozen(n.model_extra)) for p, n in named.items() if n}),
        channel_tables=MappingProxyType(channels),
        agent_settings=MappingProxyType({name: read.agent.get(name, AgentSettings()) for name in read.agents}),
        environment=MappingProxyType(dict(environment)),
    )


def settings_for_all(wanted: Iterable[tuple[type[Adapter], Table]]) -> list[Settings]:
    """Each adapter's own settings, in order. Raises one SettingsError with all that is wrong with any of them."""
    checked = [_checked(adapter.Settings, table.keys, table.where) for adapter, table in wanted]
    if problems := [problem for _, wrong in checked for problem in wrong]:
        raise _refusal("The tier file", problems)
    return [settings for settings, _ in checked if settings is not None]


async def resolve(tables: Iterable[Table], secrets: Secrets) -> list[Table]:
    """The tables with the secrets that they refer to. Raises SettingsError naming every missing one, or Unavailable."""
    tables, known, problems = list(tables), dict[str, str](), list[str]()
    for table in tables:
        for path, gap in gaps(table.keys):
            if isinstance(gap, Reference) and gap.secret not in known:
                try:
                    known[gap.secret] = (await secrets.read(gap.secret)).get_secret_value()
                except SecretMissing as missing:
                    problems.append(f"{spot(table.where, path)} refers to a secret: {missing}")
    if problems:
        raise _refusal("The tier file", problems)
    return [replace(table, keys=_frozen(cast("dict[str, Any]", resolved(table.keys, known)))) for table in tables]


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as unread:
        raise SettingsError(
            f"The tier file {path} cannot be read ({unread.strerror}): name one that is there, such as "
            f"deploy/tiers/local.toml."
        ) from None
    except UnicodeDecodeError as unread:
        raise SettingsError(f"The tier file {path} is not UTF-8 at byte {unread.start}: save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as malformed:
        raise SettingsError(f"The tier file {path} is not TOML: {malformed}. Correct that line.") from None


def _override(document: dict[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """Put every HAYAI_<TABLE>__<KEY> that is not empty in its place; yields what is wrong with any."""
    for variable in sorted(filter(_OVERRIDE.match, environment)):
        *tables, key = variable.removeprefix("HAYAI_").lower().split("__")
        if tables[0] not in _OVERRIDDEN:
            yield f"{variable} is for [{tables[0]}], which no tier file has{nearest(tables[0], _OVERRIDDEN)}"
        elif environment[variable]:
            _put(document, (*tables, key), referred(environment[variable]))


def _put(document: dict[str, Any], path: Sequence[str], value: object) -> None:
    *tables, key = path
    for each in tables:
        inner = document.setdefault(each, {})
        if not isinstance(inner, dict):  # a value where a table belongs: reported with the rest of the file
            return
        document = cast("dict[str, Any]", inner)
    document[key] = value


def _checked(
    model: type[M], values: Mapping[str, Any], where: str, later: Collection[str] = ()
) -> tuple[M | None, list[str]]:
    """`values` as a `model`, or a sentence for each thing wrong; gaps under the keys in `later` are left alone."""
    open_gaps = [(path, gap) for path, gap in gaps(values) if path[0] not in later]
    problems = [f"{spot(where, path)} {_wanting(gap)}{description(model, path)}" for path, gap in open_gaps]
    blocked = {path[0] for path, _ in open_gaps}
    try:
        made = model.model_validate({key: value for key, value in values.items() if key not in blocked})
    except ValidationError as wrong:
        return None, problems + misfits(model, where, wrong, unless=blocked)
    return made, problems


def _wanting(gap: Gap) -> str:
    if isinstance(gap, Unset):
        return f"needs the environment variable {gap.variable}, which is not set"
    return f"may not refer to a secret ({gap.secret}): it is read before the secrets are; use ${{NAME}}"


def _refusal(subject: str, problems: Sequence[str]) -> SettingsError:
    if len(problems) == 1:
        return SettingsError(
            f"{subject} cannot be used: {problems[0].rstrip('.')}{'' if problems[0].endswith('?') else '.'}"
        )
    return SettingsError("\n  - ".join([f"{subject} cannot be used, for {len(problems)} reasons:", *problems]))


def _frozen(keys: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return MappingProxyType(dict(keys or {}))
