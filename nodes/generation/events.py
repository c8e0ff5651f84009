"""What happens to a job, and the one line that says so on the node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Something the user should see. ``str()`` is the line."""


EventSink = Callable[[Event], None]


@dataclass(frozen=True)
class Notice(Event):
    """A sentence that fits no other event."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Submitting(Event):
    """The request is on its way."""

    def __str__(self) -> str:
        return "Submitting"


@dataclass(frozen=True)
class Queued(Event):
    """The service has the job and has not begun."""

    position: int | None
    elapsed: float

    def __str__(self) -> str:
        place = f", {_ordinal(self.position)} in line" if self.position else ""
        return f"Queued{place}, {self.elapsed:.0f} s"


@dataclass(frozen=True)
class Generating(Event):
    """The service is at work."""

    elapsed: float
    expected: float

    def __str__(self) -> str:
        if self.elapsed <= self.expected:
            return f"Generating, {self.elapsed:.0f} s of about {self.expected:.0f} s"
        return f"Generating, {self.elapsed:.0f} s, usually about {self.expected:.0f} s"


@dataclass(frozen=True)
class Retrying(Event):
    """Something did not work and will be tried again by itself."""

    problem: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.problem} Trying again in {self.seconds:.0f} s."


@dataclass(frozen=True)
class Downloading(Event):
    """Bytes of the file, in all where known."""

    received: int
    total: int | None

    def __str__(self) -> str:
        if self.total is None:
            return f"Downloading {_megabytes(self.received)} MB"
        return f"Downloading {_megabytes(self.received)} of {_megabytes(self.total)} MB"


@dataclass(frozen=True)
class Decoding(Event):
    """Frames of the file."""

    done: int
    total: int

    def __str__(self) -> str:
        return f"Decoding {self.done} of {self.total} frames"


@dataclass(frozen=True)
class Done(Event):
    """The video is there."""

    elapsed: float
    frames: int
    width: int
    height: int
    fps: float
    cost: float | None
    reused: bool = False

    def __str__(self) -> str:
        begin = "Loaded again for free" if self.reused else f"Done in {self.elapsed:.0f} s"
        cost = f", {dollars(self.cost)}" if self.cost is not None and not self.reused else ""
        return f"{begin}, {self.frames} frames {self.width}x{self.height} at {self.fps:g} fps{cost}"


def dollars(amount: float) -> str:
    """An amount with at least cents: `$0.03`, `$0.0042`."""
    return f"${amount:.2f}" if amount == 0 or amount >= 0.01 else f"${amount:.4f}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


def _ordinal(number: int) -> str:
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
