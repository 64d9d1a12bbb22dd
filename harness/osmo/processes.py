# SPDX-License-Identifier: BSD-2-Clause
"""The processes of an x86 node, read from its memory by its image's debug information."""

import dataclasses
import pathlib
from collections.abc import Callable

from osmo import inside, layout
from osmo.errors import Problem
from osmo.inside import Domain

PROCESSES_MOST = 100000
USER_CS, USER_SS = 0x33, 0x2B
# guest/machine/registers.h has the order of REGISTERS.
LOST = ("rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11")  # not kept over a kernel call


@dataclasses.dataclass
class Process:
    machine: int
    serial: int
    name: str
    root: int
    registers: dict[str, int]
    task: int  # where the kernel has it, and its thread
    thread: int

    @property
    def label(self) -> str:
        return f"{self.machine}.{self.serial}"


class Kernel:
    """A node's kernel, as its image says it lies in memory."""

    def __init__(self, domain: Domain, image: pathlib.Path) -> None:
        of = layout.member
        self.domain = domain
        self.at = layout.ask(
            image, node="&x86.node", current="&x86_current", returns="&x86_entry_return",
            rows=of("node", "rows"), count=of("node", "row_count"), machine=of("task", "id.machine"),
            serial=of("task", "id.serial"), name=of("task", "name"), room="sizeof(((struct task *)0)->name)",
            threads=of("task", "threads"), peers=of("thread", "peers"), context=of("thread", "machine"),
            space=of("task", "machine"), root=of("x86_task", "cpu.root"), r=of("context", "r"),
            whole=of("context", "whole"))
        self.read: Callable[[int, int], bytes] = domain.reader(domain.vcpus[0].cr3)

    def number(self, address: int, size: int = 8) -> int:
        return int.from_bytes(self.read(address, size), "little")

    def processes(self) -> list[Process]:
        node = self.number(self.at["node"])
        if node == 0:
            raise Problem("the node has not begun yet", "osmosis step 10ms, and again")
        rows = self.number(node + self.at["rows"])
        count = min(self.number(node + self.at["count"], 4), PROCESSES_MOST)
        tasks = [self.number(rows + 8 * i) for i in range(count)]
        return [p for p in map(self._process, filter(None, tasks)) if p]

    def _process(self, task: int) -> Process | None:
        head, space = task + self.at["threads"], self.number(task + self.at["space"])
        first = self.number(head)
        if first == head or space == 0:
            return None
        thread = first - self.at["peers"]
        context = self.number(thread + self.at["context"])
        name = self.read(task + self.at["name"], self.at["room"]).split(b"\0")[0].decode("utf-8", "replace")
        return Process(self.number(task + self.at["machine"], 4), self.number(task + self.at["serial"]), name,
                       self.number(space + self.at["root"]), self._registers(context), task, thread)

    def _registers(self, context: int) -> dict[str, int]:
        vcpu = self.domain.vcpus[0]
        if context == self.number(self.at["current"]) and vcpu.cs & 3 == 3:
            return {**vcpu.registers, "cs": vcpu.cs, "ss": vcpu.ss}
        registers = {name: self.number(context + self.at["r"] + 8 * i) for i, name in enumerate(inside.REGISTERS)}
        if not self.number(context + self.at["whole"]):
            registers |= {"rip": self.number(self.at["returns"]), **{name: 0 for name in LOST}}
        return {**registers, "cs": USER_CS, "ss": USER_SS}


def find(kernel: Kernel, wanted: str) -> Process:
    """By number (`2.3`, or `3`) or, if there is one of that name, by name."""
    there = kernel.processes()
    found = [p for p in there if wanted in (p.label, str(p.serial), p.name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{p.label} {p.name}" for p in there[:12])
    raise Problem(f"{len(found)} processes are called {wanted}" if found else f"there is no process {wanted}",
                  f"there are: {known}")
