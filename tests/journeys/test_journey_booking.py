"""A customer books an appointment in a real browser, and it stands in the real database."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, Locator, Page

    from hayai.testing.dev import DevServer

pytestmark = pytest.mark.journey

ANSWERS = (
    (r"what (service|can we|would you like)|which service", "a cleaning"),
    (r"\bname\b", "Ada Lovelace"),
    (r"telephone|phone|mail", "+1 207 555 0199"),
    (r"shall I book", "Yes, book it"),
)
BOOKED = re.compile(r"\bbooked\b")
"""What the receptionist says in the end, and in no question before."""


def agent(page: Page) -> Locator:
    """What the receptionist has said, whole."""
    return page.locator(".bubble.agent:not(.greeting):not(.growing):not(.typing) .text")


async def arrived(page: Page, url: str) -> None:
    """The page is open and the chat is connected."""
    await page.goto(url)
    await page.locator("hayai-chat[data-state=open]").wait_for()


async def say(page: Page, text: str, *, waiting: float = 20) -> str:
    """Write it, wait for the answer; returns the answer."""
    before = await agent(page).count()
    await page.get_by_label("Your message").fill(text)
    await page.get_by_label("Your message").press("Enter")
    await expect(agent(page)).to_have_count(before + 1, timeout=waiting * 1000)
    return await agent(page).last.inner_text()


async def offered(page: Page) -> list[str]:
    """The suggested answers."""
    return await page.get_by_role("group", name="Suggested answers").get_by_role("button").all_inner_texts()


async def reply_to(page: Page, told: str) -> str:
    """What a customer who takes the first time offered says to that."""
    times = [each for each in await offered(page) if re.search(r"\d", each)]
    known = (reply for pattern, reply in ANSWERS if re.search(pattern, told, re.IGNORECASE))
    return times[0] if times else next(known, "yes")


async def booked(page: Page, told: str) -> str:
    """Answer what is asked, taking the first time that is offered, until the booking stands."""
    for _ in range(8):
        if BOOKED.search(told):
            return told
        told = await say(page, await reply_to(page, told))
    pytest.fail(f"Nothing was booked; the receptionist's last words: {told}")


async def confirmed(dev: DevServer, staff: dict[str, str]) -> list[dict[str, Any]]:
    """The confirmed appointments, as the staff API has them from the database."""
    async with httpx.AsyncClient(headers=staff) as client:
        answer = await client.get(f"{dev.told['urls']['api']}/tenants/harbor-dental/appointments")
    assert answer.status_code == 200, answer.text
    return [each for each in answer.json() if each["status"] == "confirmed"]


async def test_a_customer_books_a_cleaning(
    browser: Browser, dev: DevServer, staff: dict[str, str], screenshots: Path
) -> None:
    """Plain words on the page, a row in Postgres; the page is pictured at its beginning and its end."""
    before = await confirmed(dev, staff)
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    await arrived(page, dev.told["urls"]["chat.harbor-dental"])
    await page.screenshot(path=screenshots / "desktop-arrived.png", animations="disabled")
    told = await booked(page, await say(page, "I would like to book a cleaning next week"))
    await page.screenshot(path=screenshots / "desktop-booked.png", animations="disabled")
    after = await confirmed(dev, staff)
    (made,) = [each for each in after if each["id"] not in {known["id"] for known in before}]
    assert made["service"] == "cleaning"
    assert "Cleaning" in told


async def test_a_customer_books_with_the_keyboard_alone(
    browser: Browser, dev: DevServer, staff: dict[str, str]
) -> None:
    """Tab reaches the field and the suggested answers; Enter sends and chooses."""
    before = len(await confirmed(dev, staff))
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    await arrived(page, dev.told["urls"]["chat.harbor-dental"])
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Go to the chat")).to_be_focused()
    await page.keyboard.press("Enter")
    field = page.get_by_label("Your message")
    for _ in range(5):
        await page.keyboard.press("Tab")
        if await field.evaluate("e => e.getRootNode().activeElement === e"):
            break
    await expect(field).to_be_focused()
    await page.keyboard.type("I need a check-up")
    await page.keyboard.press("Enter")
    choices = page.get_by_role("group", name="Suggested answers").get_by_role("button")
    await choices.first.wait_for()
    await page.keyboard.press("Shift+Tab")
    await expect(choices.last).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(agent(page)).to_have_count(2)
    await expect(field).to_be_focused()
    await booked(page, await agent(page).last.inner_text())
    assert len(await confirmed(dev, staff)) == before + 1


async def test_a_customer_books_on_a_phone(
    browser: Browser, dev: DevServer, staff: dict[str, str], screenshots: Path
) -> None:
    """By touch, on a narrow screen, without anything beyond its edge."""
    before = len(await confirmed(dev, staff))
    phone = await browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, device_scale_factor=2
    )
    page = await phone.new_page()
    await arrived(page, dev.told["urls"]["chat.harbor-dental"])
    await page.screenshot(path=screenshots / "phone-arrived.png", animations="disabled")
    await page.get_by_role("link", name="Chat with us").tap()
    told = await say(page, "Do you have anything for a filling on Thursday or Friday next week?")
    await page.screenshot(path=screenshots / "phone-asked.png", animations="disabled")
    await booked(page, told)
    await page.screenshot(path=screenshots / "phone-booked.png", animations="disabled")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert len(await confirmed(dev, staff)) == before + 1


async def test_a_conversation_is_there_after_hayai_was_restarted(browser: Browser, dev: DevServer) -> None:
    """The page reconnects by itself, what was written meanwhile is sent, and nothing shows twice."""
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    await arrived(page, dev.told["urls"]["chat.harbor-dental"])
    await say(page, "What are your opening hours?")
    await asyncio.to_thread(dev.stop)
    await page.get_by_text("Reconnecting…").first.wait_for()
    await page.get_by_label("Your message").fill("And where are you?")
    await page.get_by_label("Your message").press("Enter")
    await asyncio.to_thread(dev.start)
    await expect(agent(page).last).to_contain_text("12 Harbor Street", timeout=60_000)
    customer = page.locator(".bubble.customer .text")
    await expect(customer).to_have_text(["What are your opening hours?", "And where are you?"])
    await expect(agent(page)).to_have_count(2)


async def test_the_chat_goes_on_though_the_bus_is_killed(
    browser: Browser, dev: DevServer, staff: dict[str, str], screenshots: Path
) -> None:
    """SIGKILL to nats-server in mid-conversation: another server takes over, and nothing is asked or said twice."""
    before = len(await confirmed(dev, staff))
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    await arrived(page, dev.told["urls"]["chat.harbor-dental"])
    told = await say(page, "I would like teeth whitening, please")
    killed = await server_id(dev)
    os.kill(nats(dev).pid, signal.SIGKILL)
    told = await say(page, await reply_to(page, told), waiting=60)
    await page.screenshot(path=screenshots / "bus-killed.png", animations="disabled")
    assert await server_id(dev) != killed
    await booked(page, told)
    assert len(await confirmed(dev, staff)) == before + 1
    customer = await page.locator(".bubble.customer .text").all_inner_texts()
    assert len(set(customer)) == len(customer) == await agent(page).count()


def nats(dev: DevServer) -> psutil.Process:
    """The bus that runs now: after a death it is another process than at the beginning."""
    children = psutil.Process(dev.pids["hayai"]).children(recursive=True)
    return next(each for each in children if "nats-server" in each.name())


async def server_id(dev: DevServer) -> str:
    """The id that the server greets its clients with; each start has its own."""
    host, _, port = dev.told["urls"]["nats"].removeprefix("nats://").partition(":")
    for _ in range(100):
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            greeting = (await reader.readline()).decode()
            writer.close()
            if found := re.search(r'"server_id":"(\w+)"', greeting):
                return found[1]
        except OSError:
            await asyncio.sleep(0.1)
    pytest.fail("No bus answers.")
