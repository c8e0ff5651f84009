"""Makes the files: a few threads, one file per distinct scene, and only as many kept as are of use."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .reel import Reel
from .scene import Scene

log = logging.getLogger(__name__)

_THREADS: Final = 2
_SPARES: Final = 16
"""Files kept although no job needs them, in case the same scene is asked for again."""


@dataclass(eq=False)
class Clip:
    """The file of a scene, made or in the making."""

    scene: Scene
    reel: Reel | None = None
    """Its content, once it is made."""
    ready: float | None = None
    """When it was finished or given up, by the service's clock; None before."""
    problem: str | None = None
    """Why it could not be made."""
    users: int = 1
    """Jobs that need it."""
    finished: threading.Event = field(default_factory=threading.Event)


class Studio:
    """Renders what is ordered, in the order in which it was ordered."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._orders: deque[Clip] = deque()
        self._clips: dict[str, Clip] = {}
        self._spares: deque[Clip] = deque()
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()

    def order(self, scene: Scene) -> Clip:
        """The clip of a scene; the same one for equal scenes. Give it back with `release`."""
        with self._changed:
            clip = self._clips.get(scene.digest)
            if clip is not None:
                clip.users += 1
                if clip in self._spares:
                    self._spares.remove(clip)
                return clip
            clip = Clip(scene)
            self._clips[scene.digest] = clip
            self._orders.append(clip)
            if len(self._threads) < _THREADS:
                thread = threading.Thread(target=self._work, name="rehearsal-studio", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()
            return clip

    def release(self, clip: Clip) -> None:
        """Say that one job less needs the clip. What nobody needs is not begun, and deleted some time after."""
        with self._changed:
            clip.users -= 1
            if not clip.users and clip.finished.is_set():
                self._spare(clip)

    def wait(self, timeout: float) -> bool:
        """Wait until everything ordered so far is finished or given up; False if ``timeout`` seconds were too few."""
        with self._changed:
            return self._changed.wait_for(lambda: all(c.finished.is_set() for c in self._clips.values()), timeout)

    def close(self) -> None:
        """Stop at the next frame, wait for the threads and delete all files."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        with self._changed:
            for clip in list(self._clips.values()):
                self._drop(clip)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._orders or self._closed.is_set())
                if self._closed.is_set():
                    return
                clip = self._orders.popleft()
                if not clip.users:
                    self._drop(clip)
                    continue
            self._make(clip)

    def _make(self, clip: Clip) -> None:
        # Here, because these libraries take their time to import and a service may never make a file.
        try:
            from .footage import Stopped, render

            with tempfile.TemporaryDirectory(prefix="seedance-rehearsal-", ignore_cleanup_errors=True) as folder:
                path = Path(folder) / "clip.mp4"
                try:
                    render(clip.scene, path, self._closed.is_set)
                except Stopped:
                    return
                clip.reel = Reel(path)
        except Exception as error:
            # Whatever it was, the job has to end, as failed; otherwise its client would wait for ever.
            log.exception("The rehearsal's footage could not be made")
            clip.problem = f"The rehearsal's footage could not be made ({type(error).__name__}: {error})"
        with self._changed:
            clip.ready = self._clock()
            clip.finished.set()
            if not clip.users:
                self._spare(clip)
            self._changed.notify_all()

    def _spare(self, clip: Clip) -> None:
        self._spares.append(clip)
        if clip.problem or len(self._spares) > _SPARES:
            unwanted = clip if clip.problem else self._spares[0]
            self._spares.remove(unwanted)
            self._drop(unwanted)

    def _drop(self, clip: Clip) -> None:
        del self._clips[clip.scene.digest]
        if clip.reel is not None:
            clip.reel.close()
        self._changed.notify_all()
