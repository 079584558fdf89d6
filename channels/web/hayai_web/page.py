"""Page: a business's own page, with its hours, services and prices, and the chat beside them."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

from hayai_web.hours import differing, open_now, week

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from hayai.business import Business
    from hayai.schedule import Service

_HOUR = 60


def page_headers(origins: Iterable[str]) -> dict[str, str]:
    """What a browser may do on our page: nothing but our own files and socket; who may frame it: `origins`."""
    framed_by = " ".join(["'self'", *origins])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {framed_by}"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cache-Control": "no-cache",
    }


def page(template: str, business: Business, now: datetime) -> str:
    """The page of `business` as HTML; everything from its file is escaped."""
    state = open_now(business.schedule, now)
    return Template(template).substitute(
        tenant=escape(business.tenant),
        name=escape(business.name),
        monogram=escape(_monogram(business.name)),
        trade=escape(business.trade[:1].upper() + business.trade[1:]),
        state=escape(state),
        openness="open" if state.startswith("Open now") else "closed",
        contact=_contact(business),
        call=_call(business),
        hours=_hours(business, now),
        services="".join(_service(each) for each in business.schedule.services),
    )


def _monogram(name: str) -> str:
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper()


def _telephone(phone: str) -> str:
    return "tel:" + "".join(each for each in phone if each.isdigit() or each == "+")


def _call(business: Business) -> str:
    if not business.phone:
        return ""
    return f'<a class="button quiet" href="{escape(_telephone(business.phone))}">Call {escape(business.phone)}</a>'


def _contact(business: Business) -> str:
    rows = [
        ("Address", escape(business.address)) if business.address else None,
        ("Phone", _link(_telephone(business.phone), business.phone)) if business.phone else None,
        ("Email", _link(f"mailto:{business.email}", business.email)) if business.email else None,
    ]
    return "".join(f"<div><dt>{row[0]}</dt><dd>{row[1]}</dd></div>" for row in rows if row)


def _link(target: str, text: str) -> str:
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def _hours(business: Business, now: datetime) -> str:
    today = now.astimezone(business.schedule.zone).date()
    rows = [
        _row("today" if day == today.weekday() else "", name, hours) for day, name, hours in week(business.schedule)
    ]
    for day, hours, reason in differing(business.schedule, today):
        told = f"{day:%a}, {day.day} {day:%b}"
        why = f'<span class="reason">{escape(reason[:1].upper() + reason[1:])}</span>' if reason else ""
        rows.append(_row("differs", told + why, hours))
    return "".join(rows)


def _row(kind: str, day: str, hours: str) -> str:
    """`day` is HTML already."""
    return f'<tr class="{kind}"><th scope="row">{day}</th><td>{_lines(hours)}</td></tr>'


def _lines(hours: str) -> str:
    return "<br>".join(escape(each) for each in hours.split(", "))


def _service(service: Service) -> str:
    price = f'<span class="price">{escape(service.price)}</span>' if service.price else ""
    return (
        f'<li><span class="service"><span class="name">{escape(service.name)}</span>'
        f'<span class="length">{_length(service.duration)}</span></span>{price}</li>'
    )


def _length(duration: timedelta) -> str:
    hours, minutes = divmod(round(duration.total_seconds() / 60), _HOUR)
    told = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    return " ".join(each for each in told if each)
