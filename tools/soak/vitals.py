"""What a process holds: threads, sockets, file handles and memory; and whether that grows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import psutil


@dataclass(frozen=True)
class Vitals:
    """At one moment."""

    threads: int
    sockets: int
    handles: int
    """Open files, sockets among them."""
    memory: int
    """Resident, in MB."""

    @classmethod
    def of(cls, pid: int) -> Vitals:
        """Of a process that runs."""
        process = psutil.Process(pid)
        with process.oneshot():
            memory = process.memory_info().rss // 2**20
            sockets = len(process.net_connections(kind="all"))
            return cls(process.num_threads(), sockets, process.num_fds(), memory)


BOUND: Final = Vitals(threads=16, sockets=20, handles=40, memory=200)
"""How much more there may be at the end than after warming up: the pack starts its 16 threads, and keeps a connection
for each, only when there is work for so many; and memory is given back to the system in large pieces only."""


def grown(before: Vitals, after: Vitals, bound: Vitals = BOUND) -> list[str]:
    """What grew beyond the bound, as sentences."""
    names = [each.name for each in fields(Vitals)]
    more = {name: getattr(after, name) - getattr(before, name) for name in names}
    return [f"{name} grew by {more[name]}" for name in names if more[name] > getattr(bound, name)]
