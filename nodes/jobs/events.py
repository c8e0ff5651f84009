"""What happens to a job, in the sentences that say so on the node."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from enum import Enum
from typing import Final

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

    texts: tuple[str, ...]
    """Whole sentences, or the one line of a phase."""
    phase: Phase | None = None
    """None: the phase has not changed."""
    progress: tuple[int, int] | None = None
    """How much is done and of how much, where that is measured or can be estimated."""
    waited: float | None = None
    """Seconds that the job has been at the service."""
    cost: float | None = None
    """US dollars that this run has paid, where the service tells."""
    outcome: StopOutcome | None = None
    """Of a run that was stopped."""
    urgent: bool = False
    """Nobody knows whether a failed job was charged, which the user is told once."""
    is_retry: bool = False
    """Something did not work, and will be tried again by itself."""

    def __str__(self) -> str:
        return " ".join(self.texts)


MOST_OF_ESTIMATE: Final = 0.95
"""How far the bar goes by an estimate alone."""


def submitting() -> Event:
    return Event((Text("submitting"),), Phase.SUBMITTING)


def queued(position: int | None, elapsed: float, price: str = "") -> Event:
    seconds = round(elapsed)
    line = Text("queuedAt", position=position, elapsed=seconds) if position else Text("queued", elapsed=seconds)
    return Event((joined(line, price),), Phase.QUEUED, waited=elapsed)


def generating(elapsed: float, expected: float, price: str = "") -> Event:
    """In seconds."""
    key = "generating" if elapsed <= expected else "generatingLong"
    line = joined(Text(key, elapsed=round(elapsed), expected=round(expected)), price)
    # In thousandths. It waits near the end while a job takes longer than usual.
    progress = round(1000 * min(elapsed / expected, MOST_OF_ESTIMATE)), 1000
    return Event((line,), Phase.GENERATING, progress, elapsed)


def downloading(received: int, total: int | None) -> Event:
    """In bytes."""
    megabytes = f"{received / 1e6:.1f}"
    if not total:
        return Event((Text("downloadingSome", received=megabytes),), Phase.DOWNLOADING)
    line = Text("downloading", received=megabytes, total=f"{total / 1e6:.1f}")
    return Event((line,), Phase.DOWNLOADING, (received, total))


def decoding(done: int, total: int) -> Event:
    """In frames."""
    return Event((Text("decoding", done=done, total=total),), Phase.DECODING, (done, total))


def upscaling(done: int, total: int, elapsed: float) -> Event:
    """In frames, and seconds."""
    line = Text("upscaling", done=done, total=total)
    if done and elapsed:
        rate = done / elapsed
        pace = f"{rate:.{1 if rate >= 1 else 2}f}"
        line = Text("upscalingPace", done=done, total=total, rate=pace, left=round((total - done) / rate))
    return Event((line,), Phase.UPSCALING, (done, total))


def done(
    elapsed: float,
    frames: int,
    width: int,
    height: int,
    fps: float,
    cost: float | None = None,
    *,
    reused: bool = False,
    price: str = "",
) -> Event:
    """A video is ready. ``reused`` ones cost nothing now, whatever ``cost`` says."""
    # A job that an earlier run began may have been ready.
    finished = Text("done", elapsed=round(elapsed)) if round(elapsed) else Text("doneAtOnce")
    video = Text("frames", frames=frames, width=width, height=height, fps=f"{fps:g}")
    if reused:
        return Event((joined(Text("reused"), video),), Phase.DONE)
    return Event((joined(finished, video, price if cost is None else dollars(cost)),), Phase.DONE, cost=cost)


def failed(texts: tuple[str, ...], *, urgent: bool = False) -> Event:
    return Event(texts, Phase.FAILED, urgent=urgent)


def stopped(text: str, outcome: StopOutcome = StopOutcome.NOT_SUBMITTED) -> Event:
    return Event((text,), Phase.STOPPED, outcome=outcome)


def retrying(problem: str, seconds: float) -> Event:
    return Event((problem, Text("tryingAgain", seconds=round(seconds))), is_retry=True)


def notice(*texts: str) -> Event:
    """Sentences that fit no other event."""
    return Event(texts)


def joined(*parts: str) -> str:
    """A line of all parts that say something, with commas between them."""
    begin, *others = filter(None, parts)
    for part in others:
        begin = Text("joined", begin=begin, more=part)
    return begin


def dollars(amount: float) -> str:
    """An amount with at least cents: `$0.03`, `$0.0042`."""
    return f"${amount:.2f}" if amount == 0 or amount >= 0.01 else f"${amount:.4f}"


def clock_time(seconds: float) -> str:
    """A moment, in seconds since the epoch, as the user's own clock showed it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def clock_minute(seconds: float) -> str:
    """The first whole minute from a moment on, by the user's clock: `14:05`."""
    return time.strftime("%H:%M", time.localtime(math.ceil(seconds / 60) * 60))
