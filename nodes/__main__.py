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
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .engine import FAILURES, Engine, Folders
from .jobs.clock import clock_time
from .jobs.errors import Stopped
from .jobs.events import Downloading, Event, Generating, dollars
from .jobs.journal import JobRecord
from .jobs.run import Run
from .jobs.services import Video
from .runcomfy.request import RATIOS, RESOLUTIONS, GenerationRequest, Options, is_request_id

FAILED: Final = 1
STOPPED: Final = 130
MODES: Final = ("live", "rehearsal")

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
    asked = _parser().parse_args(arguments)
    engine = Engine(_folders(asked), os.environ)
    try:
        return _list_jobs(engine, asked) if asked.command == "jobs" else _get_video(engine, asked)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        return STOPPED
    except FAILURES as error:
        print(error, file=sys.stderr)
        return FAILED
    finally:
        engine.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python cli.py", description=_ABOUT, epilog=_EXITS)
    parser.add_argument(
        "--comfyui", type=Path, metavar="DIR", help="ComfyUI's folder; by default the one this pack is installed in"
    )
    same = "as ComfyUI was started with, if it was"
    parser.add_argument("--output-directory", type=Path, metavar="DIR", help=same)
    parser.add_argument("--user-directory", type=Path, metavar="DIR", help=same)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    jobs = commands.add_parser("jobs", help="list the paid jobs, newest first", description="List the paid jobs.")
    jobs.add_argument("--limit", type=int, default=20, help="at most so many (default: %(default)s)")
    resume = commands.add_parser(
        "resume",
        help="bring the video of an earlier job, without a new charge",
        description="Wait for a job if need be, download its video and print its path. Nothing is bought.",
    )
    resume.add_argument(
        "request_id", metavar="REQUEST_ID", help="as listed by `jobs` and on RunComfy's Generations page"
    )
    _add_generate(commands)
    return parser


def _add_generate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    generate = commands.add_parser(
        "generate",
        help="generate a video, or find the one that was made before",
        description="Submit, wait, download, and print the video's path. Ctrl-C stops as the Stop button does.",
    )
    default, shown = Options(), "default: %(default)s"
    generate.add_argument("text", metavar="PROMPT", help="what the video shows")
    generate.add_argument("--resolution", choices=RESOLUTIONS, default=default.resolution)
    generate.add_argument("--ratio", choices=RATIOS, default=default.ratio)
    generate.add_argument("--duration", type=int, default=default.duration, help=f"seconds, 2 to 12 ({shown})")
    generate.add_argument("--seed", type=int, default=default.seed, help=shown)
    generate.add_argument("--mode", choices=MODES, default="live", help=f"live is paid, rehearsal is free ({shown})")
    generate.add_argument("--no-reuse", dest="reuse", action="store_false", help="buy a new video even if there is one")


def _folders(asked: argparse.Namespace) -> Folders:
    base: Path | None = asked.comfyui
    installed = Path(__file__).absolute().parents[2]
    if base is None and installed.name == "custom_nodes":
        base = installed.parent
    output: Path | None = asked.output_directory or (base and base / "output")
    user: Path | None = asked.user_directory or (base and base / "user")
    if output is None or user is None:
        _parser().error("this pack is not inside a ComfyUI; say where ComfyUI is with --comfyui DIR")
    return Folders(output / "seedance", user / "__seedance")


def _list_jobs(engine: Engine, asked: argparse.Namespace) -> int:
    entries = engine.journal.records(asked.limit)
    if asked.json:
        print(json.dumps([_as_json(entry) for entry in entries], indent=2))
        return 0
    for entry in entries:
        cost = dollars(entry.cost) if entry.cost is not None else "-"
        text = " ".join(entry.request.text.split()) if entry.request else ""
        print(
            f"{clock_time(entry.created)}  {entry.state.value:9}  {cost:>8}  {entry.request_id or '-':36}  {text:.60}"
        )
    if not entries:
        print("There are no jobs yet.")
    return 0


def _as_json(entry: JobRecord) -> dict[str, object]:
    return {
        "time": entry.created,
        "state": entry.state.value,
        "request_id": entry.request_id or None,
        "request": entry.request.body() if entry.request else None,
        "cost_usd": entry.cost,
        "price": entry.price or None,
        "reason": entry.reason or None,
        "files": list(entry.files),
    }


def _get_video(engine: Engine, asked: argparse.Namespace) -> int:
    pressed = _watch_keyboard()
    bar = _Bar()
    run = Run(secrets.token_hex(), "", frozenset, bar.show, lambda: bool(pressed))
    try:
        video = asyncio.run(_video(engine, asked, run))
    finally:
        bar.close()
    files = [str(file) for file in video.files]
    if asked.json:
        print(
            json.dumps({"request_id": video.request_id, "files": files, "cost_usd": video.cost, "reused": video.reused})
        )
    else:
        print(*files, sep="\n")
    return 0


def _watch_keyboard() -> list[int]:
    """What will hold the signal once the user has stopped the run: by Ctrl-C, or by closing a window of Windows."""
    pressed: list[int] = []

    def stop(number: int, _: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # who presses again does not want to wait

    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    return pressed


async def _video(engine: Engine, asked: argparse.Namespace, run: Run) -> Video:
    if asked.command == "resume":
        if not is_request_id(asked.request_id):
            _parser().error("a request id consists of letters, digits, - and _")
        return await engine.fetch_job(asked.request_id, run)
    request = GenerationRequest(asked.text, asked.resolution, asked.ratio, asked.duration, asked.seed)
    return await engine.generate(request, rehearsal=asked.mode == "rehearsal", reuse=asked.reuse, run=run)


class _Bar:
    """A bar on the terminal: of bytes where they can be counted, else of the expected time."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=1.0, bar_format="{percentage:3.0f}% |{bar:24}| {desc}", file=sys.stderr, leave=False)

    def show(self, event: Event) -> None:
        if isinstance(event, Downloading) and event.total:
            self._bar.n = event.received / event.total
        elif isinstance(event, Generating):
            self._bar.n = min(0.99, event.elapsed / event.expected)
        self._bar.set_description_str(str(event))

    def close(self) -> None:
        self._bar.close()


if __name__ == "__main__":
    sys.exit(main())
