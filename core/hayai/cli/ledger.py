"""`hayai ledger`: what waits there for a person: events that the bus refused, and outward acts that are in doubt."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from hayai.cli.options import DataOption, JsonOption, TierOption
from hayai.cli.output import WRONG, complain, sentences, show, show_json
from hayai.ledger.doubts import Doubts
from hayai.ledger.refusals import Refusals
from hayai.pools import Pool
from hayai.runtime.oversight import overseen_ledger
from hayai.runtime.standing import environment, settings_of

app = typer.Typer(help="Decide what the ledger keeps for a person.", no_args_is_help=True)
refused = typer.Typer(help="Events that the bus would not take.", no_args_is_help=True)
doubts = typer.Typer(help="Outward acts of which nobody knows whether they were done.", no_args_is_help=True)
app.add_typer(refused, name="refused")
app.add_typer(doubts, name="doubts")

T = TypeVar("T")
TenantOption = Annotated[str | None, typer.Option(help="One tenant's alone.")]
Tenant = Annotated[str, typer.Argument(help="Whose event it is.")]
EventId = Annotated[str, typer.Argument(help="The event's id, as the list has it.")]
Reference = Annotated[str, typer.Argument(help="The doubt's reference, as the list has it.")]
Result = Annotated[str, typer.Option(help="What the act returned, as JSON: the provider's id of a text, for example.")]
_MOST = 1000


@refused.command("list")
def list_refused(
    tenant: TenantOption = None, tier: TierOption = None, data: DataOption = Path(".hayai"), as_json: JsonOption = False
) -> None:
    """List them, the oldest first, up to a thousand."""
    with sentences():
        found = _asked(tier, data, lambda pool: Refusals(pool).waiting(tenant=tenant, most=_MOST))
    if as_json:
        show_json([{**asdict(each), "refused_at": each.refused_at.isoformat()} for each in found])
        return
    for each in found:
        show(f"{each.tenant}  {each.id}  {each.type}  {each.error}  {each.bytes} bytes  {_moment(each.refused_at)}")
    if not found:
        show("The bus has refused nothing.")


@refused.command("retry")
def retry(tenant: Tenant, event: EventId, tier: TierOption = None, data: DataOption = Path(".hayai")) -> None:
    """Put one into the outbox again, once the bus would take it: its limit of bytes was raised, for example."""
    with sentences():
        done = _asked(tier, data, lambda pool: Refusals(pool).retry(tenant, event))
    _say(done, "It is in the outbox again.", _no_refused(tenant, event))


@refused.command("drop")
def drop(tenant: Tenant, event: EventId, tier: TierOption = None, data: DataOption = Path(".hayai")) -> None:
    """Forget one for good."""
    with sentences():
        done = _asked(tier, data, lambda pool: Refusals(pool).drop(tenant, event))
    _say(done, "It is dropped.", _no_refused(tenant, event))


@doubts.command("list")
def list_doubts(tier: TierOption = None, data: DataOption = Path(".hayai"), as_json: JsonOption = False) -> None:
    """List them, the oldest first, up to a thousand."""
    with sentences():
        found = _asked(tier, data, lambda pool: Doubts(pool).waiting(_MOST))
    if as_json:
        show_json(
            [{"ref": each.reference, **asdict(each), "claimed_at": each.claimed_at.isoformat()} for each in found]
        )
        return
    for each in found:
        what = f"{each.kind} ({each.meaning}) by {each.handler} for event {each.event}"
        show(f"{each.reference}  {each.tenant}  {what}  {_moment(each.claimed_at)}")
    if not found:
        show("Nothing is in doubt.")


@doubts.command("done")
def done(
    reference: Reference, result: Result = "null", tier: TierOption = None, data: DataOption = Path(".hayai")
) -> None:
    """Say that the act was done, as the provider's records show; it is not done again."""
    with sentences():
        returned = _json(result)
        settled = _asked(tier, data, lambda pool: _settle(pool, reference, lambda it, d: it.was_done(d, returned)))
    _say(settled, "It is recorded as done.", _no_doubt(reference))


@doubts.command("again")
def again(reference: Reference, tier: TierOption = None, data: DataOption = Path(".hayai")) -> None:
    """Say that the act was not done; it is, once its event is handled again."""
    with sentences():
        settled = _asked(tier, data, lambda pool: _settle(pool, reference, Doubts.was_not_done))
    _say(settled, "It is done when its event is handled again.", _no_doubt(reference))


async def _settle(pool: Pool, reference: str, decide: Callable[[Doubts, Any], Awaitable[bool]]) -> bool:
    """False where the doubt is not there, or is over by now."""
    it = Doubts(pool)
    found = [each for each in await it.waiting(_MOST) if each.reference == reference]
    return bool(found) and await decide(it, found[0])


def _asked(tier: Path | None, data: Path, ask: Callable[[Pool], Awaitable[T]]) -> T:
    settings = settings_of(tier, environment(data))

    async def answer() -> T:
        async with overseen_ledger(settings) as pool:
            return await ask(pool)

    return asyncio.run(answer())


def _json(text: str) -> Any:
    """What is no JSON ends the command."""
    try:
        return json.loads(text)
    except ValueError:
        complain("hayai: --result is no JSON: put a text into double quotes, as --result '\"SM17\"'.")
        sys.exit(WRONG)


def _say(done: bool, sentence: str, otherwise: str) -> None:
    if not done:
        complain(f"hayai: {otherwise}")
        sys.exit(WRONG)
    show(sentence)


def _no_refused(tenant: str, event: str) -> str:
    return f"{tenant} has no refused event {event}: `hayai ledger refused list` shows which there are."


def _no_doubt(reference: str) -> str:
    return f"Nothing called {reference} is in doubt, or no more: `hayai ledger doubts list` shows what is."


def _moment(instant: Any) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
