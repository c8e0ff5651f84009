"""Makes the videos: MP4s like Seedance's own, H.264 High, yuv420p, 24 fps, B-frames, no colour tags, no audio."""

from __future__ import annotations

import atexit
import io
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from fractions import Fraction
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from .schema import FPS, VideoRequest

if TYPE_CHECKING:
    from PIL import Image

THREADS: Final = 2
KEPT_BYTES: Final = 64 * 1024 * 1024
"""Of videos in memory; of 480p and 5 s, one has 0.4 MB. A long list's clients fetch each soon after it is made."""
_X264: Final = {"preset": "ultrafast", "crf": "23", "bf": "2", "x264-params": "8x8dct=1:cabac=1:deblock=1"}
"""8x8dct makes it profile High, since PyAV 14.2 refuses the option `profile`; the other two save bytes and blocks."""


class RenderingStopped(Exception):
    """Nobody needs the video any more."""


def render(request: VideoRequest, stopped: Callable[[], bool] = lambda: False) -> bytes:
    """The MP4 of a request; the same bytes for the same request, with the same libraries.

    Raises:
        RenderingStopped: ``stopped`` said so.
    """
    import av

    file = io.BytesIO()
    # The index stands in front, in space reserved for it, so that a browser can begin before it has all.
    options = {"moov_size": str(2048 + 32 * request.frame_count)}
    with av.open(file, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=FPS, options=dict(_X264))
        (stream.width, stream.height), stream.pix_fmt = request.size, "yuv420p"
        # The number of threads shows in the bytes; so it must not follow the machine's number of cores.
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(draw_frames(request)):
            if stopped():
                raise RenderingStopped
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]  # PyAV declares no types here
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def draw_frames(request: VideoRequest) -> Iterator[Image.Image]:
    """The frames of a video in order. It is one RGB picture, drawn anew each time."""
    from PIL import Image

    from .captions import Captions
    from .scene import Backdrop, Robot

    width, height = request.size
    rng = random.Random(request.model_dump_json())  # noqa: S311 - chance for a picture, no secret
    speed = round(min(width, height) / 80)
    captions = Captions(request)
    floor = captions.panel_top - round(0.035 * height)
    backdrop = Backdrop(width, height, floor, speed, rng)
    robot = Robot(round(0.46 * min(width, height)), speed, rng)
    picture = Image.new("RGB", (width, height))
    for number in range(request.frame_count):
        backdrop.draw(picture, number)
        robot.draw(picture, width // 2, floor, number)
        captions.draw(picture, number)
        yield picture


class Renderer:
    """Makes each distinct video once, in a few threads, in the order in which they were ordered.

    Only the videos last used are kept, in memory; another one is made again when it is ordered again. Safe to use from
    several threads.

    Args:
        make: from a request, and a function that says whether to give up, to the MP4.
    """

    def __init__(self, make: Callable[[VideoRequest, Callable[[], bool]], bytes] = render) -> None:
        self._make = make
        self._lock = threading.RLock()
        self._videos: dict[VideoRequest, Future[bytes]] = {}
        """The one last used is the last."""
        self._orders: SimpleQueue[tuple[VideoRequest, Future[bytes]] | None] = SimpleQueue()
        self._closed = threading.Event()
        # No executor: at its end, Python waits until that has done all it has to do, before anybody can close it.
        self._threads = [
            threading.Thread(target=self._work, name="rehearsal-render", daemon=True) for _ in range(THREADS)
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self.close)

    def order(self, request: VideoRequest) -> Future[bytes]:
        """The video of a request: made, in the making, or begun now."""
        with self._lock:
            video = self._videos.pop(request, None)
            if video is None:
                video = Future()
                video.add_done_callback(self._on_done)
                self._orders.put((request, video))
            self._videos[request] = video
        return video

    def cancel(self, request: VideoRequest) -> None:
        """Do not begin a video. Nothing if it is begun already."""
        with self._lock:
            if request in self._videos:
                self._videos[request].cancel()

    def close(self) -> None:
        """Give up what is being made, at its next frame, and wait for the threads."""
        self._closed.set()
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join()
        atexit.unregister(self.close)

    def _work(self) -> None:
        while (order := self._orders.get()) is not None and not self._closed.is_set():
            request, video = order
            if not video.set_running_or_notify_cancel():
                continue
            try:
                video.set_result(self._make(request, self._closed.is_set))
            except Exception as error:  # noqa: BLE001 - whatever it is, the job that waits for it has to end
                video.set_exception(error)

    def _on_done(self, _: Future[bytes]) -> None:
        """Drop what could not be made, which may be tried again, and those last used longest ago."""
        kept = 0
        with self._lock:
            for request, video in reversed([each for each in self._videos.items() if each[1].done()]):
                is_made = not video.cancelled() and video.exception() is None
                kept += len(video.result()) if is_made else 0
                if not is_made or kept > KEPT_BYTES:
                    del self._videos[request]
