"""The widget in a real browser: on a strange home page, by keyboard, offline, across reloads and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.async_api import expect

from hayai.testing.web import listening

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page, Route

    from hayai.testing.channel import House

pytestmark = pytest.mark.journey

Serve = Callable[..., AbstractAsyncContextManager[str]]


async def opened(browser: Browser, url: str) -> Page:
    """The business's own page in a browser of its own; a mistake in the page's scripts fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"The page's script failed: {error}"))
    await page.goto(f"{url}/web/chat/smile-dental")
    await page.get_by_text("Hello, this is Smile Dental.").wait_for()
    return page


async def write(page: Page, text: str) -> None:
    """Type into the field and press Enter."""
    field = page.get_by_label("Your message")
    await field.fill(text)
    await field.press("Enter")


def log(page: Page) -> Locator:
    """The transcript."""
    return page.get_by_role("log")


def bubbles(page: Page) -> Locator:
    """The texts of the transcript, the greeting left out."""
    return page.locator(".bubble:not(.greeting):not(.typing):not(.growing) .text")


async def test_a_message_is_answered_and_ticked(browser: Browser, url: str) -> None:
    """It shows at once, gets its tick, and the answer brings its choices, which are sent by a click."""
    page = await opened(browser, url)
    await write(page, "good morning")
    await expect(bubbles(page)).to_have_text(["good morning", "You said: good morning"])
    await expect(page.locator(".bubble.customer .state")).to_have_attribute("title", "Sent")
    await page.get_by_role("group", name="Suggested answers").get_by_role("button", name="Yes").click()
    await expect(bubbles(page)).to_have_text(["good morning", "You said: good morning", "Yes", "You said: Yes"])


async def test_a_message_that_is_acknowledged_stays_where_it_is(browser: Browser, url: str) -> None:
    """Taken out and put in again it would flash, and be read out a second time."""
    page = await opened(browser, url)
    await log(page).evaluate(
        "log => { window.taken = 0; new MutationObserver((changes) => { for (const each of changes) "
        "for (const node of each.removedNodes) window.taken += node.classList.contains('customer') })"
        ".observe(log, { childList: true }) }"
    )
    await write(page, "silence one")
    await write(page, "two")
    await expect(bubbles(page)).to_have_text(["silence one", "two", "You said: two"])
    assert await page.evaluate("window.taken") == 0


async def test_an_answer_grows_and_is_replaced_by_the_whole(browser: Browser, url: str) -> None:
    """The pieces show as they come, hidden from screen readers; the line takes their place and is announced."""
    page = await opened(browser, url)
    await write(page, "speak slowly to me please")
    growing = page.locator(".growing")
    await expect(growing).to_contain_text("You said: speak")
    await expect(growing).to_have_attribute("aria-hidden", "true")
    await expect(bubbles(page).last).to_have_text("You said: speak slowly to me please")
    await expect(growing).to_have_count(0)
    await expect(page.locator(".typing")).to_have_count(0)


async def test_what_somebody_writes_is_never_html(browser: Browser, url: str) -> None:
    """A tag is shown as it was typed and does nothing."""
    page = await opened(browser, url)
    page.on("dialog", lambda dialog: pytest.fail("A script ran."))
    hostile = '<img src=x onerror=alert(1)><b>bold</b> & "quotes"'
    await write(page, hostile)
    await expect(bubbles(page)).to_have_text([hostile, f"You said: {hostile}"])
    assert await page.evaluate("document.querySelector('hayai-chat').shadowRoot.querySelectorAll('img, b').length") == 0


async def test_the_chat_is_still_there_after_a_reload(browser: Browser, url: str) -> None:
    """And in a second tab, where each sees what the other says, once."""
    page = await opened(browser, url)
    await write(page, "one")
    await expect(bubbles(page)).to_have_count(2)
    await page.reload()
    await expect(bubbles(page)).to_have_text(["one", "You said: one"])
    tab = await page.context.new_page()
    await tab.goto(page.url)
    await write(tab, "two")
    for each in (page, tab):
        await expect(bubbles(each)).to_have_text(["one", "You said: one", "two", "You said: two"])


async def test_two_tabs_that_open_at_once_share_a_conversation(browser: Browser, url: str) -> None:
    """The one that is greeted second joins the first."""
    context = await browser.new_context()
    one, two = await context.new_page(), await context.new_page()
    await asyncio.gather(*(each.goto(f"{url}/web/chat/smile-dental") for each in (one, two)))
    for each in (one, two):
        await each.locator("hayai-chat[data-state=open]").wait_for()
    await write(one, "hello")
    await write(two, "silence")
    for each in (one, two):
        await expect(bubbles(each)).to_have_count(3)


