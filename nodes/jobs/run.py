"""Who asks for a video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .events import Event


@dataclass(frozen=True)
class Run:
    """One item of one node of one queued prompt; or one command in a terminal."""

    key: str
    """Equal when the same item of the same node of the same prompt is executed again, and never else."""
    prompt_id: str
    queued_prompts: Callable[[], frozenset[str]]
    """The ids of all prompts that are running or waiting now, this run's among them."""
    report: Callable[[Event], None]
    """Shows the user an event."""
    is_stopped: Callable[[], bool]
    """Whether Stop is pressed; looked at every tenth of a second."""
    is_read: bool = True
    """Whether what it raises reaches somebody: not where failures are skipped."""
