"""What hangs until a test lets it go on."""

from __future__ import annotations

import threading

from tests.support.machine import FakeMachine

PATIENCE = 30.0
"""Seconds after which what hangs has been waited for."""


class Hanging:
    """Hangs wherever it is called, until it may go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.ended: list[bool] = []
        """For each call whether it went on in time."""

    def __call__(self) -> bool:
        self.ended.append(self.go_on.wait(PATIENCE))
        return True


def press_and_hang(machine: FakeMachine, hang: Hanging) -> None:
    machine.press_stop()
    hang()