async def test_what_is_written_offline_is_sent_later_and_once(browser: Browser, house: House, url: str) -> None:
    """The page says that it is offline, keeps two messages in order over a reload, and sends them when it is back."""
    page = await opened(browser, url)
    await page.context.set_offline(offline=True)
    await expect(page.get_by_text("You are offline.").first).to_be_visible()
    await write(page, "silence one")
    await write(page, "two")
    await expect(page.locator(".bubble.customer .state").first).to_have_attribute("title", "Sending…")
    await page.context.set_offline(offline=False)
    await expect(bubbles(page)).to_have_text(["silence one", "two", "You said: two"])
    await expect(page.locator(".connection")).to_be_hidden()
    await house.bus.settle()
    assert [received.text for received, _ in house.received] == ["silence one", "two"]


async def test_a_message_that_was_kept_over_a_reload_is_sent(browser: Browser, house: House, url: str) -> None:
    """The bus is away, the visitor reloads, the bus comes back: the message is there once."""
    page = await opened(browser, url)
    house.bus.broken = True
    await write(page, "do not lose me")
    await expect(page.get_by_text("We could not take that just now; it will be sent again.").first).to_be_visible()
    await page.reload()
    await expect(bubbles(page)).to_have_text(["do not lose me"])
    house.bus.broken = False
    await expect(bubbles(page)).to_have_text(["do not lose me", "You said: do not lose me"], timeout=15_000)
    await expect(page.locator(".bubble.customer .state")).to_have_attribute("title", "Sent")
    assert len(house.received) == 1


async def test_a_chat_whose_looks_do_not_come_is_shown_once_they_do(browser: Browser, url: str) -> None:
    """A proxy that answers 502 for a moment must not take the chat off the page until somebody reloads it."""
    page = await browser.new_page()
    answers = ["502", "lost"]

    async def stumble(route: Route) -> None:
        match answers.pop(0) if answers else "":
            case "502":
                await route.fulfill(status=502, body="h1 { color: red }")
            case "lost":
                await route.abort()
            case _:
                await route.continue_()

    await page.route("**/chat.css", stumble)
    await page.goto(f"{url}/web/chat/smile-dental")
    await expect(page.get_by_text("Hello, this is Smile Dental.")).to_be_visible(timeout=15_000)
    await expect(page.locator(".bubble.greeting")).to_have_css("position", "relative")
    assert answers == []


async def test_what_waited_for_a_day_is_not_sent_unasked(browser: Browser, house: House, url: str) -> None:
    """Its "tomorrow" is today: the page offers it to its writer, once, and sends what they make of it."""
    page = await opened(browser, url)
    await page.evaluate(
        "for (const key of Object.keys(localStorage)) if (key.endsWith('.session')) "
        "localStorage.setItem(key.replace(/session$/, 'outbox.m1'), "
        "JSON.stringify({ id: 'm1', text: 'tomorrow, please', at: Date.now() - 86400000 }))"
    )
    await page.reload()
    await expect(page.get_by_text("This could not be sent at the time.")).to_have_count(1)
    await page.screenshot(path="test-results/of-yesterday.png")
    assert house.received == []
    await page.get_by_role("button", name="Edit").click()
    await expect(page.get_by_label("Your message")).to_have_value("tomorrow, please")
    await write(page, "today, please")
    await expect(bubbles(page).last).to_have_text("You said: today, please")
    await page.reload()
    await expect(bubbles(page).last).to_have_text("You said: today, please")
    await expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    assert [received.text for received, _ in house.received] == ["today, please"]


async def test_what_waited_for_a_day_and_is_in_the_transcript_is_passed_on(
    browser: Browser, house: House, url: str
) -> None:
    """It was recorded and the bus was away: nobody has answered it, and it stands there as said."""
    page = await opened(browser, url)
    house.bus.broken = True
    await write(page, "good morning")
    await expect(page.get_by_text("We could not take that just now").first).to_be_visible()
    await page.evaluate(
        "for (const key of Object.keys(localStorage)) if (key.includes('.outbox.')) localStorage.setItem(key, "
        "JSON.stringify({ ...JSON.parse(localStorage[key]), at: Date.now() - 86400000 }))"
    )
    house.bus.broken = False
    await page.reload()
    await expect(bubbles(page)).to_have_text(["good morning", "You said: good morning"])
    await expect(page.locator(".bubble.customer .state")).to_have_attribute("title", "Sent")


