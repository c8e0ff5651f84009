"""Files that are out of the ordinary: as many frames as FFmpeg shows, the same pictures, at the right rate.

Each row is made by FFmpeg itself, which is also asked for the truth.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nodes.video.decode import decode
from nodes.video.errors import UnsupportedVideo
from nodes.video.probe import Selection, probe
from tests.support.clips import FFMPEG, X264, make, source

MOST_OFF: Final = 4.0
"""Of 255, of the mean of a sixteenth of the picture."""


OPEN = "-x264-params open-gop=1:keyint=30:min-keyint=30:scenecut=0"
X265 = "-c:v libx265 -preset ultrafast -x265-params"
OPEN_HEVC = f"{X265} open-gop=1:keyint=30:min-keyint=30:bframes=3:scenecut=0:log-level=none"
VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"
BOTH = (".mp4", ".mkv")
THIRD = "-vf select='lt(mod(n,30),10)' -fps_mode vfr"

BASES: Final = {
    "base.mp4": f"{source()} {X264}",
    "base.mkv": f"{source()} {X264}",
    "long.mp4": f"{source(seconds=5)} {X264}",
    "open.mkv": f"{source(seconds=5)} {X264} {OPEN}",
    "hevc.mkv": f"{source(seconds=5)} {OPEN_HEVC}",
    "still.mp4": f"{source('1', 1)} -c:v mjpeg -frames:v 1",
    "short.mp4": f"{source('1', 1)} {X264} -frames:v 1",
    "still.jpg": f"{source('1', 1)} -frames:v 1",
}
"""Files that others are made of."""


@dataclass(frozen=True)
class Row:
    """One file."""

    arguments: str
    fps: float | None = 30
    """None: the average that the file itself tells."""
    count: int | None = None
    """Of frames, where FFmpeg's own choice of a track is not the one that is wanted."""


