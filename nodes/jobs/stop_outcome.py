"""What has become of a job when its run ends early: by Stop, or because another node failed."""

from __future__ import annotations

from enum import Enum


class StopOutcome(Enum):
    """The value sums it up where there are several of them."""

    NOT_SUBMITTED = "not submitted, nothing charged"
    CANCELLED = "cancelled, nothing charged"
    GOES_ON = "going on, to be charged; the next run of the same graph collects them without a new charge"
    UNCERTAIN = "perhaps charged; the next run of the same graph finds them or says where to look"
    FINISHED = "finished; the next run of the same graph loads them without a new charge"
