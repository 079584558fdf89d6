"""Secrets in a KV v2 mount of OpenBao or HashiCorp Vault, by token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

import hvac
from hvac import exceptions as vault
from pydantic import Field, SecretStr, model_validator
from requests.exceptions import RequestException, SSLError

from hayai.errors import HayaiError, PermanentError, RateLimited, Unavailable
from hayai.ports import base
from hayai.ports.secrets import Secrets
from hayai_vault.renewal import Lease, keep_alive

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LATER = (
    vault.VaultDown,
    vault.VaultNotInitialized,
    vault.InternalServerError,
    vault.BadGateway,
    vault.UnexpectedError,
)
_MEANINGS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[HayaiError], str], ...] = (
    (SSLError, Unavailable, "shows a certificate that is not trusted: give its issuer as ca_file under [secrets]"),
    (RequestException, Unavailable, "did not answer for {what}: see whether the server is up"),
    (OSError, PermanentError, "cannot be asked: the file under ca_file in [secrets] cannot be read, correct it"),
    (vault.RateLimitExceeded, RateLimited, "asks to slow down"),
    (_LATER, Unavailable, "cannot answer for {what}: unseal it, or see its log"),
    (
        (vault.Forbidden, vault.Unauthorized),
        PermanentError,
        "refuses {what} to this token: renew it, or give it a policy that may read there",
    ),
    (Exception, PermanentError, "cannot make sense of the question for {what}: see that its mount is KV version 2"),
)
"""What hvac and requests raise, first match first: which error of ours it is, and in words."""


class VaultSettings(base.Settings):
    """The `[secrets]` table of a tier file with `adapter = "vault"`."""

    url: str = Field(
        pattern=r"^https?://[^/\s@]+$", description="the server's address, such as https://vault.example:8200"
    )
    token: SecretStr = Field(
        description="a token whose policy may read the mount; your Vault's administrator issues it"
    )
    namespace: str | None = Field(
        default=None,
        pattern=r"^[^/\s]+(/[^/\s]+)*/?$",
        description="the namespace of the mount and the token, such as team/hayai; left out, the server's root",
    )
    mount: str = Field(default="secret", pattern=r"^[^/\s]+$", description="the mount of a KV version 2 engine")
    prefix: str = Field(default="", pattern=r"^([^/\s]+/)*$", description="the folder in the mount, such as hayai/")
    ca_file: str | None = Field(default=None, description="certificates to trust in place of the system's, in PEM")
    timeout: int = Field(default=3, gt=0, description="seconds to wait for the server")

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        """The token and every secret travel with each call."""
        if self.url.startswith("http://") and urlsplit(self.url).hostname not in _LOOPBACK:
            raise ValueError("[secrets] url must begin with https:// for any host but this machine")
        return self


class VaultSecrets(Secrets):
    """The secret `chat-key` is the field `value` at MOUNT/PREFIX + chat-key: `bao kv put secret/chat-key value=...`."""

    Settings: ClassVar[type[base.Settings]] = VaultSettings

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings
        self._client = _client(settings)
        self._renewing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """See whether the server is up and unsealed, and keep the token alive from now on. Raises Unavailable."""
        whole = _client(self._settings.model_copy(update={"namespace": None}))  # no namespace has a health of its own
        health: Any = await self._asked("its health", whole.sys.read_health_status, method="GET")
        whole.adapter.close()
        if getattr(health, "status_code", 200) in (501, 503):
            raise Unavailable(f"{self.place()} is sealed or not initialized: unseal it with `bao operator unseal`.")
        self._renewing = asyncio.create_task(keep_alive(self._lease, self._renew, self.place()))

    async def stop(self) -> None:
        """Close the connections."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        self._client.adapter.close()

    async def _lease(self) -> Lease:
        told: Any = await self._asked("its token's end", self._client.auth.token.lookup_self)
        return Lease(told["data"].get("ttl", 0), bool(told["data"].get("renewable")))

    async def _renew(self) -> None:
        await self._asked("a renewal of its token", self._client.auth.token.renew_self)

    async def _read(self, name: str) -> str | None:
        path = self._settings.prefix + name
        read = self._client.secrets.kv.v2.read_secret_version
        try:
            found: Any = await self._asked(
                repr(name), read, path=path, mount_point=self._settings.mount, raise_on_deleted_version=True
            )
        except vault.InvalidPath:
            return None
        fields = found["data"].get("data") or {}  # version 1 has no inner table
        value = fields.get("value")
        if not isinstance(value, str):
            raise PermanentError(
                f"The secret {name!r} in {self.place()} holds no text in the field `value` of KV version 2: run "
                f"`bao kv put -mount={self._settings.mount} {path} value=...`."
            )
        return value

    def place(self) -> str:
        """The server, the mount and the folder."""
        settings = self._settings
        within = f"namespace {settings.namespace}, " if settings.namespace else ""
        return f"{settings.url}, {within}mount {settings.mount}/{settings.prefix}"

    async def _asked(self, what: str, call: Callable[..., Any], **arguments: Any) -> Any:
        """What the server answers, from a thread since hvac blocks. Raises InvalidPath or an error of ours."""
        try:
            return await asyncio.to_thread(call, **arguments)
        except vault.InvalidPath:
            raise
        except (vault.VaultError, RequestException, OSError) as refused:
            raise self._translated(refused, what) from None

    def _translated(self, refused: Exception, what: str) -> HayaiError:
        """The error of ours that says it; hvac's own text may hold what the server was sent."""
        error, said = next((error, said) for kinds, error, said in _MEANINGS if isinstance(refused, kinds))
        return error(f"{self.place()} {said.format(what=what)}.")


def _client(settings: VaultSettings) -> hvac.Client:
    client = hvac.Client(
        settings.url,
        settings.token.get_secret_value(),
        timeout=settings.timeout,
        verify=settings.ca_file or True,
        allow_redirects=False,
        namespace=settings.namespace,
    )
    # on this machine without TLS: through a proxy of the environment the token would leave it in clear
    client.session.trust_env = settings.url.startswith("https://")
    return client
