# SPDX-License-Identifier: BSD-2-Clause
"""Traces made by hand: a small world of nodes that send, with flaws put in on purpose."""

from osmo import abi
from osmo.collect import Event
from osmo.history import History, Life
from osmo.invariants import Case
from osmo.ledger import Ledger
from osmo.types import Kernel

MS = 10**6


class World:
    """Nodes n1, n2 ... are machines 1, 2 ..., domains 11, 12 ...; each has process 5."""

    def __init__(self, nodes: int = 3) -> None:
        self.records: list[abi.Record] = []
        self.lives = [Life(f"n{i}", i, 0, None) for i in range(1, nodes + 1)]
        self.domids = {10 + i: i - 1 for i in range(1, nodes + 1)}
        self.sequence: dict[tuple[int, int], int] = {}
        self.events: list[Event] = []
        for i in range(1, nodes + 1):
            self.at(0, i, Kernel.CREATE, 5, 5, i << 32 | 1)

    def at(self, ns: int, node: int, kind: int, who: int, a: int, b: int) -> None:
        self.records.append(abi.Record(ns, kind, 10 + node, who, a, b))

    def send(self, ns: int, source: int, target: int) -> int:
        """Process 5 of one node to process 5 of another; its sequence."""
        number = self.sequence[source, 5] = self.sequence.get((source, 5), 0) + 1
        self.at(ns, source, Kernel.SEND, 5, target << 32 | 5, number)
        return number

    def deliver(self, ns: int, source: int, target: int, number: int) -> None:
        self.at(ns, target, Kernel.DELIVER, 5, source << 32 | 5, number)
        self.at(ns, target, Kernel.RECEIVE, 5, source << 32 | 5, number)

    def message(self, ns: int, source: int, target: int, takes: int = MS) -> int:
        number = self.send(ns, source, target)
        self.deliver(ns + takes, source, target, number)
        return number

    def traffic(self, count: int = 30) -> None:
        for i in range(count):
            self.message(MS * (i + 1), 1 + i % 3, 1 + (i + 1) % 3)

    def trace(self) -> bytes:
        return b"".join(r.pack() for r in self.records)

    def history(self) -> History:
        return History(self.trace(), self.lives, self.domids)

    def case(self, **changes: object) -> Case:
        history = self.history()
        values: dict[str, object] = {"hit": set(), "calm_ns": 0, "end_ns": 1000 * MS, "heal_ns": 100 * MS,
                                     "events": self.events, **changes}
        return Case(history=history, ledger=Ledger(history), **values)  # type: ignore[arg-type]
