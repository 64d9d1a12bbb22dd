# SPDX-License-Identifier: BSD-2-Clause
"""The live view of a run: nodes, messages, faults in force, virtual time; plain ANSI."""

import shutil
import sys
import time
from typing import TextIO

from osmo import abi, units
from osmo.cluster import Cluster
from osmo.session import Session
from osmo.types import Kernel

PERIOD = 0.2
MARK = {"running": "\x1b[32m●\x1b[0m", "poweroff": "\x1b[2m○\x1b[0m", "crash": "\x1b[31m✗\x1b[0m"}


class View:
    """Redraws itself in place; `close` leaves the last picture standing."""

    def __init__(self, cluster: Cluster, out: TextIO = sys.stdout) -> None:
        self.cluster = cluster
        self.out = out
        self.next = 0.0
        self.drawn = 0
        self.read = 0
        self.counts: dict[int, list[int]] = {}

    def show(self, session: Session) -> None:
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + PERIOD
        self._count(session)
        lines = self.picture(session)
        width, height = shutil.get_terminal_size()
        lines = [clip(line, width - 1) for line in lines[:height - 1]]
        back = f"\x1b[{self.drawn}A" if self.drawn else ""
        self.out.write(back + "".join(f"\x1b[2K{line}\n" for line in lines))
        self.out.flush()
        self.drawn = len(lines)

    def _count(self, session: Session) -> None:
        """Only what came since the last look."""
        size = abi.RECORD.size
        fresh = bytes(session.collector.trace[self.read:])
        self.read += len(fresh) // size * size
        for record in abi.records(fresh):
            if record.type in (Kernel.SEND, Kernel.RECEIVE):
                self.counts.setdefault(record.domid, [0, 0])[record.type - Kernel.SEND] += 1

    def picture(self, session: Session) -> list[str]:
        collector = session.collector
        virtual = session.page.get().now_ns if session.page else 0
        lines = [f"\x1b[1m{self.cluster.name}\x1b[0m  {units.short_time(virtual)}  "
                 f"of {units.show_time(self.cluster.for_ns)}"]
        lines += [f"  \x1b[2m{line}\x1b[0m" for line in self.cluster.about.strip().splitlines()]
        faults = [f.text() for f in self.cluster.faults
                  if (f.at_ns or 0) <= virtual and (f.for_ns is None or virtual <= (f.at_ns or 0) + f.for_ns)]
        lines += [f"  \x1b[33m⚡ {text}\x1b[0m" for text in faults[:4]]
        domids = {name: domid for domid, name in collector.names.items()}
        for node in self.cluster.nodes[:200]:
            ended = collector.ended.get(node.name)
            state = ended.reason if ended else "running" if node.name in domids else "waiting"
            sent, received = self.counts.get(domids.get(node.name, -1), [0, 0])
            last = collector.text(node.name)[-400:].strip().splitlines()[-1:] or [""]
            lines.append(f"  {MARK.get(state, '·')} {node.name:12} {state:9} {sent:7} sent {received:7} "
                         f"received  {last[0]}")
        return [*lines, "  \x1b[2mCtrl-C ends it\x1b[0m"]

    def close(self) -> None:
        self.out.write("\x1b[0m")
        self.out.flush()


def clip(line: str, width: int) -> str:
    """At most `width` visible characters; escape sequences take none."""
    out, seen, escape = [], 0, False
    for c in line:
        escape = escape or c == "\x1b"
        if not escape:
            if seen == width or not c.isprintable():
                continue
            seen += 1
        out.append(c)
        if escape and c.isalpha():
            escape = False
    return "".join(out)
