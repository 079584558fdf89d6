"""Chromium as Debian packages it, driven by Playwright: for tests that look at a page as a customer does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from playwright.async_api import Browser

CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = (
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """A browser for as long as the context lasts.

    Raises ImportError without Playwright (the extra `hayai[browser]`), FileNotFoundError without Chromium.
    """
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        raise ImportError("Tests in a browser need Playwright: run `pip install 'hayai[browser]'`.") from None
    if not await asyncio.to_thread(Path(CHROMIUM).exists):
        raise FileNotFoundError(f"There is no browser at {CHROMIUM}: run `apt-get install chromium`.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()
