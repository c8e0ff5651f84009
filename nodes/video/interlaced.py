"""Whether an H.264 file may hold interlaced pictures.

OpenCV from 4.13 on does not convert those: it reports success and hands out black frames, so they must be known before.
Source: ITU-T H.264, 7.3.2.1.1 (sequence parameter set) and ISO/IEC 14496-15 (its place in an MP4).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .boxes import child, children
from .edits import index_of, is_video

_SAMPLE_ENTRY: Final = 78
"""Bytes of a video sample entry in front of the boxes inside it."""
_WITH_CHROMA_FORMAT: Final = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


def may_be_interlaced(file: Path) -> bool:
    """Whether the stream allows fields in place of frames; false where that cannot be told."""
    moov = index_of(file)
    track = next((track for track in children(moov, b"trak") if is_video(track)), None) if moov else None
    table = child(track, b"mdia", b"minf", b"stbl", b"stsd") if track else None
    entry = child(table[8:], b"avc1") if table else None
    settings = child(entry[_SAMPLE_ENTRY:], b"avcC") if entry else None
    if not settings:
        return False
    try:
        length = int.from_bytes(settings[6:8], "big")
        return not _frames_only(_Bits(bytes(settings[9 : 8 + length])))
    except IndexError:
        return False


class _Bits:
    """The bits of a parameter set, without the bytes that keep it from looking like a start code."""

    def __init__(self, content: bytes) -> None:
        self._content = content.replace(b"\0\0\3", b"\0\0")
        self._at = 0

    def read(self, count: int = 1) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._content[self._at >> 3] >> (7 - self._at % 8) & 1
            self._at += 1
        return value

    def number(self) -> int:
        """An Exp-Golomb code. Signed ones take as many bits, and none of their values matters here."""
        zeros = 0
        while not self.read():
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)


def _frames_only(bits: _Bits) -> bool:
    """`frame_mbs_only_flag` of a sequence parameter set, and everything in front of it."""
    profile = bits.read(8)
    bits.read(16)
    bits.number()
    if profile in _WITH_CHROMA_FORMAT:
        chroma = bits.number()
        bits.read(1 if chroma == 3 else 0)
        bits.number()
        bits.number()
        bits.read()
        if bits.read():
            return True  # scaling matrices are not followed; no encoder of clips writes them
    bits.number()
    order = bits.number()
    if order == 0:
        bits.number()
    elif order == 1:
        bits.read()
        bits.number()
        bits.number()
        for _ in range(bits.number()):
            bits.number()
    bits.number()
    bits.read()
    bits.number()
    bits.number()
    return bits.read() == 1
