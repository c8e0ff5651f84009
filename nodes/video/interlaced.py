"""Whether H.264 or HEVC video may hold interlaced pictures.

OpenCV from 4.13 on does not convert those: it reports success and hands out black frames, so they must be known before.
Source: ITU-T H.264, 7.3.2.1.1 (sequence parameter set), and ISO/IEC 14496-15 (what MP4 and Matroska keep of it).
"""

from __future__ import annotations

import re
from typing import Final

_SEQUENCE: Final = re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67](.+)", re.DOTALL)
"""A sequence parameter set behind a start code, as AVI and transport streams have it."""
_SCAN: Final = slice(6, 7)
"""The byte of an HEVC configuration whose two highest bits are `progressive_source` and `interlaced_source`."""
_WITH_CHROMA_FORMAT: Final = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
_LONGEST: Final = 32
"""Bits of a number; a longer one in a damaged file would take for ever to build."""


def may_be_interlaced(codec: str, settings: bytes) -> bool:
    """Whether a stream allows fields in place of frames; false where that cannot be told.

    Args:
        codec: its four letters, as OpenCV names it.
        settings: the decoder's configuration, as the file has it.
    """
    if codec == "hevc":
        return settings[:1] == b"\1" and any(byte & 0xC0 == 0x40 for byte in settings[_SCAN])
    if codec != "h264":
        return False
    if behind_start_code := _SEQUENCE.search(settings):
        sequence = behind_start_code[1]
    else:
        sequence = settings[9 : 8 + int.from_bytes(settings[6:8], "big")]
    try:
        return not _frames_only(_Bits(sequence))
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
            if zeros > _LONGEST:
                raise IndexError("not a parameter set")
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
