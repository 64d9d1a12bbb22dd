# SPDX-License-Identifier: BSD-2-Clause
"""Nodes that nobody talks to: whatever befalls others, their memory ends as it does without the faults.

The control domain says what the memory of each comes to (an event `digest`), in the run and in one without its
faults. Only in clock `event` has such a node a time of its own: elsewhere it shares the processor's with those
that the faults befall.
"""

from collections.abc import Iterable

from osmo.cluster import Cluster
from osmo.collect import Event
from osmo.faults import Fault


def wanted(cluster: Cluster, faults: list[Fault], clock: str) -> bool:
    """Whether there is anything to compare, and with what."""
    return clock == "event" and bool(faults) and any(n.bystander for n in cluster.nodes)


def digests(events: Iterable[Event]) -> dict[str, int]:
    return {e.name: int(e.fields.get("digest", 0)) for e in events if e.event == "digest"}


def spared(events: Iterable[Event], faults: list[Fault]) -> dict[str, int]:
    """Of those that no fault names."""
    hit = {f.name for f in faults if f.target == "node"}
    return {name: digest for name, digest in digests(events).items() if name not in hit}
