"""The browser for tests says in a sentence what it lacks."""

from __future__ import annotations

import sys
from importlib.metadata import requires

import pytest

from hayai.testing import browser


async def test_without_playwright_it_says_which_extra_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra of that name is declared, so that the command works."""
    monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    with pytest.raises(ImportError, match=r"pip install 'hayai\[browser\]'"):
        await browser.chromium().__aenter__()
    assert any("playwright" in each and "browser" in each for each in requires("hayai") or ())


async def test_without_chromium_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright's own download is no Debian package."""
    monkeypatch.setattr(browser, "CHROMIUM", "/nowhere/chromium")
    with pytest.raises(FileNotFoundError, match="There is no browser at /nowhere/chromium"):
        await browser.chromium().__aenter__()
