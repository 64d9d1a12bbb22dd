# SPDX-License-Identifier: BSD-2-Clause
"""The delay of a call against its size, over media that take their time (L35).

Two nodes, a call of as many bytes there and back, the clock `count` with a tick for each instruction, so that
what the machine computes and what the medium takes are nanoseconds of one clock. Where packets
are of a bounded size, one more of them is a step: its header, its gap, and what it costs at both ends.
"""

import dataclasses

from osmo import bench, bench_run, cluster
from osmo.errors import Problem

SECTION = 1024  # where the network cuts (net/frame.h)
REQUEST, REPLY = 104 + 64, 104  # a message's header with its reply link, and without


@dataclasses.dataclass(frozen=True)
class Way:
    """A medium between the two."""

    name: str
    lines: str
    most: int
    step: int


ETHER = Way("acknowledging ether, 10 Mb/s", 'kind = "ack-ether"', 4096, 128)
DISTANT = Way("1 Gb/s, 100 us away, frames of 1,600", 'rate = "1G"\nlatency = "100us"\nblock = 1600', 4096, 128)
CLUSTER = """
clock = "count"
for = "600s"
trace = false
until = 'output a "compared": true'
[media.net]
{medium}
capture = false
[nodes.a]
memory = "64M"
media = ["net"]
programs = ["+kernel +machine compare delays {most} {step} 2"]
[nodes.b]
memory = "64M"
media = ["net"]
programs = ["compare host"]
"""


def measured(way: Way) -> dict[int, float]:
    """Nanoseconds by the bytes each way."""
    text = CLUSTER.format(medium=way.lines, most=way.most, step=way.step)
    said = bench_run.played(cluster.parse(text, "delays"), "delays").collector.text("a")
    rows = bench.json_rows(said, "osmosis")
    found = {int(row.name.split()[1]): row.I for row in rows if row.id == "L35" and row.I}
    if len(found) != way.most // way.step + 1:
        raise Problem(f"the program did not end: {said[-300:]}", where="delays")
    return found


def packets(size: int) -> int:
    """How many a call of that size takes, where each carries one section."""
    return sum(-(-(header + size) // SECTION) for header in (REQUEST, REPLY))


def cuts(most: int) -> list[int]:
    """The sizes beyond which a request, or the answer, takes one section more."""
    beyond = range(SECTION, most + REQUEST + 1, SECTION)
    return sorted(at - header for at in beyond for header in (REQUEST, REPLY) if 0 < at - header <= most)
