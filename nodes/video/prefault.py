"""Memory for a tensor ahead of its being filled.

A page fault for every 4 KB of the tensor takes as long as decoding the video. Asking for whole blocks takes less, and
another thread can do it.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch

MADV_POPULATE_WRITE: Final = 23
"""From Linux 5.14; `mmap` has no name for it."""
BLOCK: Final = 8 * 1024 * 1024
"""Bytes; takes a few milliseconds, in which the end is not noticed."""


@contextmanager
def prefault(images: torch.Tensor) -> Iterator[None]:
    """While the `with` block fills a tensor on the CPU, have the system back it with memory, from front to back.

    Neither reads nor writes the tensor. Where the system cannot do it, pages come as ever, when they are written to.
    """
    over = Event()
    thread = Thread(target=touch, args=(images, over), name="seedance-prefault", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def touch(images: torch.Tensor, over: Event) -> None:
    """Have a tensor backed with memory until that is done, refused, or ``over``. Blocks, without holding the GIL."""
    if sys.platform != "linux":
        return
    # Not the method of mmap.mmap, which keeps every other thread waiting.
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    start = -(-images.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE
    end = images.data_ptr() + images.numel() * images.element_size()
    for block in range(start, end, BLOCK):
        if over.is_set() or madvise(block, min(BLOCK, end - block), MADV_POPULATE_WRITE):
            return
