"""Settings: a tier file and the environment become typed settings, or one error with all that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pydantic import Field, SecretStr, field_validator

from hayai.errors import SettingsError, Unavailable
from hayai.ports.base import Adapter, Settings
from hayai.settings import PORTS, Table, read_settings, resolve, settings_for_all
from hayai.testing.memory_secrets import MemorySecrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from hayai.settings import InstallSettings

    Read = Callable[..., InstallSettings]

ROOT = Path(__file__).parents[2]
WHOLE = """
tier = "test"
businesses = ["hayai_receptionist:practices/dentist.toml", "near.toml"]
channels = ["web"]
agents = ["receptionist"]

[bus]
adapter = "nats"
url = "nats://${HOST}:${PORT}"

[database]
adapter = "postgres"
password = "secret:db-password"
hosts = ["${HOST}", "secret:other"]

[web]
port = 9000

[channel.web]
title = "Chat"
"""


class _Inner(Settings):
    """A table inside of a table."""

    size: int = 1


class _DatabaseSettings(Settings):
    """What the adapter of these tests takes."""

    password: SecretStr = Field(description="the password of the role hayai_application")
    hosts: list[str] = Field(default=[], description="hosts to try in turn")
    size: int = Field(default=3, description="connections")
    pin: SecretStr | None = None
    inner: _Inner = _Inner()

    @field_validator("pin", "hosts", mode="before")
    @classmethod
    def _talkative(cls, value: object) -> object:
        if value in ("hunter2", ["hunter2"]):
            raise ValueError(f"{value} is too well known")
        return value


class _Database(Adapter):
    """An adapter, as far as settings know one."""

    Settings: ClassVar[type[Settings]] = _DatabaseSettings


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a tier file and read it."""

    def from_text(text: str = WHOLE, **environment: str) -> InstallSettings:
        (tmp_path / "tier.toml").write_text(text)
        return read_settings(tmp_path / "tier.toml", {"HOST": "localhost", "PORT": "4222", **environment})

    return from_text


@pytest.fixture
def install(read: Read) -> InstallSettings:
    """The whole tier file, read before any loop runs."""
    return read()


def refusal(read: Read, text: str = WHOLE, **environment: str) -> str:
    """The sentence or sentences with which the tier file is refused."""
    with pytest.raises(SettingsError) as refused:
        read(text, **environment)
    return str(refused.value)


def database(**keys: Any) -> Table:
    """A table for the adapter."""
    return Table("database", "postgres", keys)


def misfit(**keys: Any) -> str:
    """The sentences with which the adapter's table is refused."""
    with pytest.raises(SettingsError) as refused:
        settings_for_all([(_Database, database(**keys))])
    return str(refused.value)


def test_a_tier_file_is_read_whole(read: Read, tmp_path: Path) -> None:
    """Names, the door, and a table for each port and channel; a business's path is beside the tier file."""
    install = read()
    assert (install.tier, install.channels, install.agents) == ("test", ("web",), ("receptionist",))
    assert install.businesses == ("hayai_receptionist:practices/dentist.toml", str(tmp_path / "near.toml"))
    assert (install.web.host, install.web.port, install.web.public_url) == ("127.0.0.1", 9000, None)
    assert (install.port("bus").adapter, dict(install.port("bus").keys)) == ("nats", {"url": "nats://localhost:4222"})
    assert dict(install.channel_tables["web"].keys) == {"title": "Chat"}


def test_our_local_tier_can_be_read() -> None:
    """The tier file in deploy/, with what `hayai dev` sets; every port of it is one of ours."""
    names = ("NATS_URL", "DATABASE_URL", "DATABASE_OWNER_URL", "HAYAI_DATA")
    addresses: dict[str, str] = dict.fromkeys(names, "somewhere")
    install = read_settings(ROOT / "deploy/tiers/local.toml", addresses)
    assert set(install.ports) == set(PORTS) - {"models"}  # which costs money, so nobody has one by default
    assert len(install.businesses) == 3
    assert install.channel_tables["web"].keys["data"] == "somewhere/keys"


def test_the_ports_are_those_that_the_house_has() -> None:
    """One word everywhere: a file in ports/ is a table in a tier file; the bus has a room of its own."""
    files = {path.stem for path in (ROOT / "core/hayai/ports").glob("*.py")} - {"__init__", "base"}
    assert set(PORTS) == files | {"bus"}


