# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis core NODE [PROCESS]` and `osmosis gdb NODE [PROCESS]`: a cluster looked into.

The cluster stands still meanwhile, its clock with it, and goes on afterwards unless it stood
still before; seeded or not, nothing in it can tell. So gdb sees one instant: `osmosis step` and
`osmosis break` move it.
"""

import argparse
import contextlib
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

from osmo import caller, corefile, paths, processes
from osmo.corefile import Thread
from osmo.errors import Problem
from osmo.inside import LONG_MODE, PAGING, Domain, Inside, Mapping
from osmo.memory import Ram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", help="its name in the cluster file")
    parser.add_argument("process", nargs="?", help="a process on it, by number (2.3, or 3) or name")
    if parser.prog.split()[-1] == "core":
        parser.add_argument("--out", type=pathlib.Path, metavar="FILE", help="write it here (default: NODE.core)")
    else:
        parser.add_argument("--do", action="append", metavar="COMMAND", default=[],
                            help="a command for gdb, which then ends; may be given again")
    caller.add_run_argument(parser)


@contextlib.contextmanager
def still(run: caller.Caller) -> Iterator[None]:
    """The cluster stands still."""
    before = run.ask({"do": "status"})["paused"]
    if not before:
        run.ask({"do": "pause"})
    try:
        yield
    finally:
        if not before:
            run.ask({"do": "continue"})


def symbols(name: str, brought: list[str]) -> pathlib.Path | None:
    """The file that a process of that name runs, with all that is known about it."""
    own = [pathlib.Path(p) for p in brought if pathlib.Path(p).name == name]
    choices = [*own, paths.build() / "debug" / name, paths.build() / "programs" / name]
    return next((path for path in choices if path.is_file()), None)


class Core:
    """A core file in the making: which memory, which threads, whose symbols."""

    def __init__(self, there: dict[str, Any], node: str, process: str | None) -> None:
        self.there = there
        self.ram = Ram(pathlib.Path(there["ram"]), there["machine"])
        inside = Inside(self.ram, paths.need(pathlib.Path(there["hypervisor"])), there["registers"])
        self.domain: Domain = inside.domain(there["domid"])
        self.name = node
        self.program: pathlib.Path | None = pathlib.Path(there["image"]) if there["image"] else None
        if process:
            self._process(process)
        else:
            self._node()

    def _process(self, wanted: str) -> None:
        if self.there["kind"] != "x86" or not self.program:
            raise Problem(f"processes of a {self.there['kind']} node cannot be looked into", "name the node alone")
        found = processes.find(processes.Kernel(self.domain, paths.need(self.program)), wanted)
        self.name = f"{found.name} {found.label} on {self.name}"
        self.maps = self.domain.virtual(found.root, high=False)
        self.threads = [Thread(found.serial & 0x7FFFFFFF, found.registers)]
        self.program = symbols(found.name, self.there["programs"])

    def _node(self) -> None:
        first = self.domain.vcpus[0]
        self.maps = (self.domain.virtual(first.cr3) if first.cr0 & PAGING and first.efer & LONG_MODE
                     else [Mapping(0, 0, self.domain.bytes, 0)])
        self.threads = [Thread(number, {**v.registers, "cs": v.cs, "ss": v.ss})
                        for number, v in enumerate(self.domain.vcpus, 1)]

    def write(self, path: pathlib.Path) -> None:
        try:
            corefile.write(path, self.domain, self.maps, self.threads, self.name,
                           self.program.name if self.program else "")
        finally:
            self.ram.close()


def take(run: caller.Caller, options: argparse.Namespace, path: pathlib.Path) -> Core:
    core = Core(run.ask({"do": "inside", "node": options.node}), options.node, options.process)
    core.write(path)
    return core


def opening(core: Core, path: pathlib.Path) -> list[str]:
    """What gdb is told to open."""
    return [*([str(core.program)] if core.program else []), "-c", str(path)]


def debug(core: Core, path: pathlib.Path, commands: list[str]) -> int:
    """gdb, by hand or with commands."""
    words = ["-nx", "-batch", *(w for one in commands for w in ("-ex", one))] if commands else []
    return subprocess.run(["gdb", "-q", *words, *opening(core, path)], check=False).returncode


def command(options: argparse.Namespace) -> int:
    if options.command == "core":
        path = options.out or pathlib.Path(f"{options.node}.core")
        with caller.call(options) as run, still(run):
            core = take(run, options, path)
        print(" ".join(["gdb", *opening(core, path)]))
        return 0
    with tempfile.TemporaryDirectory(prefix="osmosis-gdb-") as folder, caller.call(options) as run, still(run):
        path = pathlib.Path(folder) / "core"
        return debug(take(run, options, path), path, options.do)
