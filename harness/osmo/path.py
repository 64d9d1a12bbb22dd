# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis path P3`: where one operation's instructions go, by function of the hypervisor.

What measures the row repeats the operation for ever; QEMU logs every instruction of a while, and
the log is folded by symbol. Of the hypervisor's rows (P1 to P6) what no symbol of it covers is the
guests'; the kernel's (P7 to P11, P18) are looked at on the bare machine, the network's (P12, P13, P21, P36)
on two nodes.
"""

import argparse
import bisect
import collections
import dataclasses
import pathlib
import re
import subprocess
import time

from osmo import arguments, breakdown, paths, qemu
from osmo.errors import Problem

TRACED = re.compile(rb"\[[0-9a-f]+/([0-9a-f]+)/")
# Its most frequent instruction runs once for each world switch.
ENTRY = "svm_enter"
HYPERVISOR = ("P1", "P2", "P2b", "P3", "P4", "P5b", "P6")
NATIVE = ("P7", "P8", "P9", "P10", "P11", "P18")
REMOTE = {"P12": 0, "P13": 1024}  # bytes each way


@dataclasses.dataclass
class Symbols:
    """Functions of an ELF file by address."""

    at: list[int]
    name: list[str]

    @classmethod
    def of(cls, image: pathlib.Path) -> "Symbols":
        said = subprocess.run(["nm", "-n", str(image)], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in said.splitlines()]
        found = [(int(r[0], 16), r[2]) for r in rows if len(r) == 3 and r[1] in "tT" and not r[2].startswith(".")]
        return cls([a for a, _ in found], [n for _, n in found])

    def find(self, address: int) -> str:
        i = bisect.bisect_right(self.at, address) - 1
        return self.name[i] if i >= 0 and address < self.at[-1] + 0x1000 else "guest"


def executed(log: bytes) -> collections.Counter[int]:
    """How often each address of a QEMU `exec` log was executed."""
    return collections.Counter(int(m[1], 16) for m in TRACED.finditer(log))


def fold(counts: collections.Counter[int], symbols: Symbols) -> collections.Counter[str]:
    """How many instructions each function executed."""
    folded: collections.Counter[str] = collections.Counter()
    for address, n in counts.items():
        folded[symbols.find(address)] += n
    return folded


def trace(operation: str, seconds: float) -> bytes:
    """QEMU's log of what was executed while the operation was repeated."""
    rows = paths.need(paths.build() / "guests" / "rows", f"build it with `make path OP={operation}`")
    setup = qemu.Setup(kernel=paths.hypervisor(), append="clock=count", clock="count", shift=0,
                       modules=[(rows, operation)])
    with qemu.Qemu(setup) as machine:
        until = time.monotonic() + 60
        while f"repeating {operation}" not in machine.serial():
            if time.monotonic() > until or not machine.alive() or "Test result" in machine.serial():
                raise Problem(f"operation {operation} cannot be repeated: {machine.serial()[-200:]}")
            time.sleep(0.05)
        machine.stop()
        machine.monitor.human("singlestep on")
        machine.monitor.human("logfile executed")
        machine.monitor.human("log exec,nochain")
        machine.resume()
        time.sleep(seconds)
        machine.stop()
        machine.monitor.human("log none")
        return (machine.directory / "executed").read_bytes()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("operation", choices=(*HYPERVISOR, *NATIVE, *REMOTE, "P21", "P36"), metavar="OPERATION",
                        help="P1, P2, P2b, P3, P4, P5b, P6 to P13, P18, P21 (of a block) or P36")
    parser.add_argument("--seconds", type=arguments.seconds, default=0.5, help="how long to look")


def _broken_down(operation: str) -> breakdown.Breakdown:
    if operation == "P36":
        return breakdown.packet()
    if operation == "P21":
        return breakdown.block()
    if operation in REMOTE:
        return breakdown.remote(REMOTE[operation])
    return breakdown.native("bench", operation)


def command(options: argparse.Namespace) -> int:
    if options.operation in (*NATIVE, *REMOTE, "P21", "P36"):
        found = _broken_down(options.operation)
        print(f"{found.total:,.0f} instructions in each of {found.calls:,} turns, as far as QEMU's log tells:")
        for name, part in sorted(found.functions.items(), key=lambda item: -item[1])[:40]:
            print(f"{part:10.2f}  {name}")
        return 0
    symbols = Symbols.of(paths.need(paths.build() / "hyp" / "osmosis.64"))
    counts = executed(trace(options.operation, options.seconds))
    folded = fold(counts, symbols)
    entries = max((n for at, n in counts.items() if symbols.find(at) == ENTRY), default=1)
    print(f"{sum(folded.values()):,} instructions, {entries:,} world switches; per switch:")
    for name, n in folded.most_common(40):
        print(f"{n / entries:10.2f}  {name}")
    return 0
