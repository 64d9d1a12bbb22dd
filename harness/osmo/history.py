# SPDX-License-Identifier: BSD-2-Clause
"""A run's trace as a history: records in the order of virtual time, each with its node.

Each domain's records arrive in its own order, the domains' among each other in any; sorting
by time keeps the first and mends the second. Domain numbers become node names by the start
events, so that a restarted node is one node with several lives.
"""

import bisect
import dataclasses

from osmo import abi

UNKNOWN = ""


@dataclasses.dataclass(frozen=True)
class Life:
    """One domain that was a node for a while."""

    node: str
    number: int
    start_ns: int
    end_ns: int | None
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Step:
    """A record with its node; `life` counts the node's restarts."""

    record: abi.Record
    node: str
    life: int


class History:
    def __init__(self, data: bytes, lives: list[Life], domids: dict[int, int]) -> None:
        """`lives` in the order of their start; `domids` maps a domain number to its life."""
        self.lives = lives
        self.domids = domids
        self.ordinal: list[int] = []
        counts: dict[str, int] = {}
        for life in lives:
            self.ordinal.append(counts.setdefault(life.node, 0))
            counts[life.node] += 1
        records = sorted(abi.records(data), key=lambda r: r.ns)
        self.steps = [self._step(r) for r in records]
        self.times = [r.ns for r in records]
        self.numbers = {life.node: life.number for life in lives}

    def _step(self, record: abi.Record) -> Step:
        index = self.domids.get(record.domid)
        if index is None:
            return Step(record, UNKNOWN, 0)
        return Step(record, self.lives[index].node, self.ordinal[index])

    def between(self, start_ns: int, end_ns: int) -> list[Step]:
        return self.steps[bisect.bisect_left(self.times, start_ns):
                          bisect.bisect_right(self.times, end_ns)]

    def name_of(self, number: int) -> str:
        """The node with that machine number."""
        return next((name for name, n in self.numbers.items() if n == number), f"machine {number}")
