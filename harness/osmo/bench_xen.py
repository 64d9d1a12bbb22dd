# SPDX-License-Identifier: BSD-2-Clause
"""The rows of one node on real Xen 4.17: the image and the program that run natively and on Osmosis, as a
PVH guest that `xl` creates, one instruction a tick. Then those of two nodes with the fabric between them (P30).

What is held against ours is less what Xen spends under this emulator on decoding hypercalls and HLTs, as often as
the log of what was executed shows them.

Xen's timers and what dom0 does while a row is measured are counted as well: dom0 looks at its console
seldom, and a row is the middle one of three guests', each the middle one of three. So these counts repeat nearly,
not exactly, and the reference has none of them.
"""

import contextlib
import dataclasses
import math
import statistics

from osmo import bench, breakdown, dom0, paths, places, xen
from osmo.errors import Problem

NAME = "bench"
LAST = '"row": "P18"'
GUESTS = 3
SECONDS = 300.0
REMOTE = ("P12", "P13", "P14", "P14k")
REPEATING = "repeating"
DECODING = 4803  # instructions of Xen for each of these, where the processor does not say where the next one is
DECODED = ("vmmcall", "hlt")
EXIT = "exit"
LOG = 256 << 20
LOOK = 5.0


def rows() -> list[bench.Row]:
    why = dom0.missing()
    if why:
        raise Problem(why, "run `make deps`")
    files = {"node": paths.image("node"), "fabric": paths.image("fabric"), NAME: paths.build() / "bundles" / NAME}
    images = {name: paths.need(path).read_bytes() for name, path in files.items()}
    with xen.Testbed(images, clock="count", seconds=SECONDS) as bed:
        here = middle([measured(bed) for _ in range(GUESTS)])
        return here + [row for each in REMOTE for row in remote(bed, each)]


def middle(rounds: list[list[bench.Row]]) -> list[bench.Row]:
    """Each row with the median of what the rounds counted."""
    out = []
    for several in zip(*rounds, strict=True):
        out.append(dataclasses.replace(several[0], I=statistics.median(r.I for r in several if r.I is not None)))
    return out


def remote(bed: xen.Testbed, row: str) -> list[bench.Row]:
    """One row between two nodes: as it is counted, the exits that Xen decodes, and what is left without that."""
    with pair(bed, row):
        counted = between(bed, row)
        log = breakdown.logged(bed.qemu, LOG)
        bed.qemu.resume()
    guests = [breakdown.Image.of(paths.image(name)) for name in places.XEN_IMAGES]
    return corrected(counted, exits(log, guests, breakdown.Image.of(paths.build() / "programs" / "netbench")))


def pair(bed: xen.Testbed, row: str) -> contextlib.AbstractContextManager[None]:
    """Two nodes that measure a row between them, and then repeat it."""
    return places.pair_on_xen(bed, "netbench", f"+kernel +machine netbench 2 {row} repeat")


def between(bed: xen.Testbed, row: str, look: float = LOOK) -> bench.Row:
    """What they measured."""
    said = bed.wait("n1", SECONDS, REPEATING, look).console
    found = bench.json_rows(said, "xen")
    if REPEATING not in said or len(found) != 1:
        raise Problem(f"{row} was not measured between two nodes: {said[-300:]}", where="xen")
    return found[0]


def corrected(counted: bench.Row, decoded: float) -> list[bench.Row]:
    """With what the row would take where the processor says how long an instruction is that exits."""
    if counted.I is None or not decoded:
        raise Problem(f"{counted.name}: no exit was seen, or there is no figure", where="xen")
    return [counted,
            bench.Row("P30", f"{counted.name}, exits decoded for nodes and fabric", "xen", value=round(decoded, 2),
                      unit="exits"),
            bench.Row("P30", counted.name + bench.UNDECODED, "xen", value=round(counted.I - DECODING * decoded))]


def exits(log: bytes, guests: list[breakdown.Image], program: breakdown.Image) -> float:
    """Instructions of all the guests that Xen has to decode, for each turn of the program. Streams come in
    batches: no turn is left out."""
    other = breakdown.Image("xen and dom0", [0], [("?", "")], set())
    for image in guests:
        image.set_apart(DECODED, EXIT)
    found = breakdown.attribute(log, other, guests, program, apart=math.inf)
    return sum(n for name, n in found.functions.items() if name.endswith(f": {EXIT}"))


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
