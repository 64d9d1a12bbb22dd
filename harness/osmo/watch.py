# SPDX-License-Identifier: BSD-2-Clause
"""What a cluster does right now, from the trace as it comes: messages, processes, moves.

The live view, `ps`, `top` and `break` all look through this one window.
"""

import collections
import dataclasses
from typing import Any

from osmo import abi
from osmo.cluster import Cluster
from osmo.faults import Fault
from osmo.session import Session
from osmo.types import Kernel, Net

RATES = 24  # looks that are remembered for a rate and its picture
BARS = " ▁▂▃▄▅▆▇█"


@dataclasses.dataclass
class Doing:
    """One node's counts since the run began."""

    sent: int = 0
    received: int = 0
    processes: set[tuple[int, int]] = dataclasses.field(default_factory=set)
    known: dict[int, tuple[int, int]] = dataclasses.field(default_factory=dict)  # by `who` of records
    recent: collections.deque[int] = dataclasses.field(default_factory=lambda: collections.deque(maxlen=RATES))


class Watch:
    """`look` takes in what the trace has gained; the rest answers questions about it."""

    def __init__(self, cluster: Cluster, for_ns: int | None = None, faults: list[Fault] | None = None) -> None:
        self.cluster = cluster
        self.for_ns = cluster.for_ns if for_ns is None else for_ns
        self.planned = cluster.faults if faults is None else faults
        self.nodes = {n.name: Doing() for n in cluster.nodes}
        self.moves = 0
        self.lost = 0
        self.read = 0
        self.spans: collections.deque[int] = collections.deque(maxlen=RATES)
        self.virtual_ns = 0
        self._before = 0

    def look(self, session: Session) -> list[abi.Record]:
        """The records since the last look."""
        collector = session.collector
        size = abi.RECORD.size
        fresh = bytes(collector.trace[self.read:])
        self.read += len(fresh) // size * size
        records = abi.records(fresh)
        # The mailbox's time is that of the machine's last rest: the domains may have written since.
        now_ns = session.page.get().now_ns if session.page else 0
        self.virtual_ns = max([self.virtual_ns, now_ns, *(r.ns for r in records)])
        for record in records:
            doing = self.nodes.get(collector.names.get(record.domid, ""))
            if record.type == Net.MEDIUM_DROP:
                self.lost += 1
            elif doing:
                self._count(doing, record)
        return records

    def _count(self, doing: Doing, record: abi.Record) -> None:
        if record.type == Kernel.SEND:
            doing.sent += 1
        elif record.type == Kernel.RECEIVE:
            doing.received += 1
        elif record.type == Kernel.CREATE:
            process = doing.known[record.who] = (record.b >> 32, record.a & 0xFFFFFFFF)
            others = [d for d in self.nodes.values() if process in d.processes]
            self.moves += bool(others)
            for other in others:
                other.processes.discard(process)
            doing.processes.add(process)
        elif record.type == Kernel.END:
            doing.processes.discard(doing.known.pop(record.who, (0, 0)))

    def tick(self) -> None:
        """A step of the rates; called a few times a second."""
        self.spans.append(max(0, self.virtual_ns - self._before))
        self._before = self.virtual_ns
        for doing in self.nodes.values():
            doing.recent.append(doing.sent + doing.received)

    def rate(self, name: str) -> float:
        """Messages sent and received in a second of virtual time, over the last ticks."""
        recent = self.nodes[name].recent
        span = sum(list(self.spans)[1:])
        return (recent[-1] - recent[0]) * 1e9 / span if len(recent) > 1 and span else 0.0

    def spark(self, name: str, width: int) -> str:
        """The rate over the last ticks, as a row of bars."""
        recent = list(self.nodes[name].recent)
        steps = [b - a for a, b in zip(recent, recent[1:])][-width:]
        most = max(steps, default=0)
        return "".join(BARS[-(-s * 8 // most)] if most else BARS[0] for s in steps).rjust(width)

    def state(self, session: Session, name: str) -> str:
        """running, waiting (not begun), or how it ended."""
        ended = session.collector.ended.get(name)
        if ended:
            return ended.reason
        return "running" if name in session.collector.names.values() else "waiting"

    def faults(self) -> list[Fault]:
        """Planned faults that are in force now."""
        def over(f: Fault) -> bool:
            return f.for_ns is not None and self.virtual_ns > (f.at_ns or 0) + f.for_ns
        return [f for f in self.planned
                if not f.after and (f.at_ns or 0) <= self.virtual_ns and not over(f)]

    def status(self, session: Session) -> dict[str, Any]:
        """All of it, as `osmosis ps` and `top` get it."""
        domids = {name: domid for domid, name in session.collector.names.items()}
        nodes = []
        for node in self.cluster.nodes:
            doing = self.nodes[node.name]
            nodes.append({"name": node.name, "number": node.number, "machine": node.machine,
                          "state": self.state(session, node.name), "domid": domids.get(node.name),
                          "sent": doing.sent, "received": doing.received, "rate": round(self.rate(node.name), 1),
                          "processes": [f"{machine}.{serial}" for machine, serial in sorted(doing.processes)],
                          "said": session.collector.last_line(node.name)})
        return {"name": self.cluster.name, "virtual_ns": self.virtual_ns, "for_ns": self.for_ns,
                "paused": session.paused, "moves": self.moves, "frames_lost": self.lost,
                "faults": [f.text() for f in self.faults()], "nodes": nodes}
