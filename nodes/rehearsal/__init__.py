"""A local RunComfy: the documented API over real HTTP on 127.0.0.1, answering with real MP4s.

It stands in for the paid service where nothing may be spent: `mode: rehearsal`, the demo, tests, benchmarks. It shares
no code with the client, so that a mistake in the client has no twin here that hides it.
"""

from .jobs import Job, JobState, Timing
from .render import VideoRequest
from .server import DEFAULT_TOKEN, RehearsalService

__all__ = ["DEFAULT_TOKEN", "Job", "JobState", "RehearsalService", "Timing", "VideoRequest"]
