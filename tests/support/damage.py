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
MOST_TINY_BOXES: Final = 300_000


@dataclass(frozen=True)
class Box:
    """Where a box lies in a file."""

    kind: bytes
    start: int
    end: int
    inner: int
    """Where its content starts."""
    depth: int


def boxes(data: bytes, start: int = 0, end: int | None = None, depth: int = 0) -> Iterator[Box]:
    """Every box of a healthy file, each in front of those inside it."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        yield Box(kind, start, start + size, start + 8, depth)
        if kind in CONTAINERS:
            yield from boxes(data, start + 8, start + size, depth + 1)
        start += size


def bits(data: bytes, chance: Random) -> bytes:
    """Bits turned over, anywhere."""
    spoilt = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 20, 200))):
        spoilt[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def index_bits(data: bytes, chance: Random) -> bytes:
    """Bits turned over in the index."""
    spoilt = bytearray(data)
    index = _pick(data, chance, b"moov")
    for _ in range(chance.choice((1, 1, 3, 20))):
        spoilt[chance.randrange(index.start, index.end)] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def hole(data: bytes, chance: Random) -> bytes:
    """A block of zeros or noise, as a bad sector leaves it."""
    start, size = chance.randrange(len(data)), chance.choice((16, 512, 4096))
    block = chance.choice((bytes(size), chance.randbytes(size)))
    return (data[:start] + block + data[start + size :])[: len(data)]


def cut(data: bytes, chance: Random) -> bytes:
    """Cut at the edge of a box, or a few bytes beside it."""
    return data[: max(0, _pick(data, chance).end + chance.choice((0, 0, 1, -1, 4, 8, -8)))]


def shuffled(data: bytes, chance: Random) -> bytes:
    """The boxes on one level in another order."""
    around = chance.choice([found for found in boxes(data) if found.kind in CONTAINERS] or [None])
    start, end = (0, len(data)) if around is None or chance.random() < 0.3 else (around.inner, around.end)
    parts = [data[found.start : found.end] for found in boxes(data, start, end) if found.depth == 0]
    chance.shuffle(parts)
    return data[:start] + b"".join(parts) + data[end:]


def wrong_size(data: bytes, chance: Random) -> bytes:
    """A box that lies about its size."""
    found = _pick(data, chance)
    size = chance.choice((*EXTREMES, found.end - found.start + chance.choice((-8, -1, 1, 8)), len(data)))
    return data[: found.start] + struct.pack(">I", max(0, size) & 0xFFFFFFFF) + data[found.start + 4 :]


def long_size(data: bytes, chance: Random) -> bytes:
    """A box with its size in 64 bits, which may lie."""
    found = _pick(data, chance)
    size = chance.choice((found.end - found.start + 8, 0, 1, 15, 16, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1))
    header = struct.pack(">I4sQ", 1, found.kind, size)
    return data[: found.start] + header + data[found.inner :]


def wrong_number(data: bytes, chance: Random) -> bytes:
    """A count, an offset or a time of the index that lies."""
    tables = [found for found in boxes(data) if found.kind not in (*CONTAINERS, b"mdat", b"free", b"ftyp")]
    found = chance.choice([table for table in tables if table.end - table.inner >= 4])
    place = found.inner + 4 * chance.randrange((found.end - found.inner) // 4)
    return data[:place] + struct.pack(">I", chance.choice(EXTREMES)) + data[place + 4 :]


def missing(data: bytes, chance: Random) -> bytes:
    """Without one of its boxes, the sizes around it unchanged."""
    found = _pick(data, chance)
    return data[: found.start] + data[found.end :]


def twice(data: bytes, chance: Random) -> bytes:
    """One of its boxes once more, somewhere else."""
    found, other = _pick(data, chance), _pick(data, chance)
    return data[: other.start] + data[found.start : found.end] + data[other.start :]


def renamed(data: bytes, chance: Random) -> bytes:
    """A box under another box's name."""
    found, other = _pick(data, chance), _pick(data, chance)
    return data[: found.start + 4] + other.kind + data[found.inner :]


def nested(data: bytes, chance: Random) -> bytes:
    """Boxes inside boxes inside boxes, in front of the rest or in the index."""
    tower = b""
    for _ in range(chance.choice((10, 1000, 5000))):
        tower = box(chance.choice((b"moov", b"trak", b"mdia", b"udta", b"meta")), tower)
    return _inserted(data, tower, chance)


def flood(data: bytes, chance: Random) -> bytes:
    """Very many tiny boxes."""
    kind = chance.choice((b"free", b"moov", b"trak", b"mdat", b"abcd"))
    return _inserted(data, box(kind) * chance.choice((1000, MOST_TINY_BOXES)), chance)


def joined(data: bytes, chance: Random) -> bytes:
    """Two files in one, or with rubbish behind."""
    return data + chance.choice((data, data[: chance.randrange(len(data))], chance.randbytes(1000), bytes(1000)))


DAMAGES: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    *(bits, index_bits, index_bits, hole, cut, shuffled, wrong_size, long_size, wrong_number, wrong_number),
    *(missing, twice, renamed, nested, flood, joined),
)


def spoilt(data: bytes, seed: int) -> tuple[str, bytes]:
    """The damage that belongs to a seed, by its name, and the file with it. Some files are hit twice."""
    chance = Random(seed)
    damage = chance.choice(DAMAGES)
    broken = damage(data, chance)
    if chance.random() < 0.2 and damage is not flood:
        broken = bits(broken or b"\0", chance)
    return damage.__name__, broken


def _pick(data: bytes, chance: Random, kind: bytes | None = None) -> Box:
    return chance.choice([found for found in boxes(data) if kind in (None, found.kind)])


def _inserted(data: bytes, content: bytes, chance: Random) -> bytes:
    """Boxes put in front of another box, on any level; the sizes of all boxes around them made to fit."""
    place = _pick(data, chance)
    result = bytearray(data)
    for around in boxes(data):
        if around.start < place.start < around.end:
            struct.pack_into(">I", result, around.start, around.end - around.start + len(content))
    return bytes(result[: place.start]) + content + bytes(result[place.start :])
