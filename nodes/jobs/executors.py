"""This pack's own few threads, for calls that block.

Jobs wait on the event loop; only single, time-limited pieces of work run here. The threads are not asyncio's default
ones: ComfyUI waits for those at the end of a graph, and so Stop would wait for a slow connection.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


class Executors:
    """One plain executor per kind of work, so that what may hang delays nothing that is urgent. With 50 jobs
    the pack has 17 threads: these but `cancels`, one that renews claims, two that decoding takes along; 20 at Stop."""

    def __init__(self) -> None:
        self.calls = ThreadPoolExecutor(8, "seedance-call")
        """Short exchanges with the service."""
        self.cancels = ThreadPoolExecutor(10, "seedance-cancel")
        """What Stop waits for."""
        self.downloads = ThreadPoolExecutor(4, "seedance-download")
        self.journal = ThreadPoolExecutor(1, "seedance-journal")
        """The journal, and looks at the disk. One: the database takes one transaction at a time anyway."""
        self.decodes = ThreadPoolExecutor(1, "seedance-decode")
        """One at a time, since each may fill the memory."""

    def close(self) -> None:
        """Let the threads end once they are done with what they have begun."""
        for executor in (self.calls, self.cancels, self.downloads, self.journal, self.decodes):
            executor.shutdown(wait=False, cancel_futures=True)
