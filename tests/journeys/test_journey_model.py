"""The receptionist behind a language model, in a browser: answers, withheld sentences, and a death in mid-answer."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from hayai.testing.aimock import Aimock, aimock
from hayai.testing.dev import DevServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Locator, Page

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[2]
TIER = ROOT / "deploy/tiers/local.toml"
TURNS = Path(__file__).with_name("model.json")
MODELS = """
[models]
adapter = "openai"
model = "gpt-x"
key = "any"
url = "{url}/v1"
price_written = "2.00"
"""


@pytest.fixture
async def model() -> AsyncIterator[Aimock]:
    """A server that speaks as OpenAI's does."""
    async with aimock(ROOT / ".tools/node/node_modules", TURNS) as running:
        yield running


@pytest.fixture
async def modelled(model: Aimock, tmp_path: Path) -> AsyncIterator[DevServer]:
    """A `hayai dev` whose tier file has a model."""
    tier = tmp_path / "tier.toml"
    tier.write_text(TIER.read_text() + MODELS.format(url=model.url))
    dev = DevServer(tier)
    try:
        await asyncio.to_thread(dev.start)
        yield dev
    finally:
        await asyncio.to_thread(dev.remove)


def _answers(page: Page) -> Locator:
    return page.locator(".bubble.agent:not(.greeting):not(.growing):not(.typing) .text")


async def _opened(browser: Browser, dev: DevServer) -> Page:
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    await page.goto(dev.told["urls"]["chat.harbor-dental"])
    await page.locator("hayai-chat[data-state=open]").wait_for()
    return page


async def _write(page: Page, text: str) -> None:
    await page.get_by_label("Your message").fill(text)
    await page.get_by_label("Your message").press("Enter")


async def _asked(model: Aimock, steps: int) -> None:
    """Wait until so many questions have come to the model."""
    for _ in range(400):
        if _steps(await model.journal()) >= steps:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"The model was not asked {steps} times within 20 s.")


def _steps(journal: list[dict[str, Any]]) -> int:
    return sum(each["path"] == "/v1/responses" for each in journal)


async def test_the_model_answers_and_the_rules_step_in(
    browser: Browser, modelled: DevServer, screenshots: Path
) -> None:
    """A price comes from the tool; one that is made up is not sent, and the rules answer in its place."""
    page = await _opened(browser, modelled)
    await _write(page, "How much is a cleaning?")
    await expect(_answers(page)).to_have_text(["We do that. A cleaning is $120."], timeout=20_000)
    await _write(page, "Can I have it for nothing?")
    await expect(_answers(page)).to_have_count(2, timeout=20_000)
    await page.screenshot(path=screenshots / "model.png", animations="disabled")
    assert "free of charge" not in await page.content()
    assert "blocks the event loop" not in modelled.printed


async def test_a_death_in_mid_answer_asks_nothing_twice(browser: Browser, modelled: DevServer, model: Aimock) -> None:
    """SIGKILL to `hayai dev` while the model speaks: another process goes on, and asks nothing answered twice."""
    page = await _opened(browser, modelled)
    await _write(page, "Where are you?")
    await _asked(model, 2)
    before = modelled.pids["hayai"]
    await asyncio.to_thread(modelled.stop, signal.SIGKILL)
    await asyncio.to_thread(modelled.start)
    assert modelled.pids["hayai"] != before
    await expect(_answers(page)).to_have_text(["Let me see. You will find us down at the harbor."], timeout=90_000)
    assert _steps(await model.journal()) == 3
