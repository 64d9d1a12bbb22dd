# SPDX-License-Identifier: BSD-2-Clause
"""Making a failure small: delta debugging over a list, and bisection over a number.

Sound because every random decision is keyed: taking one fault away changes no other. The
test may be dear, so its answers are remembered, and a budget bounds the number of probes.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Budget(Exception):
    """No further probe is allowed; the best found so far stands."""


class Probe:
    """Counts and remembers: whether the failure is still there for these items."""

    def __init__(self, fails: Callable[[Sequence[T]], bool], limit: int = 200) -> None:
        self.fails = fails
        self.limit = limit
        self.count = 0
        self.known: dict[tuple[int, ...], bool] = {}

    def __call__(self, items: Sequence[T], picked: Sequence[int]) -> bool:
        key = tuple(picked)
        if key not in self.known:
            if self.count == self.limit:
                raise Budget
            self.count += 1
            self.known[key] = self.fails([items[i] for i in picked])
        return self.known[key]


def _parts(picked: list[int], count: int) -> list[list[int]]:
    bounds = [len(picked) * i // count for i in range(count + 1)]
    return [picked[a:b] for a, b in zip(bounds, bounds[1:])]


def ddmin(items: Sequence[T], fails: Callable[[Sequence[T]], bool], limit: int = 200) -> tuple[list[T], int]:
    """A sublist that still fails and from which no single item can be left out (unless the
    budget ended first), and the number of probes. `items` itself must fail."""
    probe, picked = Probe(fails, limit), list(range(len(items)))
    try:
        if probe(items, []):
            return [], probe.count
        count = 2
        while len(picked) >= 2:
            smaller = _step(items, picked, min(count, len(picked)), probe)
            if smaller is not None:
                picked, count = smaller, max(2, count - 1 if len(smaller) > 1 else 2)
            elif count >= len(picked):
                break
            else:
                count *= 2
    except Budget:
        pass
    return [items[i] for i in picked], probe.count


def _step(items: Sequence[T], picked: list[int], count: int, probe: Probe) -> list[int] | None:
    """One part alone, or all but one part, that still fails."""
    parts = _parts(picked, count)
    for part in parts:
        if len(part) < len(picked) and probe(items, part):
            return part
    for part in parts:
        rest = [i for i in picked if i not in part]
        if rest and probe(items, rest):
            return rest
    return None


def least(high: int, fails: Callable[[int], bool], grain: int = 1) -> int:
    """The smallest multiple of `grain` up to `high` (which fails) that fails, if failing is
    monotone; else some one that fails."""
    low, top = 0, -(-high // grain)
    while top - low > 1:
        middle = (low + top) // 2
        if fails(middle * grain):
            top = middle
        else:
            low = middle
    return min(high, top * grain)
