# SPDX-License-Identifier: BSD-2-Clause
"""The rows of one node on real Xen 4.17: the image and the program that run natively and on Osmosis, as a
PVH guest that `xl` creates, one instruction a tick.

Xen's timers and what dom0 does while a row is measured are counted as well: dom0 looks at its console
seldom, and a row is the middle one of three guests', each the middle one of three. So these counts repeat nearly,
not exactly, and the reference has none of them.
"""

import dataclasses
import statistics

from osmo import bench, dom0, paths, xen
from osmo.errors import Problem

NAME = "bench"
LAST = '"row": "P18"'
GUESTS = 3
SECONDS = 300.0
LOOK = 5.0


def rows() -> list[bench.Row]:
    why = dom0.missing()
    if why:
        raise Problem(why, "run `make deps`")
    files = {"node": paths.image("node"), NAME: paths.build() / "bundles" / NAME}
    images = {name: paths.need(path).read_bytes() for name, path in files.items()}
    with xen.Testbed(images, clock="count", seconds=SECONDS) as bed:
        return middle([measured(bed) for _ in range(GUESTS)])


def middle(rounds: list[list[bench.Row]]) -> list[bench.Row]:
    """Each row with the median of what the rounds counted."""
    out = []
    for several in zip(*rounds, strict=True):
        out.append(dataclasses.replace(several[0], I=statistics.median(r.I for r in several if r.I is not None)))
    return out


def measured(bed: xen.Testbed) -> list[bench.Row]:
    """On a test bed that has the node's image and the bundle."""
    guest = xen.Guest("measured", "node", 64, ramdisk=NAME)
    bed.create(guest)
    try:
        said = bed.wait(guest.name, SECONDS, LAST, LOOK).console
    finally:
        bed.destroy(guest.name)
    if LAST not in said:
        raise Problem(f"the node did not measure all rows: {said[-300:]}", where="xen")
    return bench.json_rows(said, "xen")
