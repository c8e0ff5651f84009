"""Who asks for a video: told to whatever brings it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .events import Event


@dataclass(frozen=True)
class Run:
    """One item of one node of one queued prompt asks for a video. Its functions may be called from any thread."""

    key: str
    """Equal for equal prompt, node and place in the list; random in a terminal."""
    prompt_id: str
    queued_prompts: Callable[[], frozenset[str]]
    """The ids of the prompts that are running or waiting in the queue now."""
    report: Callable[[Event], None]
    """Shows the user what happens."""
    is_stopped: Callable[[], bool]
    """Whether the user has pressed Stop during the run."""
