"""What is done for a request, whatever its records say: the table is the rule."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from nodes.jobs.decide import RECHECK_SECONDS, Disk, Do, Situation, decide
from nodes.jobs.records import SUBMIT_SECONDS, JobRecord, RequestKey, State

NOW = 1_700_000_000.0
WORDS = {
    "load": Do.LOAD,
    "resume": Do.RESUME,
    "wait": Do.WAIT,
    "give up": Do.GIVE_UP_SUBMIT,
    "report": Do.REPORT,
    "away": Do.RAISE_UNREADABLE,
    "ask": Do.RECHECK,
    "BUY": Do.SUBMIT,
}
TABLE = """
the only record        | any video will do (reuse)    | a new one; the record is     | a new one; the record is
                       |                              | of this very run             | of another run
its files:             | whole    missing   unreadable | whole    missing   unreadable | whole    missing   unreadable
-----------------------+------------------------------+------------------------------+-----------------------------
intended               | load     wait      wait      | load     wait      wait      | BUY      BUY       BUY
intended, fence over   | load     give up   give up   | load     give up   give up   | give up  give up   give up
intended, clock back   | load     give up   give up   | load     give up   give up   | give up  give up   give up
refused                | load     BUY       BUY       | BUY      BUY       BUY       | BUY      BUY       BUY
unknown                | load     report    report    | load     report    report    | report   report    report
told, unread           | load     report    report    | load     report    report    | report   report    report
told                   | load     BUY       BUY       | load     report    report    | BUY      BUY       BUY
accepted               | load     resume    resume    | load     resume    resume    | resume   resume    resume
accepted, busy         | load     wait      wait      | load     wait      wait      | BUY      BUY       BUY
succeeded              | load     resume    resume    | load     resume    resume    | resume   resume    resume
succeeded, busy        | load     wait      wait      | load     wait      wait      | BUY      BUY       BUY
surplus                | load     resume    resume    | load     resume    resume    | resume   resume    resume
surplus, busy          | load     wait      wait      | load     wait      wait      | BUY      BUY       BUY
saved                  | load     resume    away      | load     resume    away      | BUY      BUY       BUY
saved, busy            | load     wait      away      | load     wait      away      | BUY      BUY       BUY
failed, unread         | load     report    report    | load     report    report    | BUY      BUY       BUY
failed                 | load     BUY       BUY       | load     report    report    | BUY      BUY       BUY
cancelled              | load     ask       ask       | load     report    report    | ask      ask       ask
cancelled, asked       | load     BUY       BUY       | load     report    report    | BUY      BUY       BUY
cancelled, yesterday   | load     BUY       BUY       | load     report    report    | BUY      BUY       BUY
forgotten, unread      | load     report    away      | load     report    away      | BUY      BUY       BUY
forgotten              | load     ask       away      | load     report    away      | BUY      BUY       BUY
forgotten, asked       | load     BUY       away      | load     report    away      | BUY      BUY       BUY
"""
"""States by the words that the journal holds."""
COLUMNS = [(run, disk) for run in ("", "mine", "another's") for disk in Disk]


@dataclass(frozen=True)
class Case:
    """One cell of the table."""

    name: str
    record: JobRecord
    situation: Situation
    expected: Do


def case(row: str, run: str, disk: Disk, expected: Do, account: str = "mine", number: int = 1) -> Case:
    """A cell as a record with the ``id`` ``number``, and what is known beside it."""
    state, _, detail = row.partition(", ")
    only = frozenset({number})
    record = JobRecord(
        number,
        str(number),
        RequestKey("request", account, "service"),
        run,
        State(state),
        None,
        changed=NOW - (RECHECK_SECONDS + 1 if detail == "yesterday" else 1),
        submit_until=NOW + {"fence over": 0, "clock back": 1e6}.get(detail, SUBMIT_SECONDS),
    )
    situation = Situation(
        NOW,
        run and "mine",
        {number: disk},
        busy=only if detail == "busy" else frozenset(),
        unread=only if detail == "unread" else frozenset(),
        rechecked=only if detail == "asked" else frozenset(),
    )
    return Case(f"{row}, run {run or 'any'!r}, files {disk.value}, {account} account", record, situation, expected)


def cases(account: str = "mine", number: int = 1) -> list[Case]:
    """All cells of the table."""
    found = []
    for line in TABLE.strip().splitlines()[4:]:
        row, *groups = line.split("|")
        words = [word for group in groups for word in group.replace("give up", "give-up").split()]
        for (run, disk), word in zip(COLUMNS, words, strict=True):
            found.append(case(row.strip(), run, disk, WORDS[word.replace("-", " ")], account, number))
    return found


def test_the_table() -> None:
    print(TABLE)  # with -s
    for account in ("mine", "another"):  # the account makes no difference...
        for each in cases(account):
            action = decide([each.record], each.situation)
            assert action.do is each.expected, f"{each.name}: {action.do}, not {each.expected}"
            assert action.record is (None if action.do is Do.SUBMIT else each.record), each.name
            # ... until the service says whose the job is.
            not_ours = replace(each.situation, not_ours=frozenset({1}))
            assert decide([each.record], not_ours).do is Do.SUBMIT, each.name
    assert decide([], Situation(NOW)).do is decide([], Situation(NOW, "mine")).do is Do.SUBMIT


def test_every_state_is_in_the_table() -> None:
    assert {each.record.state for each in cases()} == set(State)


def test_of_two_records_none_makes_a_run_buy_over_the_other() -> None:
    """Whatever the one is, and whichever is newer."""
    for one, two in itertools.product(cases(), cases(number=2)):
        if one.situation.run_key != two.situation.run_key:
            continue
        both = Situation(
            NOW,
            one.situation.run_key,
            {**one.situation.disk, **two.situation.disk},
            busy=one.situation.busy | two.situation.busy,
            unread=one.situation.unread | two.situation.unread,
            rechecked=one.situation.rechecked | two.situation.rechecked,
        )
        action = decide([two.record, one.record], both)
        alone = {one.expected, two.expected}
        name = f"{two.name} and, older, {one.name}: {action.do}"
        # A run that is executed again has its own job, and no interest in those of other runs.
        own = {each.expected for each in (one, two) if each.record.run == "mine" and each.record.state != State.REFUSED}
        assert action.do in (own or alone), name
        if both.run_key == "" or own:
            assert (action.do is Do.SUBMIT) == ((own or alone) == {Do.SUBMIT}), name
            assert (action.do is Do.LOAD) == (Do.LOAD in (own or alone)), name
        else:
            assert (action.do is Do.SUBMIT) == (alone == {Do.SUBMIT}), name
