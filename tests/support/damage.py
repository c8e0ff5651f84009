"""Ways to spoil an MP4 file: what broken disks and networks do to it, and what somebody would write on purpose."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.support.mp4_boxes import box

CONTAINERS: Final = (b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl", b"udta")
EXTREMES: Final = (0, 1, 2, 7, 8, 15, 16, 255, 2**15, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
LONG_EXTREMES: Final = (*EXTREMES, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
MOST_TINY_BOXES: Final = 300_000


@dataclass(frozen=True)
class Box:
    """Where a box lies in a file."""

    kind: bytes
    start: int
    end: int
    depth: int

    @property
    def inner(self) -> int:
        """Where its content starts."""
        return self.start + 8


def boxes(data: bytes, start: int = 0, end: int | None = None, depth: int = 0) -> Iterator[Box]:
    """Every box of a healthy file, each in front of those inside it."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        yield Box(kind, start, start + size, depth)
        if kind in CONTAINERS:
            yield from boxes(data, start + 8, start + size, depth + 1)
        start += size


def bits(data: bytes, chance: Random) -> bytes:
    """Bits turned over, in the index or anywhere."""
    spoilt = bytearray(data)
    index = next((found for found in boxes(data) if found.kind == b"moov"), None) if chance.random() < 0.6 else None
    start, end = (index.start, index.end) if index else (0, len(data))
    for _ in range(chance.choice((1, 1, 3, 20) if index else (1, 1, 3, 20, 200))):
        spoilt[chance.randrange(start, end)] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def hole(data: bytes, chance: Random) -> bytes:
    """A block of zeros or noise, as a bad sector leaves it."""
    size = chance.choice((16, 512, 4096))
    return _overwritten(data, chance.randrange(len(data)), chance.choice((bytes(size), chance.randbytes(size))))


def cut(data: bytes, chance: Random) -> bytes:
    """Cut at the edge of a box, or a few bytes beside it."""
    return data[: max(0, _pick(data, chance).end + chance.choice((0, 0, 1, -1, 4, 8, -8)))]


def shuffled(data: bytes, chance: Random) -> bytes:
    """The boxes on one level in another order."""
    around = chance.choice([None, *(found for found in boxes(data) if found.kind in CONTAINERS)])
    start, end = (around.inner, around.end) if around else (0, len(data))
    parts = [data[found.start : found.end] for found in boxes(data, start, end) if found.depth == 0]
    chance.shuffle(parts)
    return data[:start] + b"".join(parts) + data[end:]


def wrong_size(data: bytes, chance: Random) -> bytes:
    """A box that lies about its size, or has it in 64 bits, where it may lie as well."""
    found = _pick(data, chance)
    size = found.end - found.start
    if chance.random() < 0.5:
        header = struct.pack(">I4sQ", 1, found.kind, chance.choice((size + 8, *LONG_EXTREMES)))
        return data[: found.start] + header + data[found.inner :]
    size = chance.choice((*EXTREMES, max(0, size + chance.choice((-8, -1, 1, 8))), len(data)))
    return _overwritten(data, found.start, struct.pack(">I", size))


def wrong_number(data: bytes, chance: Random) -> bytes:
    """A count, an offset or a time of the index that lies."""
    tables = [found for found in boxes(data) if found.kind not in (*CONTAINERS, b"mdat", b"free", b"ftyp")]
    found = chance.choice([table for table in tables if table.end - table.inner >= 4])
    place = found.inner + 4 * chance.randrange((found.end - found.inner) // 4)
    return _overwritten(data, place, struct.pack(">I", chance.choice(EXTREMES)))


def renamed(data: bytes, chance: Random) -> bytes:
    """A box under another box's name."""
    return _overwritten(data, _pick(data, chance).start + 4, _pick(data, chance).kind)


def missing(data: bytes, chance: Random) -> bytes:
    """Without one of its boxes, the sizes around it unchanged."""
    found = _pick(data, chance)
    return data[: found.start] + data[found.end :]


def inserted(data: bytes, chance: Random) -> bytes:
    """More boxes before another one, on any level: one that is there already, a tower of them, or very many."""
    found, tower = _pick(data, chance), b""
    for _ in range(chance.choice((10, 1000, 5000))):
        tower = box(chance.choice((b"moov", b"trak", b"mdia", b"udta", b"meta")), tower)
    many = box(chance.choice((b"free", b"moov", b"trak", b"mdat"))) * chance.choice((1000, MOST_TINY_BOXES))
    content = chance.choice((data[found.start : found.end], tower, many))
    place, result = _pick(data, chance), bytearray(data)
    for around in boxes(data):  # whose sizes are made to fit
        if around.start < place.start < around.end:
            struct.pack_into(">I", result, around.start, around.end - around.start + len(content))
    return bytes(result[: place.start]) + content + bytes(result[place.start :])


def joined(data: bytes, chance: Random) -> bytes:
    """Two files in one, or with rubbish behind."""
    return data + chance.choice((data, data[: chance.randrange(len(data))], chance.randbytes(1000), bytes(1000)))


DAMAGES: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    *(bits, bits, bits, hole, cut, shuffled, wrong_size, wrong_size, wrong_number, wrong_number),
    *(renamed, missing, inserted, inserted, joined),
)


def spoilt(data: bytes, seed: int) -> tuple[str, bytes]:
    """The damage that belongs to a seed, by its name, and the file with it. Some files are hit twice."""
    chance = Random(seed)
    damage = chance.choice(DAMAGES)
    broken = damage(data, chance)
    if chance.random() < 0.2 and damage is not inserted:
        broken = hole(broken or b"\0", chance)
    return damage.__name__, broken


def _pick(data: bytes, chance: Random) -> Box:
    return chance.choice(list(boxes(data)))


def _overwritten(data: bytes, place: int, content: bytes) -> bytes:
    return (data[:place] + content + data[place + len(content) :])[: len(data)]
