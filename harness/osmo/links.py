# SPDX-License-Identifier: BSD-2-Clause
"""How much went over each medium, and from whom to whom, by the records of networks and of the fabric."""

import dataclasses
from typing import Any

from osmo.history import UNKNOWN, History
from osmo.types import Net, cause


@dataclasses.dataclass
class Link:
    """From one node to another, over whatever ways."""

    source: str
    target: str
    messages: int = 0
    bytes: int = 0  # of these
    delivered: int = 0
    again: int = 0
    moved: int = 0  # bulk transfers that are over, either way


def by_pair(history: History) -> list[Link]:
    """Each pair of nodes of which one has sent, in the order of names."""
    found: dict[tuple[str, str], Link] = {}

    def link(source: str, target: str) -> Link:
        return found.setdefault((source, target), Link(source, target))

    for step in history.steps:
        record, here = step.record, step.node
        if here == UNKNOWN or not Net.SEND <= record.type < Net.MEDIUM_SEND:
            continue
        there = history.name_of(record.who)
        if record.type == Net.SEND:
            link(here, there).messages += 1
            link(here, there).bytes += record.b
        elif record.type == Net.DELIVER:
            link(there, here).delivered += 1
        elif record.type == Net.RESEND:
            link(here, there).again += 1
        elif record.type == Net.BULK:
            link(here, there).moved += 1
    return [found[pair] for pair in sorted(found)]


def by_medium(history: History) -> list[dict[str, Any]]:
    """Per medium: frames sent, delivered, dropped and changed, by reason."""
    rows: dict[int, dict[str, Any]] = {}
    for step in history.steps:
        record = step.record
        if record.type not in (Net.MEDIUM_SEND, Net.MEDIUM_DELIVER, Net.MEDIUM_DROP, Net.MEDIUM_FAULT):
            continue
        row = rows.setdefault(record.who, {"medium": record.who, "sent": 0, "delivered": 0, "bytes": 0,
                                           "why": {}})
        if record.type == Net.MEDIUM_SEND:
            row["sent"] += 1
            row["bytes"] += record.b & 0xFFFFFFFF  # above it, to whom
        elif record.type == Net.MEDIUM_DELIVER:
            row["delivered"] += 1
        else:
            why = cause(record.b)
            row["why"][why] = row["why"].get(why, 0) + 1
    return [rows[key] for key in sorted(rows)]
