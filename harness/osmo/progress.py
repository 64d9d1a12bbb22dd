# SPDX-License-Identifier: BSD-2-Clause
"""How far long work is: one line on a terminal, written over; nothing at all in a pipe or a file."""

import os
import shutil
import sys
import time
from typing import TextIO

from osmo import units
from osmo.session import Session

PERIOD = 0.2


def draws(out: TextIO) -> bool:
    """Whether what is written can be written over: a terminal, and not one that says it cannot."""
    return out.isatty() and os.environ.get("TERM") != "dumb"


class Progress:
    """`say` as often as there is something to say; gone when left."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stderr
        self.shows = draws(self.out)
        self.next = 0.0
        self.drawn = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def say(self, words: str) -> None:
        now = time.monotonic()
        if self.shows and now >= self.next:
            self.next = now + PERIOD
            self.drawn = True
            self.out.write(f"\r\x1b[K{words[:shutil.get_terminal_size().columns - 1]}")
            self.out.flush()

    def clear(self) -> None:
        if self.drawn:
            self.out.write("\r\x1b[K")
            self.out.flush()
        self.drawn, self.next = False, 0.0

    def run(self, name: str, session: Session, for_ns: int | None) -> None:
        """How far a run is, by its own clock; None for one whose end is no time."""
        if self.shows and session.page:
            now_ns = session.page.get().now_ns
            far = (f"of {units.show_time(for_ns)}, {100 * now_ns // max(for_ns, 1)} %" if for_ns is not None
                   else "of virtual time")
            self.say(f"{name}: {units.short_time(now_ns)} {far}")
