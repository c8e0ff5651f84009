"""The jobs panel, open in a browser while everything else happens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Locator, Page, expect

from nodes.jobs.events import dollars
from nodes.jobs.listing import PAGE
from tests.browser.conftest import OURS, chromium, watched_page
from tests.browser.ui import Ui

from .resources import PageResources

NO_SERVER: Final = re.compile("net::ERR_|Failed to fetch")
"""Is in what a page complains of when its server is away."""


class Panel:
    """The panel in a page of ComfyUI's web UI, and what goes ``wrong`` there."""

    def __init__(self, page: Page, wrong: list[str]) -> None:
        self._page, self._wrong = page, wrong
        self._panel = page.locator(".seedance-jobs")
        self._devtools = page.context.new_cdp_session(page)
        self.measured: list[PageResources] = []
        self.problems: list[str] = []

    def browse(self) -> None:
        """Go to its end, where it brings older jobs."""
        self._panel.evaluate("(panel) => panel.querySelector('ul').lastElementChild?.scrollIntoView()")

    def expect_back(self) -> None:
        """Expect it to be as before, a while after a server that was away is there again."""
        self._expect(self._panel.get_by_role("status"), "")
        self._wrong[:] = [each for each in self._wrong if not NO_SERVER.search(each)]

    def expect_totals(self, cost: float) -> None:
        """Expect what all videos have cost, in US dollars."""
        self._expect(self._panel.locator("> .seedance-facts"), re.compile(f"all {re.escape(dollars(cost))}$"))

    def measure(self, jobs: int) -> None:
        """Note what the page holds when it shows the newest of so many jobs."""
        self._panel.evaluate("(panel) => panel.querySelector('li')?.scrollIntoView()")
        self._panel.get_by_role("combobox").select_option("All jobs")
        expect(self._panel.get_by_role("listitem")).to_have_count(min(jobs, PAGE))
        self.measured.append(PageResources.of(self._devtools))

    def _expect(self, part: Locator, text: str | re.Pattern[str]) -> None:
        try:
            expect(part).to_have_text(text)
        except AssertionError as error:
            self.problems.append(f"the jobs panel: {' '.join(str(error).splitlines()[:2])}")


@contextmanager
def opened_panel(url: str) -> Iterator[Panel]:
    """The panel of a ComfyUI with its web UI; afterwards, what went wrong in the page is among its problems."""
    wrong: list[str] = []
    with chromium() as browser, watched_page(browser, wrong) as page:
        Ui.opened(page, url)
        page.get_by_role("button", name="Seedance", exact=True).first.click()
        panel = Panel(page, wrong)
        yield panel
    panel.problems += [f"the page: {each}" for each in wrong if OURS.search(each)]
