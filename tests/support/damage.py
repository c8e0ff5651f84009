"""Ways to spoil an MP4 file: what broken disks and networks do to it, and what somebody would write on purpose."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from random import Random
from typing import Final

from tests.support.tiny_mp4 import box

NAMES: Final = (
    *(b"ftyp", b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts", b"ctts", b"stsd", b"stsz", b"stsc", b"stco"),
    *(b"stss", b"elst", b"mdhd", b"tkhd", b"avcC", b"udta", b"mdat", b"free"),
)
EXTREMES: Final = (0, 1, 2, 7, 8, 15, 16, 255, 2**15, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)


def bits(data: bytes, chance: Random) -> bytes:
    """Bits turned over, anywhere or in one box of the index and what follows."""
    spoilt, start = bytearray(data), chance.choice((0, _place(data, chance)))
    for _ in range(chance.choice((1, 1, 3, 20))):
        spoilt[chance.randrange(start, min(len(data), start + chance.choice((50, 5000, len(data)))))] ^= 1
    return bytes(spoilt)


def hole(data: bytes, chance: Random) -> bytes:
    """A block of zeros or noise, as a bad sector leaves it."""
    size = chance.choice((16, 512, 4096))
    return _overwritten(data, chance.randrange(len(data)), chance.choice((bytes(size), chance.randbytes(size))))


def cut(data: bytes, chance: Random) -> bytes:
    """Cut at the edge of a box, or a few bytes beside it."""
    return data[: max(0, _place(data, chance) + chance.choice((0, 0, 1, -1, 4, 8, -8)))]


def wrong_number(data: bytes, chance: Random) -> bytes:
    """A size, a count, an offset or a time that lies."""
    place = _place(data, chance) + 4 * chance.choice((0, 0, 2, 3, 4, 5, 6))
    return _overwritten(data, place, struct.pack(">I", chance.choice((*EXTREMES, len(data)))))


def renamed(data: bytes, chance: Random) -> bytes:
    """A box under another box's name."""
    return _overwritten(data, _place(data, chance) + 4, chance.choice(NAMES))


def moved(data: bytes, chance: Random) -> bytes:
    """A piece that is missing, or stands elsewhere, the sizes around it unchanged."""
    start, end = sorted((_place(data, chance), _place(data, chance)))
    rest = data[:start] + data[end:]
    place = chance.randrange(len(rest) + 1)
    return chance.choice((rest, rest[:place] + data[start:end] + rest[place:]))


def inserted(data: bytes, chance: Random) -> bytes:
    """More boxes before another one: a tower of them, or very many."""
    tower = b""
    for _ in range(chance.choice((10, 1000, 5000))):
        tower = box(chance.choice((b"moov", b"trak", b"mdia", b"udta", b"meta")), tower)
    many = box(chance.choice((b"free", b"moov", b"trak", b"mdat"))) * chance.choice((1000, 300_000))
    place = _place(data, chance)
    return data[:place] + chance.choice((tower, many)) + data[place:]


def joined(data: bytes, chance: Random) -> bytes:
    """Two files in one, or with rubbish behind."""
    return data + chance.choice((data, data[: chance.randrange(len(data))], chance.randbytes(1000), bytes(1000)))


DAMAGES: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    *(bits, bits, bits, hole, cut, wrong_number, wrong_number, wrong_number, renamed, moved, inserted, joined),
)


def spoilt(data: bytes, seed: int) -> tuple[str, bytes]:
    """The damage that belongs to a seed, by its name, and the file with it. Some files are hit twice."""
    chance = Random(seed)
    damage = chance.choice(DAMAGES)
    broken = damage(data, chance)
    if chance.random() < 0.2 and damage is not inserted:
        broken = hole(broken or b"\0", chance)
    return damage.__name__, broken


def _place(data: bytes, chance: Random) -> int:
    """Where some box begins, on any level: four bytes before its name."""
    return chance.choice([found.start() - 4 for found in re.finditer(b"|".join(NAMES), data)])


def _overwritten(data: bytes, place: int, content: bytes) -> bytes:
    return (data[:place] + content + data[place + len(content) :])[: len(data)]
