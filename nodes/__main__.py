"""The same engine from a terminal, with the same journal as ComfyUI: `python cli.py --help`."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from .engine import Engine, Folders
from .errors import SeedanceError
from .jobs.budget import UNCHARGED, in_usd
from .jobs.errors import Stopped
from .jobs.events import Event, clock_time, dollars
from .jobs.job import Video
from .jobs.listing import as_csv, state_name, totals
from .jobs.quote import QuoteKind
from .jobs.records import JobRecord, State
from .jobs.waiting import Run
from .runcomfy.request import RATIOS, RESOLUTIONS, GenerationRequest, Options, is_request_id

EXIT_FAILED: Final = 1
EXIT_STOPPED: Final = 130
Result = tuple[object, str]
"""What a command has found, for JSON and for people."""

_ABOUT: Final = """Seedance videos from a terminal. Uses the same journal and folders as the nodes in ComfyUI, so a job
that was begun in one is found by the other. Live jobs are paid; the token is taken from where the nodes take it."""
_EXITS: Final = (
    "Exit codes: 0 done, 1 failed (the message says whether anything was charged), 2 wrong usage, 130 stopped."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A console that cannot show a prompt is no reason to fail; and a path that another program reads is to be
            # the path, whatever code page Windows would write it in.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    parser = _parser()
    args = parser.parse_args(arguments)
    output = args.output_directory or (args.comfyui and args.comfyui / "output")
    user = args.user_directory or (args.comfyui and args.comfyui / "user")
    if not (output and user):
        parser.error("this pack is not inside a ComfyUI; say where ComfyUI is with --comfyui DIR")
    engine = Engine(Folders.inside(output, user), os.environ, "terminal")
    try:
        found, text = args.execute(engine, args)
    except (Stopped, SeedanceError) as error:
        print(error, file=sys.stderr)
        return EXIT_STOPPED if isinstance(error, Stopped) else EXIT_FAILED
    finally:
        engine.close()
    print(json.dumps(found, indent=2 if isinstance(found, list) else None) if args.json else text)
    return 0


def _parser() -> argparse.ArgumentParser:
    installed = Path(__file__).absolute().parents[2]
    parser = argparse.ArgumentParser("python cli.py", description=_ABOUT, epilog=_EXITS)
    where = "ComfyUI's folder; by default the one this pack is installed in"
    default = installed.parent if installed.name == "custom_nodes" else None
    parser.add_argument("--comfyui", type=Path, metavar="DIR", default=default, help=where)
    for name in ("--output-directory", "--user-directory"):
        parser.add_argument(name, type=Path, metavar="DIR", help="as ComfyUI was started with, if it was")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, execute: Callable[..., Result], about: str, more: str) -> Callable[..., argparse.Action]:
        added = commands.add_parser(name, help=about, description=f"{about.capitalize()}. {more}")
        added.set_defaults(execute=execute)
        return added.add_argument

    add = command("jobs", _jobs, "list the paid jobs, newest first", "Also those that ComfyUI has begun.")
    add("--limit", type=int, default=20, help="at most so many (default: %(default)s)")
    add("--since", type=_day, metavar="DATE", default=0.0, help="none before that day: 2026-01-31")
    add("--csv", action="store_true", help="all of them, for a spreadsheet")
    about = "take over the jobs of another journal, such as one in a file into one that servers share"
    add = command("journal", _import, about, "What is there already stays as it is, so that it may be done again.")
    add("--import", dest="file", type=_file, metavar="FILE", required=True, help="jobs.sqlite3")
    about = "bring the video of an earlier job, without a new charge"
    add = command("resume", _resume, about, "Waits for the job if need be, downloads its video and prints its path.")
    listed = "as listed by `jobs` and on RunComfy's Generations page"
    add("request_id", type=_request_id, metavar="REQUEST_ID", help=listed)
    about = "generate a video, or find the one that was made before"
    more = "Submits, waits, downloads, and prints the video's path. Ctrl-C stops as the Stop button does."
    quoted = "say what `generate` would cost", "Spends nothing. Takes the same options."
    options, shown = Options(), "default: %(default)s"
    for add in (command("generate", _generate, about, more), command("quote", _quote, *quoted)):
        add("text", metavar="PROMPT", help="what the video shows")
        add("--resolution", choices=RESOLUTIONS, default=options.resolution)
        add("--ratio", choices=RATIOS, default=options.ratio)
        add("--duration", type=int, default=options.duration, help=f"seconds, 2 to 12 ({shown})")
        add("--seed", type=int, default=options.seed, help=shown)
        add("--mode", choices=("live", "rehearsal"), default="live", help=f"live is paid, rehearsal is free ({shown})")
        add("--no-reuse", dest="reuse", action="store_false", help="buy a new video even if there is one")
    return parser


def _jobs(engine: Engine, args: argparse.Namespace) -> Result:
    if args.csv and not args.json:
        return [], as_csv(engine.journal, since=args.since).rstrip("\n")
    now = engine.journal.now()
    records = engine.journal.records(None if args.csv else args.limit, since=args.since)
    found = [_as_json(record, now) for record in records]
    if not found:
        return found, "There are no such jobs." if args.since else "There are no jobs yet."
    lines = [_as_line(record, now) for record in records]
    spent = {name: dollars(each["cost"]) for name, each in totals(engine.journal).items()}
    lines.append(f"Spent: {spent['today']} today, {spent['month']} in 30 days, {spent['all']} in all")
    return found, "\n".join(lines)


def _as_line(record: JobRecord, now: float) -> str:
    estimate = None if record.state in UNCHARGED else in_usd(record.estimate)
    expected = "-" if estimate is None else f"~{dollars(estimate)}"
    cost = expected if record.cost is None else dollars(record.cost)
    text = " ".join(record.request.text.split()) if record.request else ""
    begin = f"{clock_time(record.created)}  {state_name(record, now):16}  {cost:>8}"
    return f"{begin}  {record.request_id or '-':36}  {text:.60}"


def _as_json(record: JobRecord, now: float) -> dict[str, object]:
    return {
        "time": record.created,
        "state": state_name(record, now),
        "request_id": record.request_id or None,
        "request": record.request.body() if record.request else None,
        "cost_usd": record.cost,
        "estimate_usd": in_usd(record.estimate),
        "price": record.price or None,
        "reason": record.reason or None,
        "files": list(record.files) if record.state is State.SAVED else [],
    }


def _import(engine: Engine, args: argparse.Namespace) -> Result:
    taken, known = engine.journal.take_over(args.file)
    return {"imported": taken, "known": known}, f"Jobs imported: {taken}; there already: {known}."


def _resume(engine: Engine, args: argparse.Namespace) -> Result:
    return _video(lambda run: engine.fetch_job(args.request_id, run))


def _generate(engine: Engine, args: argparse.Namespace) -> Result:
    request, rehearsal = _request(args), args.mode == "rehearsal"
    return _video(lambda run: engine.generate(request, rehearsal=rehearsal, reuse=args.reuse, run=run))


def _quote(engine: Engine, args: argparse.Namespace) -> Result:
    found = engine.quote([_request(args)], rehearsal=args.mode == "rehearsal", reuse=args.reuse)
    usd = in_usd(found.amount)
    lines = {
        QuoteKind.PRICE: f"{'From' if found.is_base else 'About'} {dollars(usd or 0)}",
        QuoteKind.UNKNOWN: "The price is not known",
        QuoteKind.MADE: "Free: already made",
        QuoteKind.RUNNING: "Free: is being made",
        QuoteKind.REHEARSAL: "Free: rehearsal",
    }
    return {"kind": found.kind.value, "usd": usd, "is_base": found.is_base}, lines[found.kind]


def _video(get: Callable[[Run], Coroutine[None, None, Video]]) -> Result:
    """A video, and on standard error how far it is."""
    from tqdm import tqdm

    with tqdm(total=1.0, bar_format="{percentage:3.0f}% |{bar:24}| {desc}", file=sys.stderr, leave=False) as bar:

        def show(event: Event) -> None:
            if event.progress:
                done, total = event.progress
                bar.n = done / total
            bar.set_description_str(str(event))

        key = secrets.token_hex()
        video = asyncio.run(get(Run(key, key, show, _stop_signal().is_set)))
    files = [str(file) for file in video.files]
    found = {"request_id": video.request_id, "files": files, "cost_usd": video.cost, "reused": video.reused}
    return found, "\n".join(files)


def _stop_signal() -> threading.Event:
    """What is set once the user has stopped the run: by Ctrl-C, or by closing a window of Windows."""
    stopped = threading.Event()

    def stop(*_: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # who presses again does not want to wait

    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    return stopped


def _request(args: argparse.Namespace) -> GenerationRequest:
    return GenerationRequest(args.text, args.resolution, args.ratio, args.duration, args.seed)


def _request_id(text: str) -> str:
    if not is_request_id(text):
        raise argparse.ArgumentTypeError("a request id consists of letters, digits, - and _")
    return text


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError("there is no such file")
    return Path(text)


def _day(text: str) -> float:
    """The beginning of a day, in seconds since the epoch."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").astimezone().timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError("a date is written like 2026-01-31") from None


if __name__ == "__main__":
    sys.exit(main())
