# SPDX-License-Identifier: BSD-2-Clause
"""The pictures of a run: who is joined to whom, when what failed, who told whom what.

Each takes plain data and gives one SVG; what is left out for want of room is said.
"""

import math
from collections.abc import Sequence
from typing import Any

from osmo import svg, units
from osmo.history import History
from osmo.ledger import Ledger, Message
from osmo.types import Kernel, process_words

WIDTH = 500.0
DIAGRAM_MESSAGES = 400
TOPOLOGY_NODES = 64
REACH, NAME_MOST = 205.0, 14  # of the topology: as far from the middle as leaves room for a name
Point = tuple[float, float]
DEATHS = ("crash", "destroyed")
LETTER = 6.6  # how wide one is, of the usual size
LANES = 40  # of faults, and of nodes, on the time line


def _outside(i: int, count: int, middle: Point, radius: float) -> Point:
    """Where the i-th node stands."""
    angle = 2 * math.pi * i / count - math.pi / 2
    return middle[0] + REACH * math.cos(angle), middle[1] + radius * math.sin(angle)


def _inside(media: list[str], nodes: list[dict[str, Any]], middle: Point, radius: float) -> dict[str, Point]:
    """Where the media stand: turned so that as few lines as can be go through the box of another."""
    def turned(by: float) -> dict[str, Point]:
        reach = 0 if len(media) == 1 else radius * 0.42
        angles = {name: 2 * math.pi * i / len(media) + math.pi / 2 + by for i, name in enumerate(media)}
        return {name: (middle[0] + reach * math.cos(angle), middle[1] + reach * math.sin(angle))
                for name, angle in angles.items()}

    def crossings(at: dict[str, Point]) -> int:
        lines = [(_outside(i, len(nodes), middle, radius), name) for i, node in enumerate(nodes)
                 for name in node["media"]]
        return sum(_through(start, at[name], at[other]) for start, name in lines if name in at
                   for other in media if other != name)

    return min((turned(step * math.pi / 12) for step in range(12 if len(nodes) <= 24 else 1)), key=crossings)


def _through(start: Point, end: Point, box: Point) -> bool:
    """Whether a line goes through a medium's box."""
    steps = [(start[0] + (end[0] - start[0]) * i / 50, start[1] + (end[1] - start[1]) * i / 50) for i in range(51)]
    return any(abs(x - box[0]) < 38 and abs(y - box[1]) < 16 for x, y in steps)


def topology(nodes: list[dict[str, Any]], media: list[dict[str, Any]]) -> str:
    """Nodes on a circle, media inside it, a line for each device."""
    shown = nodes[:TOPOLOGY_NODES]
    cx, cy, radius = WIDTH / 2, 190.0, 150.0
    parts = []
    inner = _inside([m["name"] for m in media], shown, (cx, cy), radius)
    low = cy + 12  # the lowest that is drawn: no blank below it
    for i, node in enumerate(shown):
        x, y = _outside(i, len(shown), (cx, cy), radius)
        low = max(low, y + 31)  # its circle, and its name below it
        for name in node["media"]:
            if name in inner:
                parts.append(svg.line(x, y, *inner[name], stroke=svg.GREY, stroke_width=1))
        colour = {"z8000": svg.COLOURS[1], "x86": svg.COLOURS[0]}.get(node["machine"], svg.COLOURS[2])
        ring = svg.RED if node["ended"] == "crash" else "white"
        parts.append(svg.titled(svg.circle(x, y, 13 if len(shown) < 24 else 7, fill=colour, stroke=ring,
                                           stroke_width=3),
                                f"{node['name']}: {node['machine']}, {node['ended']}, sent {node['sent']}, "
                                f"received {node['received']}"))
        if len(shown) <= 24:
            outside = -18 if y < cy - 1 else 27  # where the node's own line does not go
            parts.append(svg.text(x, y + outside, node["name"][:NAME_MOST], text_anchor="middle"))
    for medium in media:
        x, y = inner[medium["name"]]
        low = max(low, y + 12)
        parts.append(svg.rectangle(x - 34, y - 12, 68, 24, rx=5, fill="#fff", stroke=svg.INK))
        parts.append(svg.text(x, y + 4, medium["name"][:10], text_anchor="middle"))
    if len(nodes) > len(shown):
        parts.append(svg.text(8, 14, f"{len(nodes) - len(shown)} further nodes are not drawn"))
    return svg.picture(WIDTH, low + 9, parts, f"{len(nodes)} nodes on {len(media)} media")


