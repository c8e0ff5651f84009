"""What happens to a job, in the sentences that say so on the node."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from ..texts import Text


class StopOutcome(Enum):
    """What has become of a job when its run ends early; the value is its key in `list` of the locales."""

    NOT_SUBMITTED = "notSubmitted"
    CANCELLED = "cancelled"
    GOES_ON = "goesOn"
    UNCERTAIN = "uncertain"
    FINISHED = "finished"


class Phase(Enum):
    """How far a job is, where its events tell; the value is its key in `list` of the locales."""

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
    """Something the user should see. ``str()`` is the line in English."""

    phase: ClassVar[Phase | None] = None
    key: ClassVar[str] = ""
    """Of its one sentence, with its fields in the places, where it has no others."""

    @property
    def texts(self) -> tuple[str, ...]:
        return (Text(self.key, **vars(self)),)

    def __str__(self) -> str:
        return " ".join(self.texts)


@dataclass(frozen=True)
class Notice(Event):
    """Sentences that fit no other event."""

    sentences: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return self.sentences


@dataclass(frozen=True)
class Failed(Notice):
    phase = Phase.FAILED
    urgent: bool = False
    """Nobody knows whether it was charged, which the user is told once."""


@dataclass(frozen=True)
class StopReport(Notice):
    phase = Phase.STOPPED
    outcome: StopOutcome


@dataclass(frozen=True)
class Submitting(Event):
    phase, key = Phase.SUBMITTING, "submitting"


@dataclass(frozen=True)
class Queued(Event):
    phase = Phase.QUEUED
    position: int | None
    elapsed: float
    price: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        elapsed = round(self.elapsed)
        place = self.position and Text("queuedAt", position=self.position, elapsed=elapsed)
        return (joined(place or Text("queued", elapsed=elapsed), self.price),)


@dataclass(frozen=True)
class Generating(Event):
    phase = Phase.GENERATING
    elapsed: float
    expected: float
    price: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        key = "generating" if self.elapsed <= self.expected else "generatingLong"
        return (joined(Text(key, elapsed=round(self.elapsed), expected=round(self.expected)), self.price),)


@dataclass(frozen=True)
class Retrying(Event):
    """Something did not work and will be tried again by itself."""

    problem: str
    seconds: float

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.problem, Text("tryingAgain", seconds=round(self.seconds)))


@dataclass(frozen=True)
class Downloading(Event):
    """In bytes."""

    phase = Phase.DOWNLOADING
    received: int
    total: int | None

    @property
    def texts(self) -> tuple[str, ...]:
        received = f"{self.received / 1e6:.1f}"
        if self.total:
            return (Text("downloading", received=received, total=f"{self.total / 1e6:.1f}"),)
        return (Text("downloadingSome", received=received),)


@dataclass(frozen=True)
class Decoding(Event):
    """In frames."""

    phase, key = Phase.DECODING, "decoding"
    done: int
    total: int


@dataclass(frozen=True)
class Upscaling(Event):
    """In frames, and seconds."""

    phase = Phase.UPSCALING
    done: int
    total: int
    elapsed: float

    @property
    def texts(self) -> tuple[str, ...]:
        if not self.done or not self.elapsed:
            return (Text("upscaling", done=self.done, total=self.total),)
        rate = self.done / self.elapsed
        left = round((self.total - self.done) / rate)
        pace = f"{rate:.{1 if rate >= 1 else 2}f}"
        return (Text("upscalingPace", done=self.done, total=self.total, rate=pace, left=left),)


@dataclass(frozen=True)
class Done(Event):
    phase = Phase.DONE
    elapsed: float
    frames: int
    width: int
    height: int
    fps: float
    cost: float | None
    reused: bool = False
    price: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        # A job that an earlier run began may have been ready.
        elapsed = round(self.elapsed)
        begin = Text("reused") if self.reused else Text("done", elapsed=elapsed) if elapsed else Text("doneAtOnce")
        video = Text("frames", frames=self.frames, width=self.width, height=self.height, fps=f"{self.fps:g}")
        cost = "" if self.reused else self.price if self.cost is None else dollars(self.cost)
        return (joined(begin, video, cost),)


def joined(*parts: str) -> str:
    """A line of all parts that say something, with commas between them."""
    begin, *others = filter(None, parts)
    for part in others:
        begin = Text("joined", begin=begin, more=part)
    return begin


def dollars(amount: float) -> str:
    """An amount with at least cents: `$0.03`, `$0.0042`."""
    return f"${amount:.2f}" if amount == 0 or amount >= 0.01 else f"${amount:.4f}"
