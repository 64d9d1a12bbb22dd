# SPDX-License-Identifier: BSD-2-Clause
"""A campaign's survival as curves: against virtual time, and against how many faults a run had."""

import bisect
from collections.abc import Sequence
from typing import Any

from osmo import pictures, stats, svg, units

WIDTH, LEFT, RIGHT, TOP, BASE = 500.0, 50.0, 480.0, 14.0, 180.0


def over_time(rows: Sequence[dict[str, Any]]) -> list[tuple[int, float]]:
    """The share of all runs in which nothing is broken yet. A run that ends unbroken has done what it was to do,
    however early, and holds for good: to Kaplan and Meier it would be one that nobody looks at any more, and
    where those that fail last longest none would hold in the end. What no record shows is found at the end of
    its run, and counts there."""
    broken = sorted(r["virtual_ns"] if r.get("broken_ns") is None else r["broken_ns"] for r in rows if not r["ok"])
    curve = [(0, 1.0)]
    for ns in dict.fromkeys(broken):
        curve.append((ns, 1 - bisect.bisect_right(broken, ns) / len(rows)))
    return curve + [(max((r["virtual_ns"] for r in rows), default=0), curve[-1][1])]


def by_faults(rows: Sequence[dict[str, Any]]) -> list[tuple[int, int, int]]:
    """How many of the runs with so many faults held, and how many there were."""
    numbers = sorted({r.get("faults", 0) for r in rows})
    some = [(n, [bool(r["ok"]) for r in rows if r.get("faults", 0) == n]) for n in numbers]
    return [(n, sum(held), len(held)) for n, held in some]


def _height(share: float) -> float:
    return BASE - share * (BASE - TOP)


def _grid() -> list[str]:
    parts = []
    for part in (0, 0.25, 0.5, 0.75, 1.0):
        parts.append(svg.line(LEFT, _height(part), RIGHT, _height(part), stroke="#eee"))
        parts.append(svg.text(LEFT - 6, _height(part) + 4, f"{part:.0%}", text_anchor="end", fill="#555"))
    return parts


def time_curve(rows: Sequence[dict[str, Any]]) -> str:
    """Steps downwards, one for each time at which runs broke."""
    curve = over_time(rows)
    end = max(curve[-1][0], 1)

    def x(ns: int) -> float:
        return LEFT + (RIGHT - LEFT) * ns / end

    points = [(x(curve[0][0]), _height(curve[0][1]))]
    for (_, before), (ns, share) in zip(curve, curve[1:]):
        points += [(x(ns), _height(before)), (x(ns), _height(share))]
    parts = _grid() + [svg.path(points, stroke=svg.COLOURS[0], stroke_width=2)]
    for ns, share in curve[1:-1]:
        mark = svg.circle(x(ns), _height(share), 3.5, fill=svg.RED)
        parts.append(svg.titled(mark, f"{share:.1%} hold after {units.short_time(ns)}"))
    parts += pictures.axis(0, end, BASE, LEFT, RIGHT)
    return svg.picture(WIDTH, BASE + 24, parts, f"{curve[-1][1]:.1%} of runs hold until the end")


def fault_curve(rows: Sequence[dict[str, Any]]) -> str:
    """The share that held, with its 95 % interval; nothing where all runs have as many faults."""
    some = by_faults(rows)
    if len(some) < 2:
        return ""
    low, high = some[0][0], some[-1][0]

    def x(number: int) -> float:
        return LEFT + 14 + (RIGHT - LEFT - 28) * (number - low) / (high - low)

    parts = _grid()
    parts.append(svg.path([(x(n), _height(held / runs)) for n, held, runs in some], stroke=svg.COLOURS[0],
                          stroke_width=1.5))
    every = max(1, len(some) // 12)
    for place, (number, held, runs) in enumerate(some):
        least, most = stats.wilson(held, runs)
        colour = svg.COLOURS[0] if held == runs else svg.RED
        shape = (svg.line(x(number), _height(least), x(number), _height(most), stroke=svg.GREY)
                 + svg.circle(x(number), _height(held / runs), 4, fill=colour))
        parts.append(svg.titled(shape, f"{units.counted(number, 'fault')}: {held} of {runs} held"))
        if place % every == 0:
            parts.append(svg.text(x(number), BASE + 16, str(number), text_anchor="middle", fill="#555"))
    return svg.picture(WIDTH, BASE + 24, parts, f"survival with {low} to {high} faults")