def test_settings_are_frozen(read: Read) -> None:
    """What was read once does not change under anybody's hands."""
    install = read()
    with pytest.raises(AttributeError):
        install.tier = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        install.ports["bus"] = database()  # type: ignore[index]
    with pytest.raises(TypeError):
        install.port("bus").keys["url"] = "elsewhere"  # type: ignore[index]


def test_the_environment_overrides_a_key(read: Read) -> None:
    """HAYAI_<TABLE>__<KEY>, for ports, the door and channels; an empty variable is as good as none."""
    install = read(
        HAYAI_BUS__URL="nats://there",
        HAYAI_CALENDAR__ADAPTER="postgres",
        HAYAI_WEB__PORT="7000",
        HAYAI_CHANNEL__WEB__TITLE="Talk",
        HAYAI_DATABASE__ADAPTER="",
        HAYAI_SECRET_A__B="a secret, not an override",
    )
    assert install.port("bus").keys["url"] == "nats://there"
    assert install.port("calendar").adapter == "postgres"
    assert install.port("database").adapter == "postgres"
    assert install.web.port == 7000
    assert install.channel_tables["web"].keys["title"] == "Talk"


def test_an_override_is_taken_as_it_stands(read: Read) -> None:
    """A password may hold anything: `${...}` in the environment itself is not replaced."""
    assert read(HAYAI_BUS__URL="nats://a:${b}@c").port("bus").keys["url"] == "nats://a:${b}@c"


def test_all_that_is_wrong_is_said_at_once(read: Read) -> None:
    """An unknown table, key and override with the nearest name, a missing key, a misfit."""
    tables = ['[buss]\nadapter = "nats"', '[web]\nport = "x"\nhots = "a"', '[calendar]\nurl = "u"', "[channel.wbe]"]
    text = "\n".join(['channels = ["web"]', *tables])
    said = refusal(read, text, HAYAI_DATABAES__URL="x")
    assert "for 7 reasons:" in said
    assert "HAYAI_DATABAES__URL is for [databaes], which no tier file has: did you mean database?" in said
    assert "tier is missing (the tier's name, for example local)" in said
    assert "buss is unknown: did you mean bus?" in said
    assert "[web] port does not fit: input should be a valid integer" in said
    assert "[web] hots is unknown: did you mean host?" in said
    assert "[calendar] adapter is missing (the name of an installed adapter" in said
    assert "[channel.wbe] is for no channel that `channels` names: did you mean web?" in said


def test_an_unset_variable_is_named(read: Read) -> None:
    """In the door's table at once; in an adapter's when the adapter's own words can say where to get the value."""
    assert "[web] host needs the environment variable WEB_HOST, which is not set (the address" in refusal(
        read, 'tier = "t"\n[web]\nhost = "${WEB_HOST}"'
    )
    table = read(WHOLE.replace("secret:db-password", "${DB_PASSWORD}").replace('"secret:other"', '"a"')).port(
        "database"
    )
    with pytest.raises(
        SettingsError, match=r"\[database\] password needs .* DB_PASSWORD, .* \(the password of the role"
    ):
        settings_for_all([(_Database, table)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tier = ", r"is not TOML: .*\(at line 1, column 8\)|is not TOML: .*\(at end of document\)"),
        ("tier = 'a'\n[bus\n", r"is not TOML: .*line 2"),
        ("tier = 'a'\ntier = 'b'\n", r"is not TOML: .*line 2"),
        ("tier = 'a'\nchannels = ['web', 'web']", r"channels does not fit: each may be named once"),
        ("tier = 'a'\nbus = 3", r"bus does not fit"),
        ("tier = 'a'\nchannel = 3", r"channel does not fit"),
        ("tier = 'a'\nchannels = 3", r"channels does not fit"),
        ("tier = 'a'\nweb = 3", r"web does not fit"),
        ("tier = ''", r"tier does not fit"),
        ("tier = 'a'\n[web]\npublic_url = 'chat.example'", r"\[web\] public_url does not fit"),
        ("tier = 'a'\n[web]\nport = 65536", r"\[web\] port does not fit: input should be less than or equal to 65535"),
    ],
)
def test_a_malformed_tier_file_is_refused_in_one_sentence(read: Read, text: str, said: str) -> None:
    """It names the file, and the line or the key; an override into what is no table does no harm."""
    with pytest.raises(SettingsError, match=said) as refused:
        read(text, HAYAI_WEB__HOST="" if "web" in text else "localhost")
    assert "tier.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_override_into_a_value_is_reported_with_the_file(read: Read) -> None:
    """`web = 3` is no table that HAYAI_WEB__PORT could change."""
    assert "web does not fit" in refusal(read, "tier = 'a'\nweb = 3", HAYAI_WEB__PORT="80")