FILES: Final = {
    # Containers and codecs.
    **{f"plain{end}": Row(f"-i base{end} -c copy") for end in BOTH},
    "ntsc.mov": Row(f"{source('60000/1001', 1)} {X264}", 60000 / 1001),
    "xvid.avi": Row(f"{source()} -c:v mpeg4 -bf 2"),
    "h264.avi": Row(f"{source()} {X264}"),
    "h264 without B.avi": Row(f"{source()} {X264} -bf 0"),
    "hevc.mp4": Row(f"{source()} {X265} log-level=none"),
    "vp8.webm": Row(f"{source()} -c:v libvpx -auto-alt-ref 1 -lag-in-frames 25 -deadline realtime"),
    "vp9.webm": Row(f"{source(seconds=1)} -c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 25 -cpu-used 8"),
    **{f"av1{end}": Row(f"{source(seconds=1)} -c:v libsvtav1 -preset 12") for end in (".mp4", ".webm")},
    "prores.mov": Row(f"{source(seconds=1)} -c:v prores_ks"),
    "prores with alpha.mov": Row(f"{source(seconds=1)} -c:v prores_ks -pix_fmt yuva444p10le"),
    "png.mov": Row(f"{source(seconds=1)} -c:v png"),
    "mpeg2.mkv": Row(f"{source(seconds=1)} -c:v mpeg2video -bf 2"),
    "grey.mkv": Row(f"{source(seconds=1)} -c:v libx264 -pix_fmt gray"),
    "rgb.mp4": Row(f"{source(seconds=1)} -c:v libx264rgb"),
    "mjpeg.avi": Row(f"{source(seconds=1)} -c:v mjpeg -pix_fmt yuvj422p"),
    # Pictures.
    "ten bits.mp4": Row(f"{source(seconds=1, size='320x240')} {X264} -pix_fmt yuv420p10le"),
    "ten bits.mkv": Row(f"{source(seconds=1, size='320x240')} {X265} log-level=none -pix_fmt yuv420p10le"),
    "ten bits.mov": Row(f"{source(seconds=1)} {X264} -pix_fmt yuv422p10le"),
    "twelve bits.mkv": Row(f"{source(seconds=1)} {X265} log-level=none -pix_fmt yuv420p12le"),
    "bottom up.avi": Row(f"{source(seconds=1)} -c:v rawvideo -pix_fmt bgr24"),
    "quarter colours.mkv": Row(f"{source(seconds=1)} -c:v ffv1 -pix_fmt yuv411p"),
    "odd size.mkv": Row(f"{source(size='161x129', seconds=1)} -c:v libx264 -pix_fmt yuv444p"),
    "odd size.webm": Row(f"{source(size='161x129', seconds=1)} {VP9}"),
    "interlaced.mp4": Row(f"{source()} {X264} -flags +ildct+ilme"),
    "interlaced.mkv": Row(f"{source()} {X265} interlace=tff:log-level=none"),
    "full range.mp4": Row(f"{source(seconds=1)} -vf scale=out_range=full {X264} -pix_fmt yuvj420p"),
    **{
        f"{name}{ending}": Row(f"{how} -i base.mp4 -c copy")
        for ending in BOTH
        for name, how in (
            ("mirrored", "-display_rotation 0 -display_hflip"),
            ("upside down", "-display_rotation 0 -display_vflip"),
            *((f"turned {angle}", f"-display_rotation {angle}") for angle in (90, 180, 270)),
            ("turned 90 and mirrored", "-display_rotation 90 -display_hflip"),
            ("turned 270 and mirrored", "-display_rotation 270 -display_hflip"),
        )
    },
    # Times.
    **{f"variable{end}": Row(f"{source(seconds=5)} {THIRD} {X264}", 50 / (4 + 10 / 30)) for end in BOTH},
    "slides.mp4": Row(f"{source('1/120', 720)} -f lavfi -i sine=d=720:r=8000 {X264} -c:a aac", 1 / 120),
    "slides.mkv": Row(f"{source('1/120', 720)} {X264}", 1 / 120),
    "long sound.mp4": Row(f"{source()} -f lavfi -i sine=d=60:r=8000 {X264} -c:a aac"),
    "late.mp4": Row("-i base.mp4 -c copy -output_ts_offset 5"),
    "early.mkv": Row("-i base.mp4 -c copy -output_ts_offset -1 -avoid_negative_ts disabled"),
    "no edit list.mp4": Row("-i base.mp4 -c copy -use_editlist 0"),
    "negative offsets.mp4": Row("-i base.mp4 -c copy -movflags negative_cts_offsets"),
    **{f"refreshed{end}": Row(f"{source(seconds=4)} {X264} -intra-refresh 1") for end in BOTH},
    # Fragments.
    **{
        f"fragments {number}.mp4": Row(f"-i base.mp4 -c copy -movflags {flags}")
        for number, flags in enumerate(
            ("frag_keyframe", "frag_keyframe+empty_moov+default_base_moof", "dash", "cmaf+delay_moov")
        )
    },
    # Written into a pipe, and so without a length.
    "piped.avi": Row(f"{source()} -f lavfi -i sine=d=2 {X264} -bf 0 -c:a mp2 -f avi -"),
    "piped mjpeg.avi": Row(f"{source(seconds=1)} -c:v mjpeg -f avi -"),
    "piped.mkv": Row("-i base.mp4 -c copy -f matroska -"),
    "piped.webm": Row(f"{source(seconds=1)} {VP9} -live 1 -f webm -"),
    "piped.mp4": Row("-i base.mp4 -c copy -movflags frag_keyframe+empty_moov+skip_trailer -f mp4 -"),
    # Cut without decoding, with and without an edit list.
    **{
        f"cut {name} {when} at {at}.{ending}": Row(
            (f"-ss {at} -i {name}" if when == "before" else f"-i {name} -ss {at}") + " -t 2 -c copy",
            fps=30 if name == "long.mp4" else None,
        )
        for name in ("long.mp4", "open.mkv", "hevc.mkv")
        for ending in ("mp4", "mov", "mkv")
        for at, when in ((2.2, "before"), (1.0, "before"), (1.0, "behind"), (2.2, "behind"))
    },
    # Tracks beside the video.
    "sound first.mkv": Row("-i base.mp4 -f lavfi -i sine=d=2 -map 1 -map 0 -c:v copy -c:a aac"),
    "still first.mp4": Row("-i still.mp4 -i base.mp4 -map 0 -map 1 -c copy", count=60),
    "short first.mp4": Row("-i short.mp4 -i base.mp4 -map 0 -map 1 -c copy", count=60),
    "cover.mp4": Row("-i base.mp4 -i still.jpg -map 0 -map 1 -c copy -disposition:v:1 attached_pic"),
    "cover first.mp4": Row("-i still.jpg -i base.mp4 -map 0 -map 1 -c copy -disposition:v:0 attached_pic", count=60),
    **{
        f"thumbnails{end}": Row(f"-i base.mp4 {source('1')} -map 1 -map 0 -c:v:0 mjpeg -c:v:1 copy", count=60)
        for end in BOTH
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    for name, arguments in BASES.items():
        make(folder, name, arguments)
    return folder


def truth(file: Path, height: int, width: int) -> NDArray[np.uint8]:
    """All frames as FFmpeg shows them."""
    command = [FFMPEG, "-nostdin", "-v", "error", "-i", str(file), "-fps_mode", "passthrough"]
    command += ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    shown = subprocess.run(command, capture_output=True, check=True).stdout
    assert len(shown) % (height * width * 3) == 0, f"{file.name}: the size of the picture is another"
    return np.frombuffer(shown, np.uint8).reshape(-1, height, width, 3)


def average_rate(file: Path) -> float:
    with av.open(str(file)) as container:
        return float(container.streams.video[0].average_rate or 0)


def sixteenths(frames: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float32]:
    count, height, width, _ = frames.shape
    parts = frames[:, : height // 4 * 4, : width // 4 * 4].reshape(count, 4, height // 4, 4, width // 4, 3)
    means: NDArray[np.float32] = parts.mean((2, 4), dtype=np.float32)
    return means


def problem_of(folder: Path, name: str, row: Row) -> str:
    """What is wrong with how a file is read, empty if nothing."""
    file = make(folder, name, row.arguments)
    try:
        clip = decode(file)
        count, height, width, _ = clip.images.shape
        if row.count:
            assert count == row.count, "frames"
        else:
            expected = truth(file, height, width)
            assert count == len(expected), "frames"
            off = np.abs(sixteenths(clip.images.numpy()) * 255 - sixteenths(expected)).max()
            assert off <= MOST_OFF, "of 255, a part of the picture"
        assert clip.info.fps == pytest.approx(row.fps or average_rate(file), rel=1e-3), "frames a second"
        assert clip.info == probe(file)
        for skip, cap in ((0, 1), (count // 3 + 1, 2), (count // 2, 1), (count - 1, 0)):
            found = decode(file, Selection(skip, cap)).images
            assert torch.equal(found, clip.images[skip:][: cap or None]), f"other frames after skipping {skip}"
    except Exception as error:  # noqa: BLE001  to be shown with the file that causes it
        return repr(error)
    return ""


def test_every_odd_file_is_read_as_ffmpeg_shows_it(folder: Path) -> None:
    problems = {name: problem_of(folder, name, row) for name, row in FILES.items()}
    assert {name: problem for name, problem in problems.items() if problem} == {}


def test_the_table_would_see_a_difference(folder: Path) -> None:
    """So the test above can fail."""
    problem = partial(problem_of, folder, "seen.mp4")
    assert problem(Row("-i base.mp4 -c copy")) == ""
    assert "frames a second" in problem(Row("-i base.mp4 -c copy", fps=24))
    assert "frames\\nassert 60 == 61" in problem(Row("-i base.mp4 -c copy", count=61))
    assert "of 255, a part of the picture" in problem(Row("-display_rotation 45 -i base.mp4 -c copy"))


def test_pixels_that_are_not_square_are_shown_as_stored_with_a_word(folder: Path) -> None:
    file = make(folder, "wide.mp4", f"{source(seconds=1)} -vf setsar=16/11 {X264}")
    turned = make(folder, "wide and turned.mp4", "-display_rotation 90 -i wide.mp4 -c copy")
    for seen, size, shown in ((file, (160, 128), "233x128"), (turned, (128, 160), "128x233")):
        info = decode(seen).info
        assert (info.width, info.height) == size
        assert f"players show it as {shown}, and its frames are as they are stored, {size[0]}x{size[1]}" in info.notice
    assert decode(folder / "base.mp4").info.notice == ""


def joined(folder: Path, name: str, *parts: str) -> Path:
    """One file of pictures made in different ways."""
    names = [make(folder, f"{name}{number}.avi", f"{how} -c:v mjpeg -q:v 2").name for number, how in enumerate(parts)]
    (folder / f"{name}.txt").write_text("".join(f"file {part}\n" for part in names))
    return make(folder, f"{name}.avi", f"-f concat -i {name}.txt -c copy")


def test_where_the_pixel_format_changes_the_colours_stay(folder: Path) -> None:
    file = joined(folder, "pixels", *(f"{source(seconds=1)} -pix_fmt {kind}" for kind in ("yuvj422p", "yuvj420p")))
    parts = [decode(folder / f"pixels{number}.avi").images for number in range(2)]
    assert torch.equal(decode(file).images, torch.cat(parts))


def test_where_the_size_changes_that_is_said(folder: Path) -> None:
    file = joined(folder, "sizes", source(seconds=1), source(seconds=1, size="128x160"))
    with pytest.raises(UnsupportedVideo, match=r"The size of the picture changes at frame 30 of sizes\.avi"):
        decode(file)


def test_high_dynamic_range_is_as_in_ffmpeg_with_a_word(folder: Path) -> None:
    bars = "-f lavfi -i smptehdbars=s=320x240:r=10:d=1 -vf scale=out_color_matrix=bt2020,format=yuv420p10le,setparams="
    for transfer in ("arib-std-b67", "smpte2084"):
        tags = f"colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"
        clip = decode(file := make(folder, f"{transfer}.mp4", f"{bars}{tags} {X265} log-level=none"))
        shown = sixteenths(truth(file, 240, 320))
        assert np.abs(sixteenths(clip.images.numpy()) * 255 - shown).max() <= MOST_OFF, transfer
        assert "This video is HDR" in clip.info.notice, transfer