def axis(low: float, high: float, y: float, left: float, right: float) -> list[str]:
    """A line of time with round numbers below it."""
    scale = (right - left) / max(high - low, 1)
    parts = [svg.line(left, y, right, y, stroke=svg.GREY)]
    for value in svg.ticks(low, high):
        x = left + (value - low) * scale
        parts.append(svg.line(x, y, x, y + 4, stroke=svg.GREY))
        parts.append(svg.text(x, y + 16, units.short_time(value), text_anchor="middle", fill="#555"))
    return parts


def fault_timeline(faults: list[dict[str, Any]], lives: Sequence[Any], end_ns: int) -> str:
    """One bar per fault, with how often it struck; below, when each node was alive."""
    left, right, row = 150.0, WIDTH - 20, 20.0
    scale = (right - left) / max(end_ns, 1)
    parts, y = [], 10.0
    for i, fault in enumerate(faults[:LANES]):
        start = fault["at_ns"] or 0
        length = fault["for_ns"] if fault["for_ns"] is not None else end_ns - start
        colour = svg.COLOURS[i % len(svg.COLOURS)]
        label = f"{fault['do']} ({fault['name']})"
        parts.append(svg.text(left - 8, y + 13, label[:24], text_anchor="end"))
        bar = svg.rectangle(left + start * scale, y + 2, min(length, end_ns - start) * scale, 14, fill=colour,
                            opacity=0.85)
        parts.append(svg.titled(bar, f"{label}: struck {fault['struck']} times"))
        parts.append(svg.text(min(left + (start + length) * scale + 4, right - 30), y + 13,
                              f"×{fault['struck']}"))
        y += row
    seen: list[str] = list(dict.fromkeys(life.node for life in lives))
    for name in seen[:LANES]:
        parts.append(svg.text(left - 8, y + 12, name, text_anchor="end", fill="#555"))
        for life in (one for one in lives if one.node == name):
            stop = life.end_ns if life.end_ns is not None else end_ns
            parts.append(svg.rectangle(left + life.start_ns * scale, y + 5, (stop - life.start_ns) * scale, 8,
                                       fill="#cfd6de"))
            if life.end_ns is not None:
                mark = svg.RED if life.reason in DEATHS else svg.INK
                parts.append(svg.text(left + stop * scale, y + 13, "✗" if mark == svg.RED else "■",
                                      fill=mark, text_anchor="middle"))
        y += row * 0.8
    for what, count in (("faults", len(faults) - LANES), ("nodes", len(seen) - LANES)):
        if count > 0:
            parts.append(svg.text(left, y + 12, f"{count} further {what} are not drawn", fill="#555"))
            y += row
    parts += axis(0, end_ns, y + 4, left, right)
    return svg.picture(WIDTH, y + 28, parts, f"{len(faults)} faults over {units.short_time(end_ns)}")


def first_death(history: History) -> int | None:
    """When a node first stopped for good."""
    return min((life.end_ns for life in history.lives if life.end_ns is not None and life.reason in DEATHS),
               default=None)


