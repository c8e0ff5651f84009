"""A local RunComfy: the documented API over real HTTP on 127.0.0.1, answering with real MP4s.

It stands in for the paid service wherever nothing may be spent: `mode: rehearsal`, the demo, tests, benchmarks. It
states the contract on its own (`schema.py`, `api.py`), so that a mistake in the client has no twin here to hide behind.
"""

from .jobs import JobState, Timing
from .scene import Scene
from .service import DEFAULT_TOKEN, RehearsalService
from .store import Submission

__all__ = ["DEFAULT_TOKEN", "JobState", "RehearsalService", "Scene", "Submission", "Timing"]