async def test_the_page_comes_back_to_a_server_that_restarted(browser: Browser, serve: Serve) -> None:
    """It says that it is reconnecting, keeps what is written meanwhile, and goes on."""
    async with serve(port=0) as url:
        page = await opened(browser, url)
        await write(page, "before")
        await expect(bubbles(page)).to_have_count(2)
    await expect(page.get_by_text("Reconnecting…").first).to_be_visible()
    await write(page, "between")
    async with serve(port=int(url.rpartition(":")[2])):
        everything = ["before", "You said: before", "between", "You said: between"]
        await expect(bubbles(page)).to_have_text(everything, timeout=20_000)
        await expect(page.locator(".connection")).to_be_hidden()


async def test_a_session_that_has_ended_begins_anew(browser: Browser, serve: Serve) -> None:
    """The page says so and works on."""
    async with serve() as url:
        page = await opened(browser, url)
        await write(page, "hello")
        await expect(bubbles(page)).to_have_count(2)
        await page.evaluate(
            "for (const key of Object.keys(localStorage)) if (key.endsWith('.session')) "
            "localStorage.setItem(key, JSON.stringify(JSON.parse(localStorage[key]).slice(0, -2) + 'xx'))"
        )
        await page.reload()
        await page.get_by_text("Hello, this is Smile Dental.").wait_for()
        await write(page, "again")
        await expect(bubbles(page)).to_have_text(["again", "You said: again"])


async def test_too_long_a_message_cannot_be_sent_and_too_fast_ones_wait(browser: Browser, serve: Serve) -> None:
    """The field counts; the banner says how long to wait."""
    async with serve(message_length=20, messages_per_minute=1) as url:
        page = await opened(browser, url)
        field, send = page.get_by_label("Your message"), page.get_by_role("button", name="Send")
        await field.fill("x" * 19)
        await expect(page.get_by_text("1 left")).to_be_visible()
        await field.fill("x" * 23)
        await expect(page.get_by_text("3 too many")).to_be_visible()
        await expect(send).to_be_disabled()
        await write(page, "silence")
        await write(page, "more")
        await expect(page.get_by_text("You are writing faster than we can read").first).to_be_visible()


async def test_one_script_tag_puts_the_chat_on_any_home_page(browser: Browser, serve: Serve) -> None:
    """On another origin, with nothing but the keyboard: open, write, close with Escape, see that there is news."""
    home = FastAPI()
    async with listening(home) as origin, serve(origins=[origin]) as url:

        @home.get("/")
        async def front() -> HTMLResponse:
            tag = (
                f'<script src="{url}/web/widget.js" data-business="smile-dental" data-accent="#7a1f5c" async></script>'
            )
            styles = "<style>p, button, h2 { color: red !important; font-size: 40px !important }</style>"
            return HTMLResponse(f"<!doctype html><html lang=en><title>Smile</title>{styles}<h1>Smile</h1>{tag}")

        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.goto(origin)
        launcher = page.get_by_role("button", name="Open chat")
        await launcher.wait_for()
        await page.keyboard.press("Tab")
        await expect(launcher).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog", name="Chat with us")).to_be_visible()
        await expect(page.get_by_label("Your message")).to_be_focused()
        await page.keyboard.type("hello")
        await page.keyboard.press("Enter")
        await expect(bubbles(page)).to_have_text(["hello", "You said: hello"])
        await page.screenshot(path="test-results/widget-on-a-home-page.png")
        await page.keyboard.type("speak slowly")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await expect(page.get_by_role("button", name="Open chat, 1 new message")).to_be_focused()


async def test_a_bright_accent_is_written_on_in_black(browser: Browser, serve: Serve) -> None:
    """A business chooses its colour, and its customers can read; the words are said in the language that they have."""
    home = FastAPI()
    async with listening(home) as origin, serve(origins=[origin]) as url:

        @home.get("/")
        async def front(accent: str) -> HTMLResponse:
            tag = f'<script src="{url}/web/widget.js" data-business="smile-dental" data-accent="{accent}"'
            return HTMLResponse(f"<!doctype html><html lang=de><title>Smile</title>{tag} data-open async></script>")

        for accent, ink in (("gold", "rgb(0, 0, 0)"), ("%237a1f5c", "rgb(255, 255, 255)")):
            page = await browser.new_page()
            await page.goto(f"{origin}?accent={accent}")
            heading = page.get_by_role("heading", name="Chat with us")
            await expect(heading).to_have_css("color", ink)
            await expect(page.locator("hayai-chat")).to_have_attribute("lang", "en")
            await write(page, "hello")
            await page.get_by_role("button", name="Yes").wait_for()
            await page.screenshot(path=f"test-results/widget-in-{ink[4]}.png")
            await page.close()