def test_a_tier_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """No such file, a directory, and bytes that are no text."""
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(SettingsError, match=f"{path} cannot be read"):
            read_settings(path, {})
    (tmp_path / "latin.toml").write_bytes(b"tier = '\xe9'")
    with pytest.raises(SettingsError, match="is not UTF-8 at byte 8"):
        read_settings(tmp_path / "latin.toml", {})


def test_a_port_that_the_tier_leaves_out_is_named(read: Read) -> None:
    """The sentence says what to add."""
    with pytest.raises(SettingsError, match=r"no adapter for calendar: add \[calendar\]"):
        read().port("calendar")


def test_an_adapter_gets_its_own_settings() -> None:
    """Typed by its class, text from the environment included."""
    (settings,) = settings_for_all([(_Database, database(password="p", size="5"))])
    assert settings == _DatabaseSettings(password=SecretStr("p"), size=5)


def test_all_adapters_tables_are_judged_together() -> None:
    """One error names what is wrong in each of them."""
    other = Table("calendar", "postgres", {"size": "many", "passwort": "x"})
    with pytest.raises(SettingsError) as refused:
        settings_for_all([(_Database, database()), (_Database, other)])
    said = str(refused.value)
    assert "for 4 reasons" in said
    assert "[database] password is missing (the password of the role hayai_application)" in said
    assert "[calendar] password is missing" in said
    assert "[calendar] passwort is unknown: did you mean password?" in said
    assert "[calendar] size does not fit: input should be a valid integer" in said


def test_an_inner_key_is_named_with_the_way_to_it() -> None:
    """The nearest name is looked for where the unknown one stands."""
    assert "[database] inner.sise is unknown: did you mean size?" in misfit(password="p", inner={"sise": 3})


def test_no_refusal_repeats_a_value() -> None:
    """Neither a secret's nor any other that a check of the adapter's own puts into its words."""
    for keys in ({"pin": "hunter2"}, {"hosts": ["hunter2"]}, {"size": "hunter2"}, {"inner": "hunter2"}, {"hunter": 2}):
        assert "hunter2" not in misfit(password="hunter2", **keys)
    assert "password does not fit" in misfit(password=["hunter2"])


async def test_secrets_are_put_where_they_are_referred_to(install: InstallSettings) -> None:
    """In a table and in a list; the same secret is read once however often it is named."""
    secrets = MemorySecrets({"db-password": "hunter2", "other": "elsewhere"})
    (table,) = await resolve([install.port("database")], secrets)
    (settings,) = settings_for_all([(_Database, table)])
    assert settings == _DatabaseSettings(password=SecretStr("hunter2"), hosts=["localhost", "elsewhere"])


async def test_every_missing_secret_is_named(install: InstallSettings) -> None:
    """With the key that refers to it."""
    with pytest.raises(SettingsError) as refused:
        await resolve([install.port("database"), install.port("bus")], MemorySecrets())
    said = str(refused.value)
    assert "[database] password refers to a secret: There is no secret 'db-password' in" in said
    assert "[database] hosts.1 refers to a secret: There is no secret 'other' in" in said


async def test_a_store_that_is_away_is_no_settings_error(install: InstallSettings) -> None:
    """The tier file is right, and the start may be tried again."""

    class Away(MemorySecrets):
        pauses = ()

        async def _read(self, name: str) -> str | None:
            raise Unavailable("The store is away.")

    with pytest.raises(Unavailable):
        await resolve([install.port("database")], Away())


def test_the_secrets_own_table_cannot_refer_to_a_secret(read: Read) -> None:
    """It is read before there are any."""
    table = read('tier = "t"\n[secrets]\nadapter = "vault"\npassword = "secret:itself"').port("secrets")
    with pytest.raises(SettingsError, match=r"\[secrets\] password may not refer to a secret \(itself\)"):
        settings_for_all([(_Database, table)])
