"""Makes the films: a few threads, one film per distinct scene, made again when it is asked for after it was dropped."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from .cache import CachedFile, FileCache, Film
from .scene import Scene

log = logging.getLogger("seedance")

_THREADS: Final = 2
_LAST_READERS: Final = 5.0
"""Seconds that those who are reading have to end when the renderer closes."""


@dataclass(eq=False)
class Clip:
    """The film of a scene, made or in the making, as the jobs see it."""

    scene: Scene
    ready: float | None = None
    """When it was first finished or given up, by the service's clock; None before."""
    problem: str | None = None
    """Why it could not be made."""
    users: int = 0
    """Jobs that need it, and readers that wait for it."""
    ordered: bool = False
    """Whether it is to be made, or is being made."""


class Renderer:
    """Renders what is ordered, in the order in which it was ordered. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._orders: deque[Clip] = deque()
        self._clips: dict[str, Clip] = {}
        """What is needed or being made, by digest; but not what could not be made, which may be ordered anew."""
        self._cache = FileCache()
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()

    def order(self, scene: Scene) -> Clip:
        """The clip of a scene; the same one for equal scenes. Give it back with `release`."""
        with self._changed:
            clip = self._clips.get(scene.digest)
            if clip is None:
                clip = self._clips[scene.digest] = Clip(scene)
                if scene.digest in self._cache:
                    clip.ready = self._clock()
                else:
                    self._orders.append(self._ordered(clip))
            clip.users += 1
            return clip

    def release(self, clip: Clip) -> None:
        """Say that one less needs the clip. What nobody needs is not begun, and its film dropped some time after."""
        with self._changed:
            clip.users -= 1
            if not clip.users and not clip.ordered:
                self._forget_clip(clip)

    @contextmanager
    def show(self, scene: Scene) -> Iterator[Film]:
        """The film of a scene that was made once. If it was dropped since, this waits until it is made again.

        Raises:
            OSError: it cannot be made now.
        """
        clip = self.order(scene)
        try:
            film = self._film(clip)
        finally:
            self.release(clip)
        try:
            yield film
        finally:
            with self._changed:
                self._cache.give_back(film)
                self._changed.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait until everything ordered so far is finished or given up; False if ``timeout`` seconds were too few."""
        with self._changed:
            return self._changed.wait_for(lambda: not any(c.ordered for c in self._clips.values()), timeout)

    def close(self) -> None:
        """Stop at the next frame, wait for the threads and delete all files."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        with self._changed:
            self._changed.wait_for(lambda: not self._cache.is_read, _LAST_READERS)
            self._cache.clear()

    def _film(self, clip: Clip) -> Film:
        with self._changed:
            while (film := self._cache.borrow(clip.scene.digest)) is None:
                if self._closed.is_set() or clip.problem:
                    raise OSError(clip.problem or "the renderer is closed")
                if not clip.ordered:
                    # Before all others: somebody is waiting for an answer.
                    self._orders.appendleft(self._ordered(clip))
                self._changed.wait()
            return film

    def _ordered(self, clip: Clip) -> Clip:
        clip.ordered = True
        if len(self._threads) < _THREADS:
            thread = threading.Thread(target=self._work, name="rehearsal-renderer", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._changed.notify_all()
        return clip

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._orders or self._closed.is_set())
                if self._closed.is_set():
                    return
                clip = self._orders.popleft()
                if not clip.users:
                    self._done(clip)
                    continue
            self._make(clip)

    def _make(self, clip: Clip) -> None:
        # Here, because these libraries take their time to import and a service may never make a file.
        cached = None
        try:
            from .render import Stopped, render

            with self._changed:
                path = self._cache.blank()
            try:
                render(clip.scene, path, self._closed.is_set)
                cached = CachedFile.of(path)
            except Stopped:
                return
            finally:
                if cached is None:
                    with suppress(OSError):
                        path.unlink()
        except Exception as error:
            # Whatever it was, the job has to end, as failed; otherwise its client would wait for ever.
            log.exception("The rehearsal's video could not be made")
            clip.problem = f"The rehearsal's video could not be made ({type(error).__name__}: {error})"
        with self._changed:
            if cached is not None:
                self._cache.put(clip.scene.digest, cached)
            if clip.ready is None:
                clip.ready = self._clock()
            self._done(clip)

    def _done(self, clip: Clip) -> None:
        clip.ordered = False
        if clip.problem or not clip.users:
            self._forget_clip(clip)
        self._changed.notify_all()

    def _forget_clip(self, clip: Clip) -> None:
        """Take it off the list, unless another one of the same scene has taken its place."""
        if self._clips.get(clip.scene.digest) is clip:
            del self._clips[clip.scene.digest]
