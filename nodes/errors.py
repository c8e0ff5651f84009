"""The base of every error that a user reads: what happened, whether it was charged, what to do."""

from __future__ import annotations

from enum import Enum


class Charge(Enum):
    """What an error means for the user's money; the value is the sentence that says so."""

    NO_MATTER = ""
    """Nothing here could have been charged, and nobody would expect it: a file that cannot be read, say."""
    NOTHING = "Nothing was charged."
    NOT_SUBMITTED = "Nothing was submitted or charged."
    UNKNOWN = "It may have been charged."
    ACCEPTED = "RunComfy had already accepted the job and may charge for it."
    CHARGED = "The job was charged."
    SUCCEEDED = "The job succeeded and was charged."
    SEE_USAGE = "RunComfy's Usage page shows whether the attempt was charged."
    EARLIER = "The job itself was submitted earlier and may have been charged then."


class SeedanceError(Exception):
    """Everything by which one video may fail; all else is a defect, and never skipped.

    Made whole when it is raised and never edited afterwards. ``str()`` is the message for the user.
    """

    def __init__(
        self, message: str, advice: str, *, charge: Charge = Charge.NO_MATTER, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        """What happened, in whole sentences."""
        self.charge = charge
        self.advice = advice
        """What to do, in whole sentences."""
        self.request_id = request_id
        """The job that it is about, where there is one."""

    def __str__(self) -> str:
        job = f"Request id: {self.request_id}." if self.request_id else ""
        return " ".join(filter(None, (self.message, self.charge.value, self.advice, job)))


class StopRequested(Exception):
    """Nobody waits for the result any more: Stop is pressed, or the run is over. Not a failure."""
