"""Clips to measure with: H.264 as Seedance delivers it, moving and grainy, so that decoding them is real work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FPS: Final = 24
GRAIN: Final = 5.0
"""Standard deviation, of 255."""
DRIFT: Final = (3, 2)
"""Pixels a frame, to the right and down."""


@dataclass(frozen=True)
class Clip:
    """A clip to be made: 24 frames a second, High profile, B-frames, untagged."""

    resolution: str
    width: int
    height: int
    seconds: int
    megabits: int
    """A second."""

    def __str__(self) -> str:
        return f"{self.resolution}, {self.seconds} s"

    @property
    def frames(self) -> int:
        return self.seconds * FPS

    def ensure(self, cache: Path) -> Path:
        """The clip's file, made on first use."""
        name = f"{self.width}x{self.height}-{self.seconds}s-{self.megabits}mbit.mp4"
        file = cache / "benchmarks" / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            self._write(part)
            part.replace(file)
        return file

    def _write(self, file: Path) -> None:
        import av

        with av.open(str(file), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=FPS)
            stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
            stream.bit_rate = self.megabits * 1_000_000
            stream.options = {"profile": "high", "preset": "medium", "bf": "3", "g": "96"}
            for number, picture in enumerate(self._pictures()):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    def _pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Clouds of every size, drifting behind a shimmer of grain."""
        import cv2
        import numpy as np

        random = np.random.default_rng(1)
        right, down = DRIFT
        size = (self.height + down * self.frames, self.width + right * self.frames, 3)
        clouds = np.full(size, 127, np.float32)
        for blur, strength in ((2, 15), (8, 25), (32, 60)):
            coarse = random.standard_normal((size[0] // blur + 1, size[1] // blur + 1, 3)).astype(np.float32)
            clouds += cv2.resize(coarse, size[1::-1], interpolation=cv2.INTER_CUBIC) * strength
        grain = random.standard_normal((self.height + 64, self.width + 64, 1)).astype(np.float32) * GRAIN
        for number in range(self.frames):
            top, left = number * down, number * right
            picture = clouds[top : top + self.height, left : left + self.width]
            y, x = random.integers(64, size=2)
            yield np.clip(picture + grain[y : y + self.height, x : x + self.width], 0, 255).astype(np.uint8)


SIZES: Final = (("480p", 864, 480, 6), ("720p", 1248, 704, 8), ("1080p", 1920, 1088, 12))
CLIPS: Final = tuple(
    Clip(resolution, width, height, seconds, megabits)
    for resolution, width, height, megabits in SIZES
    for seconds in (5, 12)
)
QUICK: Final = tuple(clip for clip in CLIPS if (clip.resolution, clip.seconds) == ("1080p", 5))
