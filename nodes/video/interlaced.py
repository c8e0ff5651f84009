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
    """`frame_mbs_only_flag` of a sequence parameter set, behind all that stands in front of it."""
    profile = bits.read(8)  # profile_idc
    bits.read(16)  # constraint_set0_flag to reserved_zero_2bits, level_idc
    bits.number()  # seq_parameter_set_id
    if profile in _WITH_CHROMA_FORMAT:
        chroma = bits.number()  # chroma_format_idc
        bits.read(1 if chroma == 3 else 0)  # separate_colour_plane_flag
        bits.number()  # bit_depth_luma_minus8
        bits.number()  # bit_depth_chroma_minus8
        bits.read()  # qpprime_y_zero_transform_bypass_flag
        if bits.read():  # seq_scaling_matrix_present_flag
            return True  # the matrices are not followed; no encoder of clips writes them
    bits.number()  # log2_max_frame_num_minus4
    order = bits.number()  # pic_order_cnt_type
    if order == 0:
        bits.number()  # log2_max_pic_order_cnt_lsb_minus4
    elif order == 1:
        bits.read()  # delta_pic_order_always_zero_flag
        bits.number()  # offset_for_non_ref_pic
        bits.number()  # offset_for_top_to_bottom_field
        for _ in range(bits.number()):  # num_ref_frames_in_pic_order_cnt_cycle
            bits.number()  # offset_for_ref_frame
    bits.number()  # max_num_ref_frames
    bits.read()  # gaps_in_frame_num_value_allowed_flag
    bits.number()  # pic_width_in_mbs_minus1
    bits.number()  # pic_height_in_map_units_minus1
    return bits.read() == 1  # frame_mbs_only_flag
