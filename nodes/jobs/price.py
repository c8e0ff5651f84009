"""What the model costs, where the service tells: asked beside the work, which never waits for it."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import Final

from ..runcomfy.client import RunComfy
from ..runcomfy.errors import RunComfyError
from ..runcomfy.responses import ModelInfo
from .clock import Clock
from .events import dollars
from .executors import Executors

BEST_BEFORE: Final = 3600.0
"""Seconds after which it is asked for again."""


class ListPrice:
    """The list price of a client's model. Calling it gives what is known by now: `$0.02 per second`, or nothing."""

    def __init__(self, client: RunComfy, executors: Executors, clock: Clock) -> None:
        self._client = client
        self._executors = executors
        self._clock = clock
        self._known = ""
        self._asked: float | None = None

    def __call__(self) -> str:
        now = self._clock.monotonic()
        if self._asked is None or now - self._asked > BEST_BEFORE:
            self._asked = now
            self._executors.calls.submit(self._client.model_info).add_done_callback(self._learn)
        return self._known

    def _learn(self, answer: Future[ModelInfo]) -> None:
        try:
            self._known = price_of(answer.result())
        except (RunComfyError, CancelledError):
            # It is an extra; whatever is wrong shows at the calls that matter.
            self._known = ""


def price_of(model: ModelInfo) -> str:
    """The price as people write it; nothing where the service does not tell it in full."""
    if model.base_price_usd is None or not model.price_unit:
        return ""
    return f"{dollars(model.base_price_usd)} per {model.price_unit.removeprefix('per ')}"
