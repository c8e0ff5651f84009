"""Pictures of the real web UI for the documentation, taken while the tests run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import FloatRect, Locator, Page

QUALITY = 88  # of 100; text stays sharp


@dataclass(frozen=True)
class Screenshots:
    """Where pictures go; None takes none."""

    folder: Path | None

    def take(self, name: str, shown: Page | Locator) -> None:
        """Saves what is shown as `name`.jpg."""
        if self.folder is not None:
            shown.screenshot(path=self.folder / f"{name}.jpg", type="jpeg", quality=QUALITY)

    def take_part(self, name: str, page: Page, part: FloatRect) -> None:
        """Saves a part of a page as `name`.jpg."""
        if self.folder is not None:
            page.screenshot(path=self.folder / f"{name}.jpg", type="jpeg", quality=QUALITY, clip=part)
