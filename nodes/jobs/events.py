"""What happens to a job, and the one line that says so on the node."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class StopOutcome(Enum):
    """What has become of a job when its run ends early; the value sums it up where there are several of them."""

    NOT_SUBMITTED = "not submitted, nothing charged"
    CANCELLED = "cancelled, nothing charged"
    GOES_ON = "going on, to be charged; the next run of the same graph collects them without a new charge"
    UNCERTAIN = "perhaps charged; the next run of the same graph finds them or says where to look"
    FINISHED = "finished; the next run of the same graph loads them without a new charge"


class Phase(Enum):
    """How far a job is, where its events tell; the value is the word for it."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    DECODING = "decoding"
    UPSCALING = "upscaling"
    DOWNLOADING = "downloading"
    GENERATING = "generating"
    QUEUED = "queued"
    SUBMITTING = "submitting"

    @property
    def is_last(self) -> bool:
        """Whether nothing more comes."""
        return self in (Phase.DONE, Phase.FAILED, Phase.STOPPED)


@dataclass(frozen=True)
class Event:
    """Something the user should see. ``str()`` is the line."""

    phase: ClassVar[Phase | None] = None
    line: ClassVar[str] = "{text}"
    """With the names of its fields."""

    def __str__(self) -> str:
        return self.line.format(**vars(self))


@dataclass(frozen=True)
class Notice(Event):
    """A sentence that fits no other event."""

    text: str


@dataclass(frozen=True)
class Submitting(Event):
    """The request is on its way."""

    phase, line = Phase.SUBMITTING, "Submitting"


@dataclass(frozen=True)
class Queued(Event):
    """The service has the job and has not begun."""

    phase = Phase.QUEUED
    position: int | None
    elapsed: float
    price: str = ""
    """The list price, where the service tells it: `$0.02 per second`."""

    def __str__(self) -> str:
        place = "next" if self.position == 1 else ordinal(self.position or 0)
        return f"Queued{_and(self.position and f'{place} in line')}, {self.elapsed:.0f} s{_and(self.price)}"


@dataclass(frozen=True)
class Generating(Event):
    """The service is at work."""

    phase = Phase.GENERATING
    elapsed: float
    expected: float
    price: str = ""

    def __str__(self) -> str:
        about = " of about" if self.elapsed <= self.expected else ", usually about"
        return f"Generating, {self.elapsed:.0f} s{about} {self.expected:.0f} s{_and(self.price)}"


@dataclass(frozen=True)
class Retrying(Event):
    """Something did not work and will be tried again by itself."""

    line = "{problem} Trying again in {seconds:.0f} s."
    problem: str
    seconds: float


@dataclass(frozen=True)
class Downloading(Event):
    """Bytes of the file, in all where known."""

    phase = Phase.DOWNLOADING
    received: int
    total: int | None

    def __str__(self) -> str:
        of_total = "" if self.total is None else f" of {self.total / 1e6:.1f}"
        return f"Downloading {self.received / 1e6:.1f}{of_total} MB"


@dataclass(frozen=True)
class Decoding(Event):
    """Frames of the file."""

    phase, line = Phase.DECODING, "Decoding {done} of {total} frames"
    done: int
    total: int


@dataclass(frozen=True)
class Upscaling(Event):
    """Frames of the upscaled file."""

    phase = Phase.UPSCALING
    done: int
    total: int
    elapsed: float

    def __str__(self) -> str:
        line = f"Upscaling {self.done} of {self.total} frames"
        if not self.done or not self.elapsed:
            return line
        rate = self.done / self.elapsed
        return f"{line}, {rate:.{1 if rate >= 1 else 2}f} a second, {(self.total - self.done) / rate:.0f} s left"


@dataclass(frozen=True)
class Done(Event):
    """The video is there."""

    phase = Phase.DONE
    elapsed: float
    frames: int
    width: int
    height: int
    fps: float
    cost: float | None
    reused: bool = False
    price: str = ""

    def __str__(self) -> str:
        # A job that an earlier run began may have been ready.
        done = f"Done in {self.elapsed:.0f} s" if round(self.elapsed) else "Done"
        begin = "Loaded again for free" if self.reused else done
        cost = "" if self.reused else self.price if self.cost is None else dollars(self.cost)
        return f"{begin}, {self.frames} frames {self.width}x{self.height} at {self.fps:g} fps{_and(cost)}"


@dataclass(frozen=True)
class Failed(Notice):
    """It ended without a video; the text is the whole message."""

    phase = Phase.FAILED
    urgent: bool = False
    """Nobody knows whether it was charged, which the user is told once."""


@dataclass(frozen=True)
class StopReport(Notice):
    """The run ended early; the text says what has become of the job."""

    phase = Phase.STOPPED
    outcome: StopOutcome


def dollars(amount: float) -> str:
    """An amount with at least cents: `$0.03`, `$0.0042`."""
    return f"${amount:.2f}" if amount == 0 or amount >= 0.01 else f"${amount:.4f}"


def _and(text: object) -> str:
    return f", {text}" if text else ""


def ordinal(number: int) -> str:
    """A place: `1st`, `2nd`, `13th`."""
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