def window(ledger: Ledger, breach_ns: int | None, end_ns: int) -> tuple[int, int]:
    """What the diagram shows: around the first breach, or a node's death, or as much from the start as fits."""
    sent = sorted(m.sent_ns for m in ledger.messages.values())
    if not sent:
        return 0, end_ns
    if breach_ns is not None:
        before = [ns for ns in sent if ns <= breach_ns][-DIAGRAM_MESSAGES // 2:]
        after = [ns for ns in sent if ns > breach_ns][:DIAGRAM_MESSAGES // 8]
        return (before or after)[0], max(breach_ns, (after or before)[-1])
    return sent[0], sent[min(len(sent), DIAGRAM_MESSAGES) - 1] + 1


def space_time(history: History, ledger: Ledger, start: int, end: int,
               breach_ns: int | None = None) -> str:
    """A column per node, time downwards, a slanted arrow per message; ✗ where a frame was lost,
    a loop where a message came twice, a red line at the first broken invariant."""
    messages = [m for m in ledger.messages.values() if start <= m.sent_ns <= end][:DIAGRAM_MESSAGES]
    last = max([end] + [m.delivered_ns or 0 for m in messages])
    names = [life.node for life in history.lives if life.node != "fabric"]
    columns = list(dict.fromkeys(names))[:16]
    top, height = 34.0, max(220.0, min(1600.0, 7.0 * len(messages) + 120))
    left, right = 78.0, WIDTH - 30
    x = {name: left + (right - left) * (i + 0.5) / max(1, len(columns)) for i, name in enumerate(columns)}

    def y(ns: float) -> float:
        return top + (ns - start) / max(last - start, 1) * height

    parts = [_arrow_head()]
    for name in columns:
        parts.append(svg.line(x[name], top, x[name], top + height, stroke="#b9c0c9", stroke_width=3))
        parts.append(svg.text(x[name], 20, name, text_anchor="middle", font_weight="bold"))
    for value in svg.ticks(start, last, 10):
        parts.append(svg.line(left, y(value), right, y(value), stroke="#eee"))
        parts.append(svg.text(4, y(value) + 4, units.short_time(value), fill="#555"))
    for m in messages:
        parts += _message(m, x, y, history, last)
    for step in history.between(start, last):
        parts += _mark(step, x, y)
    parts += _deaths(history, x, y, start, last)
    if breach_ns is not None and start <= breach_ns <= last:
        parts.append(svg.line(left, y(breach_ns), right, y(breach_ns), stroke=svg.RED, stroke_width=2))
        parts.append(svg.text(right, y(breach_ns) - 4, "first broken invariant", fill=svg.RED,
                              text_anchor="end"))
    total = len(ledger.messages)
    if total > len(messages):
        parts.append(svg.text(left, top + height + 18, f"{len(messages)} of {total} messages are drawn"))
    return svg.picture(WIDTH, top + height + 26, parts, f"{len(messages)} messages among {len(columns)} nodes")


def _arrow_head() -> str:
    return ('<defs><marker id="head" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" '
            'orient="auto"><path d="M0 0L6 3L0 6z" fill="context-stroke"/></marker></defs>')


def _message(m: Message, x: dict[str, float], y: Any, history: History, last: int) -> list[str]:
    words = (f"{m.from_node}/{m.sender[1]} to {m.to_node or history.name_of(m.target[0])}/{m.target[1]}, "
             f"number {m.sequence}, sent at {units.short_time(m.sent_ns)}")
    target = m.to_node or history.name_of(m.target[0])
    if m.from_node not in x or target not in x:
        return []
    if m.delivered_ns is None and m.to_kernel:
        return [svg.titled(svg.circle(x[m.from_node], y(m.sent_ns), 2, fill=svg.GREY), words + ", for the kernel")]
    if m.delivered_ns is None:
        half = (x[m.from_node] + x[target]) / 2
        shape = (svg.line(x[m.from_node], y(m.sent_ns), half, y(m.sent_ns) + 8, stroke=svg.RED,
                          stroke_dasharray="4 3")
                 + svg.text(half, y(m.sent_ns) + 13, "✗", fill=svg.RED, text_anchor="middle"))
        return [svg.titled(shape, words + ", never arrived")]
    colour = svg.COLOURS[m.sender[0] % len(svg.COLOURS)]
    if target == m.from_node:
        shape = svg.circle(x[target], y(m.sent_ns), 3, fill=colour)
    else:
        shape = svg.line(x[m.from_node], y(m.sent_ns), x[target], y(m.delivered_ns), stroke=colour,
                         stroke_width=1.2, marker_end="url(#head)")
    if m.received > 1:
        shape += svg.circle(x[target] + 6, y(m.delivered_ns), 5, fill="none", stroke=svg.RED)
    took = units.short_time(m.delivered_ns - m.sent_ns)
    return [svg.titled(shape, f"{words}, arrived after {took}" + (", TWICE" if m.received > 1 else ""))]


def _mark(step: Any, x: dict[str, float], y: Any) -> list[str]:
    """Creations, ends and migrations of processes."""
    kinds = {Kernel.CREATE: ("▲", svg.COLOURS[2], "created"), Kernel.END: ("▼", svg.INK, "ended"),
             Kernel.MIGRATE: ("◆", svg.COLOURS[3], "migration step")}
    if step.record.type not in kinds or step.node not in x:
        return []
    sign, colour, words = kinds[step.record.type]
    return [svg.titled(svg.text(x[step.node], y(step.record.ns) + 4, sign, fill=colour,
                                text_anchor="middle"),
                       f"{step.node}: process {process_words(step.record.who)} {words}")]


def _deaths(history: History, x: dict[str, float], y: Any, start: int, last: int) -> list[str]:
    """Where a node stopped for good, the way it did, and where one began anew."""
    parts = []
    for life, lived in zip(history.lives, history.ordinal):
        if life.node not in x:
            continue
        at = x[life.node]
        if life.end_ns is not None and start <= life.end_ns <= last and life.reason in DEATHS:
            shape = (svg.line(at - 14, y(life.end_ns), at + 14, y(life.end_ns), stroke=svg.RED, stroke_width=2)
                     + svg.text(at, y(life.end_ns) + 6, "✗", fill=svg.RED, text_anchor="middle", font_size=18)
                     + svg.text(at + 10, y(life.end_ns) - 4, life.reason, fill=svg.RED))
            when = units.short_time(life.end_ns)
            parts.append(svg.titled(shape, f"{life.node} ended at {when}: {life.reason}"))
        if lived and start <= life.start_ns <= last:
            shape = svg.text(at - 8, y(life.start_ns) + 4, "↻", fill=svg.COLOURS[2], text_anchor="end",
                             font_size=16)
            when = units.short_time(life.start_ns)
            parts.append(svg.titled(shape, f"{life.node} began anew at {when}"))
    return parts


def quantile(values: list[int], part: float) -> int:
    """Of sorted values; the nearest rank."""
    return values[min(len(values) - 1, max(0, math.ceil(part * len(values)) - 1))]


def beside(words: str) -> float:
    """Where a picture begins that has these words at its left."""
    return max(50.0, 10 + LETTER * len(words))


def latency(values: list[int]) -> str:
    """A histogram over powers of two of a nanosecond, with the usual quantiles."""
    if not values:
        return ""
    values = sorted(values)
    buckets: dict[int, int] = {}
    for value in values:
        buckets[max(value, 1).bit_length()] = buckets.get(max(value, 1).bit_length(), 0) + 1
    low, high = min(buckets), max(buckets)
    peak = max(buckets.values())
    most = f"{peak:,}"
    left, base, height = beside(most), 190.0, 140.0  # above the bars is room for three names
    step = (WIDTH - left - 20) / (high - low + 1)
    parts = [svg.line(left, base, WIDTH - 20, base, stroke=svg.GREY)]
    every = -(-(high - low + 1) // 7)
    for bucket in range(low, high + 1):
        count = buckets.get(bucket, 0)
        x = left + (bucket - low) * step
        words = f"{units.short_time(1 << bucket - 1)} to {units.short_time(1 << bucket)}: {count}"
        parts.append(svg.titled(svg.rectangle(x + 1, base - count / peak * height, step - 2,
                                              count / peak * height, fill=svg.COLOURS[0]), words))
        if (bucket - low) % every == 0:
            parts.append(svg.text(x, base + 15, units.short_time(1 << bucket - 1), text_anchor="middle",
                                  fill="#555"))
    # What lies further to the right is named further up, so that no line goes through a name.
    for y, part, name in ((42, 0.5, "p50"), (31, 0.99, "p99"), (20, 0.999, "p99.9")):
        value = max(quantile(values, part), 1)
        x = left + (math.log2(value) + 1 - low) * step
        parts.append(svg.line(x, y - 7, x, base, stroke=svg.RED, stroke_dasharray="3 3"))
        end = x > WIDTH - 120  # no room to the right of it
        parts.append(svg.text(x - 3 if end else x + 3, y, f"{name} {units.short_time(value)}", fill=svg.RED,
                              text_anchor="end" if end else "start"))
    parts.append(svg.text(left - 6, base - height + 4, most, text_anchor="end", fill="#555"))
    return svg.picture(WIDTH, 214, parts, f"latency of {len(values)} messages")


def recovery(history: History, end_ns: int, faults: list[dict[str, Any]]) -> str:
    """Messages delivered per slice of virtual time, with the times of faults behind."""
    if end_ns <= 0:
        return ""
    slices = 120
    counts = [0] * slices
    for step in history.steps:
        if step.record.type == Kernel.DELIVER:
            counts[min(slices - 1, step.record.ns * slices // (end_ns + 1))] += 1
    peak = max(*counts, 1)
    most = f"{peak * slices / (end_ns / 1e9):,.0f}/s"
    left, base, height = beside(most), 150.0, 120.0
    scale = (WIDTH - left - 20) / end_ns
    parts = []
    for fault in faults:
        start = fault["at_ns"] or 0
        length = fault["for_ns"] if fault["for_ns"] is not None else end_ns - start
        parts.append(svg.titled(svg.rectangle(left + start * scale, base - height,
                                              min(length, end_ns - start) * scale, height, fill=svg.RED,
                                              opacity=0.12), fault["do"]))
    points = [(left + (i + 0.5) * end_ns / slices * scale, base - c / peak * height)
              for i, c in enumerate(counts)]
    parts.append(svg.path(points, stroke=svg.COLOURS[0], stroke_width=1.5))
    parts += axis(0, end_ns, base, left, WIDTH - 20)
    parts.append(svg.text(left - 6, base - height + 4, most, text_anchor="end", fill="#555"))
    return svg.picture(WIDTH, 174, parts, "messages delivered over virtual time")
