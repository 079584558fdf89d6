"""Finding: free starts for what the customer wishes, or near to it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from hayai_receptionist.desk import Desk
    from hayai_receptionist.talk import Wish

OFFERED = 3
"""How many starts are offered at once."""
_APART = timedelta(hours=1)
"""How far from each other offered starts are, where there are enough."""
_REACHES = (1, 3, 9, 27, 81, 243, 729)
"""How many days before and after a wished start are looked at, wider as long as too few are free."""
_MANY = 500
_READ = 14
"""How many windows of a wish without a date are looked at."""


async def offers(desk: Desk, service: str, wishes: Sequence[Wish], seen: Collection[datetime] = ()) -> list[datetime]:
    """Up to OFFERED free starts inside the wishes, spread over their days and hours, none that was `seen`."""
    found: dict[datetime, None] = {}
    for wish in wishes[:_READ]:
        if wish.spare and found:
            break
        free = await desk.free(service, wish.start, wish.end)
        found |= dict.fromkeys(each for each in free if each not in seen)
        if len({desk.local(each).date() for each in found}) >= OFFERED:
            break
    return sorted(found)[:OFFERED] if any(each.soonest for each in wishes) else spread(sorted(found), desk)


def spread(free: Sequence[datetime], desk: Desk) -> list[datetime]:
    """At most OFFERED of the free starts: of different days where there are, else early, middle and late."""
    days: dict[object, list[datetime]] = {}
    for each in free:
        days.setdefault(desk.local(each).date(), []).append(each)
    if len(days) >= OFFERED:
        return [starts[0] for starts in list(days.values())[:OFFERED]]
    if len(free) <= OFFERED:
        return list(free)
    if len(days) == 2:  # noqa: PLR2004 - two of the first day, one of the second
        first, second = days.values()
        return sorted({first[0], first[len(first) // 2], second[0]})
    return [free[0], free[len(free) // 2], free[-1]]


async def around(
    desk: Desk, service: str, wanted: datetime, known: Sequence[datetime] = (), seen: Collection[datetime] = ()
) -> list[datetime]:
    """Free starts near `wanted`, in order of time: at least two wherever the calendar has them."""
    last = desk.now + desk.business.schedule.horizon
    wanted = min(max(wanted, desk.now), last)
    free = set(known)
    for days in _REACHES:
        reach = timedelta(days=days)
        free |= set(await desk.free(service, wanted - reach, wanted, _MANY))
        free |= set(await desk.free(service, wanted, wanted + reach, _MANY))
        if len(free - set(seen)) >= OFFERED or reach > desk.business.schedule.horizon:
            break
    return sorted(_near(sorted(free - set(seen)), wanted, desk))


def _near(free: Sequence[datetime], wanted: datetime, desk: Desk) -> list[datetime]:
    """Of the free starts the two beside `wanted` on its day, and the nearest others that are not all next to them."""
    ranked = sorted(free, key=lambda each: (abs(each - wanted), each))
    day = [each for each in ranked if desk.local(each).date() == desk.local(wanted).date()]
    sides = [[each for each in day if each <= wanted][:1], [each for each in day if each > wanted][:1]]
    chosen = [each for side in sides for each in side]
    for gap in (_APART, timedelta(0)):
        for each in ranked:
            if len(chosen) < OFFERED and all(abs(each - other) >= gap and each != other for other in chosen):
                chosen.append(each)
    return chosen
