"""The base of every error that a user reads: what happened, whether it was charged, what to do."""

from __future__ import annotations

from enum import Enum

from .texts import Text


class Charge(Enum):
    """What an error means for the user's money; the value is the key of the sentence that says so."""

    NO_MATTER = ""
    """Nothing here could have been charged, and nobody would expect it: a file that cannot be read, say."""
    NOTHING = "nothing"
    NOT_SUBMITTED = "notSubmitted"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    CHARGED = "charged"
    SUCCEEDED = "succeeded"
    SEE_USAGE = "seeUsage"
    EARLIER = "earlier"


class SeedanceError(Exception):
    """Every reason for which one video may fail; any other exception is a defect, and never skipped.

    Complete when raised, and never edited afterwards. ``str()`` is the message for the user, in English.
    ``key`` names a sentence and its advice in `errors` of the locales, and ``values`` fill them. The key may be a
    `Text` instead, with an ``advice``. ``request_id`` is that of the job, if there is one.
    """

    def __init__(
        self,
        key: str,
        advice: str = "",
        *,
        charge: Charge = Charge.NO_MATTER,
        request_id: str | None = None,
        **values: str | int,
    ) -> None:
        self.message = key if isinstance(key, Text) else Text(f"errors.{key}.message", **values)
        self.charge = charge
        self.advice = advice or Text(f"errors.{key}.advice", **values)
        self.request_id = request_id
        super().__init__(str(self.message))

    @property
    def texts(self) -> tuple[str, ...]:
        charge = Text(f"charge.{self.charge.value}") if self.charge.value else ""
        job = Text("requestId", id=self.request_id) if self.request_id else ""
        return tuple(filter(None, (self.message, charge, self.advice, job)))

    def __str__(self) -> str:
        return " ".join(self.texts)


class StopRequested(Exception):
    """Nobody waits for the result any more: Stop is pressed, or the run is over. Not a failure."""
