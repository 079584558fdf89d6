"""`hayai keys`: API keys for staff and operators."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from hayai.cli.options import DataOption, JsonOption, TierOption
from hayai.cli.output import sentences, show, show_json
from hayai.errors import SettingsError
from hayai.ports.identity import CallerRole
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
        show_json({"tenant": tenant, "role": role, "key": key})
    else:
        show(key)


@app.command("revoke")
def revoke(
    caller: Annotated[str, typer.Argument(help="the key's id: what stands between the underscores")],
    tier: TierOption = None,
    data: DataOption = Path(".hayai"),
) -> None:
    """End an API key at once."""
    with sentences():
        asyncio.run(_revoke(caller, settings_of(tier, environment(data))))
    show(f"The key {caller} is no longer valid.")


async def _issue(tenant: str, role: CallerRole, label: str, settings: InstallSettings) -> str:
    async with standing_install(settings) as install:
        install.tier.business(tenant)
        key = await install.tier.identity.issue(tenant=tenant, role=role, label=label)
    return key.get_secret_value()


async def _revoke(caller: str, settings: InstallSettings) -> None:
    async with standing_install(settings) as install:
        await install.tier.identity.revoke(caller)
