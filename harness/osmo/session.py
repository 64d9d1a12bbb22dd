# SPDX-License-Identifier: BSD-2-Clause
"""One machine from start to end: READY, the plan, the output, and what can go wrong on the way.

Ends in one of: done (the run finished by itself), panic, died (QEMU ended), wedged (no sign
of progress), deadline (wall clock). The last four carry the machine's dump.
"""

import dataclasses
import pathlib
import time
from collections.abc import Callable
from typing import Protocol

from osmo import abi
from osmo.collect import Collector
from osmo.errors import Problem
from osmo.memory import MailboxPage, OutputRing, Ram

BOOT_SECONDS = 60.0
POLL_SECONDS = 0.005
DUMP_SECONDS = 1.0


class Machine(Protocol):
    """What a session needs of a machine; Qemu has it, and so have tests' fakes."""

    directory: pathlib.Path

    @property
    def ram(self) -> Ram: ...
    def alive(self) -> bool: ...
    def delayed(self) -> float: ...
    def stop(self) -> None: ...
    def resume(self) -> None: ...
    def serial(self) -> str: ...
    def errors(self) -> str: ...
    def nmi(self) -> None: ...
    def inside(self) -> dict[str, str]: ...


@dataclasses.dataclass
class Ending:
    how: str
    status: int = 0
    reason: str = ""
    virtual_ns: int = 0
    dump: str = ""

    @property
    def good(self) -> bool:
        return self.how == "done" and self.status == 0


class Session:
    """`patience` is how long a machine may show no progress at all, not counting what the host keeps it
    waiting for a processor: guests may compute for long before they let the hypervisor see the time.
    `deadline` bounds all."""

    def __init__(self, machine: Machine, collector: Collector, seeded: bool,
                 patience: float = 60.0, deadline: float = 3600.0) -> None:
        self.machine = machine
        self.collector = collector
        self.seeded = seeded
        self.patience = patience
        self.ends = time.monotonic() + deadline
        self.page: MailboxPage | None = None
        self.ring: OutputRing | None = None
        self.ending: Ending | None = None  # once the run is over, for the onlooker's last look
        self.paused = False
        self._seen: tuple[int, ...] = ()
        self._progress = time.monotonic()
        self._delayed: float | None = None

    def ready(self, seconds: float = BOOT_SECONDS) -> Ending | None:
        """Waits for READY, or for a machine that brought its plan to run; an Ending instead
        if it never gets there."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.machine.alive():
                said = self.machine.errors()[-300:].strip()
                return self._ending("died", "the machine ended before it was ready" + (said and f": {said}"))
            self.page = self.page or MailboxPage.find(self.machine.ram)
            if self.page:
                state = self.page.state()
                if state >= abi.State.READY:
                    self._open_ring()
                if state in (abi.State.READY, abi.State.RUNNING):
                    return None
                if state in (abi.State.PANIC, abi.State.DONE):
                    return self.finished()
            time.sleep(POLL_SECONDS)
        return self._dump("wedged", f"the machine was not ready after {seconds:.0f} s")

    def waiting(self) -> bool:
        """Whether it wants its plan handed over."""
        return self.page is not None and self.page.state() == abi.State.READY

    def _open_ring(self) -> None:
        assert self.page
        box = self.page.get()
        if self.ring is None and box.output:
            self.ring = OutputRing(self.machine.ram, box.output, box.output_size)

    def go(self, plan: bytes, seed: int) -> None:
        """Hands the plan over while the machine stands still."""
        if self.page is None:
            raise Problem("the machine is not ready")
        self.machine.stop()
        self.page.give_plan(plan, seed)
        self._progress = time.monotonic()
        self.machine.resume()

    def pause(self) -> None:
        """The machine stands still, and its clock with it; nothing in it can tell."""
        if not self.paused:
            self.machine.stop()
            self.paused = True
            self.drain()

    def go_on(self) -> None:
        if self.paused:
            self.paused = False
            self._progress = time.monotonic()
            self.machine.resume()

    def drain(self) -> None:
        """Takes output in. Not before the plan is taken: at that moment the ring starts anew."""
        if self.ring is None or self.page is None or self.page.state() == abi.State.GO:
            return
        for frame in self.ring.frames():
            self.collector.take(frame)
        if not self.seeded:
            self.ring.free()

    def poll(self) -> Ending | None:
        """One look: takes output in, and says how the run ended if it has."""
        assert self.page
        state = self.page.state()
        self.drain()
        if state in (abi.State.DONE, abi.State.PANIC):
            return self.finished()
        if not self.machine.alive():
            return self._ending("died", "QEMU ended: " + self.machine.errors()[-300:].strip())
        now = time.monotonic()
        seen = (self.page.get().now_ns, self.ring.produced() if self.ring else 0)
        if seen != self._seen or self.paused:
            self._seen, self._progress, self._delayed = seen, now, None
        if self._silent(now - self._progress) > self.patience:
            return self._dump("wedged", f"no sign of life for {self.patience:.0f} s")
        if now > self.ends:
            return self._dump("deadline", "the wall-clock limit is reached")
        return None

    def _silent(self, seconds: float) -> float:
        """How much of that time it could have run; asked for each poll, so looked up only after a while."""
        if seconds < self.patience / 4:
            return seconds
        if self._delayed is None:
            self._delayed = self.machine.delayed()
        return seconds - (self.machine.delayed() - self._delayed)

    def run(self, onlooker: Callable[["Session"], None] | None = None) -> Ending:
        """Until the end; `onlooker` is called now and then (a live view), and once when all has come out."""
        while True:
            self.ending = self.poll()
            if onlooker:
                onlooker(self)
            if self.ending:
                return self.ending
            time.sleep(POLL_SECONDS)

    def finished(self) -> Ending:
        assert self.page
        box = self.page.get()
        self.drain()
        how = "panic" if box.state == abi.State.PANIC else "done"
        return self._ending(how, box.reason, box.status)

    def _dump(self, how: str, reason: str) -> Ending:
        """A wedged machine still hears an NMI and answers with its state on the serial port; if QEMU itself
        hears nothing, that is said."""
        if self.machine.alive():
            try:
                self.machine.nmi()
                time.sleep(DUMP_SECONDS)
            except Problem as problem:
                reason += f"; no dump: {problem}"
        self.drain()
        return self._ending(how, reason)

    def _ending(self, how: str, reason: str, status: int = 0) -> Ending:
        virtual = self.page.get().now_ns if self.page else 0
        self.collector.no_room = self.ring.lost() if self.ring else 0
        dump = "" if how == "done" else self.machine.serial()[-8000:]
        return Ending(how, status, reason, virtual, dump)
