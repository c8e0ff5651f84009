"""Pictures of the real web UI for the documentation, taken while the tests run."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page

QUALITY: Final = 88
"""Of 100; text stays sharp."""
FILM_QUALITY: Final = 75
FILM_WIDTH: Final = 800
"""Pixels."""
FILM_PAUSE: Final = 0.08
"""Seconds from one picture of a film to the next, at least."""
FILM_REST: Final = 600
"""Milliseconds for which a film shows a picture at most, however long the page shows it."""
FILM_END: Final = 4000
"""Milliseconds for which a film goes on at its end."""


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

    @contextmanager
    def film(self, name: str, page: Page, part: tuple[int, int, int, int]) -> Iterator[None]:
        """Saves what a part of a page (left, top, right, bottom) shows meanwhile as `name`.webp, which moves."""
        if self.folder is None:
            yield
            return
        shots: list[tuple[float, str]] = []

        def shown(frame: dict[str, Any]) -> None:
            devtools.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})
            time = frame["metadata"]["timestamp"]
            if not shots or time - shots[-1][0] >= FILM_PAUSE:
                shots.append((time, frame["data"]))

        devtools = page.context.new_cdp_session(page)
        devtools.on("Page.screencastFrame", shown)
        devtools.send("Page.startScreencast", {"format": "png"})
        yield
        page.wait_for_timeout(FILM_END)
        devtools.detach()
        ends = [time for time, _ in shots[1:]] + [shots[-1][0] + 2 * FILM_PAUSE]
        size = FILM_WIDTH, FILM_WIDTH * (part[3] - part[1]) // (part[2] - part[0])
        first, *others = (
            Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB").crop(part).resize(size) for _, data in shots
        )
        times = [min(FILM_REST, round(1000 * (end - begin))) for end, (begin, _) in zip(ends, shots, strict=True)]
        file = self.folder / f"{name}.webp"
        first.save(file, save_all=True, append_images=others, duration=times, loop=0, quality=FILM_QUALITY, method=4)
