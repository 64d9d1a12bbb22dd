# SPDX-License-Identifier: BSD-2-Clause
"""L36 as rows of `osmosis bench`: what a call to another node is made of, by what its instructions are for.

Counted in QEMU's log of some twenty calls, without the alarms and signs of life that fall into one in ten; so
together the factors are a little less than the counter's figure of a call, and the ratio says how much.
"""

from osmo import bench, breakdown
from osmo.errors import Problem

SIZES = (0, 1024)


def rows() -> list[bench.Row]:
    return [row for size in SIZES for row in listed(size, breakdown.remote(size))]


def listed(size: int, found: breakdown.Breakdown) -> list[bench.Row]:
    """Each factor of a call with `size` bytes each way, those that it does not need, too, and their sum."""
    if not found.whole:
        raise Problem("the program did not measure the call that was looked at")
    call = f"call to another node, {size} bytes"
    out = [bench.Row("L36", f"{call}: {name}", "osmosis", I=round(found.factors.get(name, 0.0), 1), n=found.calls)
           for name in breakdown.NAMES]
    return [*out, bench.Row("L36", f"{call}: all these against the counter", "osmosis", unit="ratio",
                            value=round(found.total / found.whole, 4))]
