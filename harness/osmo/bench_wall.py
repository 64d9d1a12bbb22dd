# SPDX-License-Identifier: BSD-2-Clause
"""P1w: what a null hypercall takes in time, against the shortest loop around VMRUN that there can be on
the same emulated machine. Ours and the bare loop by turns, the least of each: a busy host only adds.
"""

import re
import time

from osmo import bench, goals, paths, qemu
from osmo.errors import Problem

OURS, BARE = "null hypercall, wall", "bare VMRUN loop"
SECONDS = 60.0
RESULT = re.compile(r"Test result: \w+\s")  # all of its line


def rows() -> list[bench.Row]:
    guest = paths.need(paths.build() / "guests" / "wall")
    domain = qemu.Setup(kernel=paths.hypervisor(), append="clock=real", clock="real", machine="microvm",
                        modules=[(guest, "")])
    bare = qemu.Setup(kernel=guest, clock="real", machine="microvm", extra=["-debugcon", "file:said"])
    found = [measured(setup) for setup in (domain, bare, bare, domain)]
    ours, least = (min(row.value or 0.0 for row in found if row.name == name) for name in (OURS, BARE))
    return [bench.Row("P1w", OURS, "osmosis", value=ours, unit="cycles"),
            bench.Row("P1w", BARE, "osmosis", value=least, unit="cycles"),
            bench.Row("P1w", goals.BY_ID["P1w"].name, "osmosis", value=round(ours / least, 3), unit="ratio")]


def measured(setup: qemu.Setup) -> bench.Row:
    until, said = time.monotonic() + SECONDS, ""
    with qemu.Qemu(setup) as machine:
        debug = machine.directory / "said"  # where the guest prints on the bare machine
        while not RESULT.search(said) and machine.alive() and time.monotonic() < until:
            time.sleep(0.02)
            said = machine.serial() + (debug.read_text() if debug.exists() else "")
    if "Test result: SUCCESS" not in said:
        raise Problem(f"the guest that measures failed: {said[-300:]}")
    (row,) = bench.json_rows(said, "osmosis")
    return row
