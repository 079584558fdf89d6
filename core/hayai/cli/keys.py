"""`hayai keys`: API keys for staff and operators."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hayai.cli.options import DataOption, JsonOption, TierOption
from hayai.cli.output import sentences, show, show_json
from hayai.errors import SettingsError
from hayai.ports.identity import CallerRole, IssuedKey
from hayai.runtime.assembly import standing_install
from hayai.runtime.standing import environment, settings_of
from hayai.settings import InstallSettings

app = typer.Typer(help="API keys for staff and operators.", no_args_is_help=True)
_ROLES: dict[str, CallerRole] = {"owner": "owner", "staff": "staff", "operator": "operator", "auditor": "auditor"}


@app.command("issue")
def issue(
    tenant: Annotated[str, typer.Option(help="the business that the key is for")],
    role: Annotated[str, typer.Option(help="owner, staff, operator or auditor")] = "staff",
    label: Annotated[str, typer.Option(help="who or what will hold it")] = "",
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
    as_json: JsonOption = False,
) -> None:
    """Make an API key; it is stored hashed and shown this once."""
    with sentences():
        if role not in _ROLES:
            raise SettingsError(f"There is no role {role!r}: use {', '.join(_ROLES)}.")
        key = asyncio.run(_issue(tenant, _ROLES[role], label, settings_of(tier, environment(data))))
    if as_json:
        show_json({"id": _id_of(key), "tenant": tenant, "role": role, "label": label, "key": key})
    else:
        show(key)


@app.command("list")
def list_keys(
    tenant: Annotated[str, typer.Option(help="the business whose keys are asked for")],
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
    as_json: JsonOption = False,
) -> None:
    """The valid keys of a business, without their secrets."""
    with sentences():
        keys = asyncio.run(_keys(tenant, settings_of(tier, environment(data))))
    if as_json:
        show_json([{**asdict(each), "issued_at": each.issued_at.isoformat()} for each in keys])
        return
    for each in keys:
        show(f"{each.id}  {each.role:<8}  {each.issued_at:%Y-%m-%d %H:%M} UTC  {each.label}".rstrip())
    if not keys:
        show(f"{tenant} has no valid key: `hayai keys issue --tenant {tenant}` makes one.")


@app.command("revoke")
def revoke(
    caller: Annotated[str, typer.Argument(help="the key's id, as `hayai keys list` has it, or the key itself")],
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
    as_json: JsonOption = False,
) -> None:
    """End an API key at once."""
    caller = _id_of(caller)
    with sentences():
        asyncio.run(_revoke(caller, settings_of(tier, environment(data))))
    if as_json:
        show_json({"id": caller, "revoked": True})
    else:
        show(f"The key {caller} is no longer valid.")


def _id_of(key: str) -> str:
    """The id in a key `hk_ID_SECRET`; what is none is taken to be an id."""
    parts = key.split("_")
    return parts[1] if len(parts) == 3 and parts[0] == "hk" else key  # noqa: PLR2004 - a key has three parts


async def _issue(tenant: str, role: CallerRole, label: str, settings: InstallSettings) -> str:
    async with standing_install(settings) as install:
        install.tier.business(tenant)
        key = await install.tier.identity.issue(tenant=tenant, role=role, label=label)
    return key.get_secret_value()


async def _keys(tenant: str, settings: InstallSettings) -> Sequence[IssuedKey]:
    async with standing_install(settings) as install:
        install.tier.business(tenant)
        return await install.tier.identity.keys(tenant=tenant)


async def _revoke(caller: str, settings: InstallSettings) -> None:
    async with standing_install(settings) as install:
        await install.tier.identity.revoke(caller)
