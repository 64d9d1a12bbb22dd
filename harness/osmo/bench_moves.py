# SPDX-License-Identifier: BSD-2-Clause
"""The rows of `osmosis bench` that need the records of a run: what moving a process takes in messages and
bytes, what is forwarded after it, and the messages of the file system's operations (DL23).

Moves by the clock `count` with a tick for each instruction; the medium takes no time, so that a freeze is
the instructions of both nodes and all between them.
"""

import dataclasses
import subprocess

from osmo import abi, bench, bench_run, cluster, paths
from osmo.errors import Problem
from osmo.scratch import Scratch
from osmo.types import Kernel, Net

SIZES = (64, 256, 1024, 4096)  # KiB
NODE = '[nodes.{}]\nmemory = "64M"\nmedia = ["net"]\nprograms = {}\n'
HEAD = 'clock = "count"\nfor = "{}"\n[media.net]\nrate = "10G"\nlatency = "1ns"\ncapture = false\n'
STEPS_OUTSIDE = 2  # the request for the move and its answer go over links, as any message
ADMIN_OUTSIDE = 12 + 8  # their shortest bodies
MOVES, ROUNDS = 20, 10
RUNS = 3  # of movebench


@dataclasses.dataclass(frozen=True)
class Counted:
    """Records of a run, by kind."""

    text: str
    steps: int
    step_bytes: int
    forwarded: int
    wire_bytes: int


def counted(text: str, node: str) -> Counted:
    outcome = bench_run.played(cluster.parse(text, "bench"), "bench")
    records = abi.records(bytes(outcome.collector.trace))
    steps = [r for r in records if r.type == Kernel.MIGRATE]
    return Counted(outcome.collector.text(node), len(steps), sum(r.b >> 32 for r in steps),
                   sum(r.type == Kernel.FORWARD for r in records),
                   sum(r.b & 0xFFFFFFFF for r in records if r.type == Net.MEDIUM_SEND))


def moved(kib: int) -> Counted:
    text = HEAD.format("20s") + NODE.format("a", f'["+kernel +machine movebench 2 whole {kib // 4}"]')
    return counted('until = "exit a"\n' + text + NODE.format("b", '["movebench host"]'), "a")


def sizes() -> list[bench.Row]:
    """A table: what moving whole takes, against the size of the process."""
    rows, told = [], {}
    for kib in SIZES:
        told[kib] = moved(kib)
        rows += bench.json_rows(told[kib].text, "moves")
        rows.append(bench.Row("P20", f"{kib} KiB whole: bytes on the medium", "moves",
                              value=round(told[kib].wire_bytes / RUNS), unit="bytes"))
        rows.append(bench.Row("P20", f"{kib} KiB whole: administrative messages", "moves", unit="M",
                              M=told[kib].steps / RUNS + STEPS_OUTSIDE))
    first, last = told[SIZES[0]], told[SIZES[-1]]
    rows.append(bench.Row("P20b", "migration: bytes of administrative messages", "moves", unit="bytes",
                          value=first.step_bytes / RUNS + ADMIN_OUTSIDE))
    more = (last.wire_bytes - first.wire_bytes) / ((SIZES[-1] - SIZES[0]) * 1024 * RUNS)
    return [*rows, bench.Row("P20w", "migration: bytes on the medium per byte of memory", "moves", unit="ratio",
                             value=round(more, 4))]


def forwarded() -> list[bench.Row]:
    """A server goes to and fro between two nodes while a client on a third calls it all the time."""
    text = HEAD.format("4s") + NODE.format("a", '["+kernel switchboard global", '
                                           f'"+kernel tour counter counter-server 2 100 {ROUNDS}"]')
    text += NODE.format("b", '["movebench host"]') + NODE.format("c", '["with counter counter-client 100000 0"]')
    told = counted(text, "a")
    if f"tour: {MOVES} moves, 0 refused" not in told.text:
        raise Problem(f"a server did not make its {MOVES} moves: {told.text[-200:]}")
    return [bench.Row("P23", "forwarded messages per stale link, under load", "moves", unit="M",
                      M=round(told.forwarded / MOVES, 2))]


SERVERS = ("=disk ramdisk 16", "=buffers buffers make", "=directories directories", "=files files")
WORK = (("read", "read 64 KiB of a file"), ("write", "write 64 KiB of a file"),
        ("open", "open, read 512 bytes, close"), ("name", "find a name and its size"))
TURNS = (10, 110)


def files() -> list[bench.Row]:
    """DL23: control messages and bulk moves of an operation, by a hosted node's trace."""
    rows = []
    for work, name in WORK:
        each = [_kinds(work, turns) for turns in TURNS]
        for at, what in enumerate(("messages", "bulk moves")):
            more = (each[1][at] - each[0][at]) / (TURNS[1] - TURNS[0])
            rows.append(bench.Row("DL23", f"{name}: {what}", "moves", unit="M", M=round(more, 2)))
    return rows


def _kinds(work: str, turns: int) -> tuple[int, int]:
    program = paths.need(paths.build() / "demos-node")
    lines = [o for line in (*SERVERS, f"filebench {work} {turns}") for o in ("--run", line)]
    with Scratch() as scratch:
        trace = scratch / "trace"
        subprocess.run([str(program), "--trace", str(trace), *lines], check=True, stdin=subprocess.DEVNULL,
                       capture_output=True)
        kinds = [int(line.split()[1], 16) for line in trace.read_text().splitlines()]
    return kinds.count(Kernel.SEND), kinds.count(Kernel.MOVE)


def rows() -> list[bench.Row]:
    return [*sizes(), *forwarded(), *files()]
