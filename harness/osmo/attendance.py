# SPDX-License-Identifier: BSD-2-Clause
"""Who looks on while a cluster runs: the live view, and whoever comes through the door."""

import time

from osmo.door import Door
from osmo.errors import Problem
from osmo.port import Port
from osmo.session import Session
from osmo.view import View
from osmo.watch import Watch

TICK = 0.25


class Attendance:
    """`look` is called with every look at the machine. `commands`: whether it has a command
    port; `paused`: whether it stands still from the first look on. A run that cannot have a
    door, for want of a place for it, goes on without."""

    def __init__(self, watch: Watch, commands: bool, show: bool, paused: bool = False) -> None:
        self.commands = commands
        self.paused = paused
        self.watch = watch
        self.view = View(watch.cluster, watch) if show else None
        self.door: Door | None = None
        self.begun = False
        self.next = 0.0

    def __enter__(self) -> "Attendance":
        return self

    def __exit__(self, *_: object) -> None:
        if self.door:
            self.door.close()
        if self.view:
            self.view.close()

    def look(self, session: Session) -> None:
        if session.ending:
            self._last(session)
            return
        if not self.begun:
            self.begun = True
            try:
                command = session.machine.directory / "command"
                self.door = Door(self.watch, Port(command) if self.commands else None)
            except (OSError, Problem):
                self.door = None
            # Without a door nobody could tell it to go on.
            if self.paused and self.door:
                session.pause()
        if self.door:
            self.door.look(session)
        else:
            self.watch.look(session)
        now = time.monotonic()
        if now >= self.next:
            self.next = now + TICK
            self.watch.tick()
        if self.view:
            self.view.show(session)

    def _last(self, session: Session) -> None:
        """Of a run that is over nobody can ask anything; the picture that stays shows how it ended."""
        self.watch.look(session)
        if self.view:
            self.watch.tick()
            self.view.draw(session)