async def test_a_page_that_is_asked_to_come_back_says_why(browser: Browser, serve: Serve) -> None:
    """The sentence stays for as long as the chat is not let in, and goes when it is."""
    async with serve(sockets_per_visitor=1) as url:
        page = await opened(browser, url)
        tab = await page.context.new_page()
        await tab.goto(page.url)
        why = tab.locator(".connection", has_text="This chat is open in too many tabs: close one.")
        await expect(why).to_be_visible()
        await tab.wait_for_timeout(1500)
        await expect(why).to_be_visible()
        await page.close()
        await expect(tab.locator(".connection")).to_be_hidden(timeout=20_000)
        await expect(tab.get_by_text("Hello, this is Smile Dental.")).to_be_visible()


@pytest.mark.parametrize(("width", "modal"), [(390, True), (1280, False)])
async def test_tab_does_not_leave_a_panel_that_covers_the_page(
    browser: Browser, serve: Serve, width: int, modal: bool
) -> None:
    """On a phone, or enlarged four times, what is behind cannot be seen; beside a page, Tab goes on to it."""
    home = FastAPI()
    async with listening(home) as origin, serve(origins=[origin]) as url:

        @home.get("/")
        async def front() -> HTMLResponse:
            tag = f'<script src="{url}/web/widget.js" data-business="smile-dental" data-open async></script>'
            return HTMLResponse(f"<!doctype html><html lang=en><title>Smile</title><a href='#'>Behind</a>{tag}")

        page = await browser.new_page(viewport={"width": width, "height": 800})
        await page.goto(origin)
        await write(page, "hello")
        await page.get_by_role("button", name="Yes").wait_for()
        seen = []
        for key in ["Tab"] * 8 + ["Shift+Tab"] * 8:
            await page.keyboard.press(key)
            seen.append(await page.evaluate("document.activeElement.localName"))
        assert (set(seen) == {"hayai-chat"}) is modal
        assert (await page.get_by_role("dialog").get_attribute("aria-modal") == "true") is modal
        await page.get_by_label("Your message").focus()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_a_home_page_that_is_not_listed_is_told_so(browser: Browser, serve: Serve) -> None:
    """One sentence in the chat, and no further attempts."""
    home = FastAPI()
    async with listening(home) as origin, serve() as url:

        @home.get("/")
        async def front() -> HTMLResponse:
            tag = f'<script src="{url}/web/widget.js" data-business="smile-dental" data-open async></script>'
            return HTMLResponse(f"<!doctype html><html lang=en><title>Strange</title>{tag}")

        page = await browser.new_page()
        await page.goto(origin)
        await expect(page.get_by_text("This chat is not available here.").first).to_be_visible()


async def test_the_chat_fits_a_phone(browser: Browser, url: str) -> None:
    """Nothing is wider than the screen, the field does not make the phone zoom in, buttons are large enough."""
    phone = await browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = await phone.new_page()
    await page.goto(f"{url}/web/chat/smile-dental")
    await write(page, "averylongwordwithoutanyspace" * 10)
    await expect(bubbles(page)).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await page.get_by_label("Your message").evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 16
    for button in await page.get_by_role("button").all():
        box = await button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40


async def test_a_screen_reader_finds_its_way(browser: Browser, url: str) -> None:
    """The transcript is a polite log, the field has a label, who speaks is said, the status is a status."""
    page = await opened(browser, url)
    await expect(log(page)).to_have_attribute("aria-live", "polite")
    await write(page, "hello")
    await expect(log(page)).to_contain_text("You: hello")
    await expect(log(page)).to_contain_text("Smile Dental: You said: hello")
    await expect(log(page)).to_have_attribute("aria-busy", "false")
    await expect(page.get_by_role("status")).to_have_count(1)
    await expect(page.get_by_role("region", name="Chat with us")).to_be_visible()


async def test_the_newest_line_is_in_sight_unless_somebody_reads_above(browser: Browser, url: str) -> None:
    """Also when suggested answers take room; who scrolled up is left there."""
    page = await opened(browser, url)
    for number in range(8):
        await write(page, f"a message that is long enough for two lines of the narrow panel, number {number}")
        await expect(bubbles(page)).to_have_count(2 * number + 2)
    left = "e => e.scrollHeight - e.scrollTop - e.clientHeight"
    assert await log(page).evaluate(left) < 2
    await log(page).evaluate("e => e.scrollTo(0, 0)")
    await write(page, "I scrolled up, and what I write brings me down")
    await expect(bubbles(page)).to_have_count(18)
    assert await log(page).evaluate(left) < 2
    tab = await page.context.new_page()
    await tab.goto(page.url)
    await expect(bubbles(tab)).to_have_count(18)
    assert await log(tab).evaluate(left) < 2
    await log(tab).evaluate("e => e.scrollTo(0, 0)")
    await write(page, "said in the other tab")
    await expect(bubbles(tab)).to_have_count(20)
    assert await log(tab).evaluate("e => e.scrollTop") == 0
