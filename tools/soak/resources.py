"""What a process holds, and what a page in a browser does; and whether that grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

import psutil
from playwright.sync_api import CDPSession


@dataclass(frozen=True)
class Resources:
    """At one moment."""

    threads: int
    sockets: int
    handles: int
    """Open files, sockets among them."""
    memory: int
    """Resident, in MB."""

    @classmethod
    def of(cls, pid: int) -> Resources:
        """Of a process that runs."""
        process = psutil.Process(pid)
        with process.oneshot():
            memory = process.memory_info().rss // 2**20
            sockets = len(process.net_connections(kind="all"))
            return cls(process.num_threads(), sockets, process.num_fds(), memory)


BOUND: Final = Resources(threads=16, sockets=20, handles=40, memory=200)
"""How much more there may be at the end than after warming up: the pack starts its 16 threads, and keeps a connection
for each, only when there is work for so many; and memory is given back to the system in large pieces only."""


@dataclass(frozen=True)
class PageResources:
    """Of a page, at one moment, when what is garbage has been collected."""

    elements: int
    """Of this pack, those that are not shown any more among them."""
    heap: int
    """Of JavaScript, in MB."""

    @classmethod
    def of(cls, devtools: CDPSession) -> PageResources:
        """Of the page that these are for."""
        devtools.send("HeapProfiler.collectGarbage")
        prototype = devtools.send("Runtime.evaluate", {"expression": "HTMLElement.prototype"})["result"]["objectId"]
        found = devtools.send("Runtime.queryObjects", {"prototypeObjectId": prototype})["objects"]["objectId"]
        count = {"objectId": found, "functionDeclaration": COUNT, "returnByValue": True}
        elements = devtools.send("Runtime.callFunctionOn", count)["result"]["value"]
        devtools.send("Runtime.releaseObject", {"objectId": found})
        return cls(elements, devtools.send("Runtime.getHeapUsage")["usedSize"] // 2**20)


COUNT: Final = """function () {
    const elements = this.filter((found) => !Object.hasOwn(found, "constructor")) // which prototypes have
    return elements.filter(({ className }) => String(className).startsWith("seedance")).length
}"""
PAGE_BOUND: Final = PageResources(elements=300, heap=200)
"""The same for a page that shows as many jobs as before. ComfyUI 0.3.75's own UI keeps 0.1 MB of every run."""

T = TypeVar("T", Resources, PageResources)


def grown(before: T, after: T, bound: T, /) -> list[str]:
    """What grew beyond the bound, as sentences."""
    more = {name: was_after - vars(before)[name] for name, was_after in vars(after).items()}
    return [f"{name} grew by {by}" for name, by in more.items() if by > vars(bound)[name]]
