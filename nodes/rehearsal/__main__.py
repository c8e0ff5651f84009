"""`python -m nodes.rehearsal`: serve a rehearsal in the foreground, for trying the API by hand."""

from __future__ import annotations

import argparse
import threading
from contextlib import suppress

from . import DEFAULT_TOKEN, RehearsalService, Timing


def main() -> None:
    """Serve until Ctrl-C."""
    usual = Timing()
    parser = argparse.ArgumentParser(prog="python -m nodes.rehearsal", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="default: %(default)s")
    parser.add_argument("--queued", type=float, default=usual.queued, help="seconds in the queue (%(default)s)")
    parser.add_argument("--running", type=float, default=usual.running, help="seconds of generating (%(default)s)")
    chosen = parser.parse_args()
    timing = Timing(queued=chosen.queued, running=chosen.running)
    with RehearsalService(tokens=(chosen.token,), timing=timing, port=chosen.port) as service:
        print(service.origin, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
