"""Do the journal and the service's ledger agree, to the row?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nodes.jobs.records import JobRecord, State
from nodes.rehearsal import JobState
from tests.support.rehearsal import Submission

ANEW: Final = "Anew"
"""How the texts begin that are bought again on purpose."""
UNCERTAIN: Final = (State.INTENDED, State.UNKNOWN, State.UNKNOWN_REPORTED)
"""Rows for which the service may have a job whose id never came: the user reads so, once, or will."""
LIVING: Final = (State.ACCEPTED, State.SUCCEEDED, State.SAVED, State.EXPIRED)
AGREE: Final[Mapping[State, tuple[JobState, ...]]] = {
    State.SAVED: (JobState.SUCCEEDED,),
    State.SUCCEEDED: (JobState.SUCCEEDED,),
    State.FAILED: (JobState.FAILED,),
    State.CANCELLED: (JobState.CANCELLED,),
    State.ACCEPTED: (),
    State.EXPIRED: (),
}
"""What the service may say of a row once everything has been collected. What the journal leaves open then is lost."""


@dataclass(frozen=True)
class Ledger:
    """All there is to compare when everything is over."""

    journal: Sequence[JobRecord]
    """Oldest first."""
    service: Sequence[Submission]
    on_disk: Collection[str]
    """Names of the files in the folder of videos."""

    def problems(self) -> list[str]:
        """Every contradiction, as a sentence."""
        left_over = (f"{name} is left over" for name in self.on_disk if name.startswith("."))
        return [*self._rows(), *self._unlisted(), *self._bought_twice(), *left_over]

    def _rows(self) -> Iterator[str]:
        jobs = {job.request_id: job for job in self.service}
        for entry in self.journal:
            if not entry.request_id:
                continue
            job = jobs.get(entry.request_id)
            if job is None:
                yield f"{entry.request_id} is {entry.state.value} in the journal and unknown to the service"
            elif job.state not in AGREE.get(entry.state, ()):
                yield f"{entry.request_id} is {entry.state.value} in the journal and {job.state.value} at the service"
            # Stop may come between a file's arrival and the word about it; then the file itself is the record.
            for name in entry.files:
                if name not in self.on_disk:
                    yield f"{name} is in the journal and not on disk"

    def _unlisted(self) -> Iterator[str]:
        """Jobs whose ids never came need a row of the same request that says so, each its own."""
        listed = {entry.request_id for entry in self.journal}
        excused = Counter(_text_and_seed(entry) for entry in self.journal if entry.state in UNCERTAIN)
        for job in self.service:
            if job.request_id in listed:
                continue
            request = str(job.input["text"]), job.input["seed"]
            excused[request] -= 1
            if excused[request] < 0:
                yield f"{job.request_id} is {job.state.value} at the service and not in the journal"

    def _bought_twice(self) -> Iterator[str]:
        """Of one request only one job may live, unless buying anew was asked for."""
        living: defaultdict[str, list[str]] = defaultdict(list)
        for entry in self.journal:
            if entry.state in LIVING and entry.request and not entry.request.text.startswith(ANEW):
                living[entry.key.request].append(entry.request_id)
        for jobs in living.values():
            if len(jobs) > 1:
                yield f"bought {len(jobs)} times: {', '.join(jobs)}"


def _text_and_seed(entry: JobRecord) -> tuple[str, object]:
    return (entry.request.text, entry.request.seed) if entry.request else ("", None)
