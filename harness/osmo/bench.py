# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis bench`: the performance rows, in instructions and world switches, not in time.

Each place (native, osmosis, xen, hosted, z8000) is a function that measures what it can and gives
rows; what was not built or cannot run here is said. Everything counted must come out the same
each time: `--check` holds it against harness/bench/reference.json.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from osmo import doctor, goals, paths, qemu, units
from osmo.errors import Problem
from osmo.progress import Progress

REFERENCE = paths.TOP / "harness" / "bench" / "reference.json"
MORE_I = 1.01


@dataclasses.dataclass
class Row:
    """One figure. I, X, F, C, M as in `goals`; what does not apply is None. `value` is the
    figure that the goal speaks of when that is none of them."""

    id: str
    name: str
    where: str
    I: float | None = None  # noqa: E741 (the name the reports use)
    X: float | None = None
    F: float | None = None
    C: float | None = None
    M: float | None = None
    n: int | None = None
    wall_ns: float | None = None
    value: float | None = None
    unit: str = "I"
    goal: float | None = None
    peer: str | None = None
    met: bool | None = None

    def figure(self) -> float | None:
        if self.value is not None:
            return self.value
        return self.M if self.unit == "M" else self.I

    def judged(self) -> "Row":
        """With goal, peer and verdict from the table."""
        goal = goals.BY_ID.get(self.id)
        figure = self.figure()
        if goal is None or self.unit != goal.unit:
            return self
        verdict = goals.met(goal, figure, self.X) if figure is not None else None
        return dataclasses.replace(self, goal=goal.most, peer=goal.peer or None, met=verdict)


def json_rows(text: str, where: str, shift: int = 0) -> list[Row]:
    """Rows from lines of JSON among other output: {"row": "P7", "value": 60, "X": 0 ...}.
    A tick at shift n is 2^n of the TSC."""
    rows = []
    for line in text.splitlines():
        match = re.search(r"\{.*\"row\".*\}", line)
        if not match:
            continue
        try:
            given = json.loads(match[0])
        except ValueError:
            continue
        if isinstance(given.get("row"), str) and isinstance(given.get("value", given.get("I")), (int, float)):
            rows.append(_row(given, where, shift))
    return rows


def _row(given: dict[str, Any], where: str, shift: int) -> Row:
    ticks = given.get("unit", "ticks") == "ticks"
    value = given.get("value", given.get("I"))
    row = Row(given["row"], str(given.get("name", "")), where, n=given.get("n"))
    for letter in "XFCM":
        setattr(row, letter, given.get(letter))
    if ticks:
        row.I = value / (1 << shift)  # noqa: E741
        if row.name.removesuffix(", direct").endswith(("per byte", "per byte more")):
            row.unit = "I/byte"
    else:
        row.value, row.unit = value, given["unit"]
    return row


def native() -> list[Row]:
    """The node's image on the bare (emulated) machine."""
    bundle = paths.build() / "bundles" / "bench"
    setup = qemu.Setup(kernel=paths.image("node"), modules=[(paths.need(bundle), "")],
                       memory_mib=256, clock="count", shift=0)
    with qemu.Qemu(setup) as machine:
        text = _until_quiet(machine, 120)
    return json_rows(text, "native")


def _until_quiet(machine: qemu.Qemu, seconds: float) -> str:
    """The serial output, once the machine has ended, or said nothing for so long that it will not."""
    until, last, since = time.monotonic() + seconds, "", time.monotonic()
    while time.monotonic() < until:
        text = machine.serial()
        if text != last:
            last, since = text, time.monotonic()
        if not machine.alive() or (last and time.monotonic() - since > 20):
            break
        time.sleep(0.05)
    return last


def osmosis() -> list[Row]:
    """The same image as a domain, and what the hypervisor's own bench guest says."""
    from osmo import bench_run, cluster
    rows: list[Row] = []
    for file in sorted((paths.TOP / "harness" / "bench").glob("*.toml")):
        outcome = bench_run.played(cluster.load(file), file.name)
        for name in sorted(outcome.collector.consoles):
            rows += json_rows(outcome.collector.text(name), "osmosis")
    return rows


def hypervisor() -> list[Row]:
    """The hypervisor's operations, counted, and a null call's time."""
    from osmo import bench_wall
    return operations() + bench_wall.rows()


def operations() -> list[Row]:
    """Between two domains, by a guest that makes the second."""
    setup = qemu.Setup(kernel=paths.hypervisor(), append="clock=count", clock="count", shift=0,
                       modules=[(paths.need(paths.build() / "guests" / "rows"), "")])
    until = time.monotonic() + 120
    with qemu.Qemu(setup) as machine:
        while "finished with status" not in machine.serial() and machine.alive() and time.monotonic() < until:
            time.sleep(0.05)
        text = machine.serial()
    if "Test result: SUCCESS" not in text:
        raise Problem(f"the guest that measures failed: {text[-300:]}")
    return json_rows(text, "osmosis")


HOSTED = (("P7", "null", 2000), ("P8", "link", 2000), ("P9", "self", 2000), ("P10", "rtt", 2000),
          ("P10", "apart", 2000), ("P11", "rtt1k", 2000), ("P16", "move", 4), ("P16", "memmove", 4))
APART = "round trip by CREATELINK, SEND and RECEIVE, 0 bytes"
HOSTED_NAMES = {"move": "move of 1 MiB", "memmove": "memmove of 1 MiB", "apart": APART}


def hosted() -> list[Row]:
    """The core alone in a Linux process, counted by callgrind; no traps, no address spaces."""
    program = paths.need(paths.build() / "kernel-bench")
    if not doctor.which("valgrind"):
        raise Problem("valgrind is not installed", "run `make deps`")
    rows = []
    for row, operation, n in HOSTED:
        counts = [_callgrind(program, operation, turns) for turns in (n, 3 * n)]
        name = HOSTED_NAMES.get(operation, goals.BY_ID[row].name)
        # Another unit than the goals': what traps and address spaces cost is not in it.
        rows.append(Row(row, name, "hosted", I=(counts[1] - counts[0]) / (2 * n), n=n, unit="I, core",
                        wall_ns=wall_ns(program, operation, 100 * n)))
    return rows + memory()


def wall_ns(program: pathlib.Path, operation: str, turns: int) -> float:
    """Time of one operation on this host, as it is just now: said, never judged."""
    least = []
    for count in (turns, 3 * turns):
        took = []
        for _ in range(3):
            began = time.perf_counter_ns()
            subprocess.run([str(program), operation, str(count)], check=True, env={**os.environ, **MEMMOVE})
            took.append(time.perf_counter_ns() - began)
        least.append(min(took))
    return round((least[1] - least[0]) / (2 * turns), 1)


def memory() -> list[Row]:
    """What the kernel keeps in its own memory for each process, link and queued message."""
    program = paths.need(paths.build() / "kernel-bench")
    done = subprocess.run([str(program), "sizes", "64"], capture_output=True, text=True, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return [Row(r["row"], r["name"], "hosted", value=r["value"], unit=r["unit"], n=64) for r in said]


# One memmove on every host: its library otherwise takes the widest registers there are, or REP MOVSB.
MEMMOVE = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512VL,-AVX512F,-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM"}


def _callgrind(program: pathlib.Path, operation: str, turns: int) -> int:
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program),
                           operation, str(turns)], capture_output=True, text=True, check=False,
                          env={**os.environ, **MEMMOVE})
    match = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not match:
        raise Problem(f"kernel-bench {operation} failed under valgrind: {done.stderr[-300:]}")
    return int(match[1])


def z8000() -> list[Row]:
    """Table 1 in emulated time, exact clocks of a 2 MHz Z8001; what emulation costs."""
    from osmo import bench_z8000
    return bench_z8000.rows()


def sizes() -> list[Row]:
    """How thin the hypervisor is: lines of code without comments and blanks."""
    lines = 0
    for path in sorted((paths.TOP / "hyp").rglob("*")):
        if path.suffix in (".c", ".h", ".S"):
            text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
            lines += sum(bool(line.strip()) for line in text.splitlines())
    return [Row("lines", "hypervisor, C and assembly without comments", "source", value=lines, unit="lines",
                goal=9000, met=lines <= 9000)]


def network() -> list[Row]:
    """Losses, hops, many pairs, kicks."""
    from osmo import bench_network
    return bench_network.rows()


def factors() -> list[Row]:
    """What a remote call is made of."""
    from osmo import bench_factors
    return bench_factors.rows()


def linux() -> list[Row]:
    """Debian's Linux here."""
    from osmo import bench_linux
    return bench_linux.osmosis()


def linux_on_xen() -> list[Row]:
    """And on Xen."""
    from osmo import bench_linux
    return bench_linux.on_xen()


def on_xen() -> list[Row]:
    """The node's image on Xen."""
    from osmo import bench_xen
    return bench_xen.rows()


def moves() -> list[Row]:
    """Messages and bytes of moving processes and of the file system, from the records of runs."""
    from osmo import bench_moves
    return bench_moves.rows()


def simulator() -> list[Row]:
    """Experiments in the simulator."""
    from osmo import bench_simulator
    return bench_simulator.rows()


def campaign() -> list[Row]:
    """Experiments in machines."""
    from osmo import bench_campaign
    return bench_campaign.rows()


PLACES: dict[str, Callable[[], list[Row]]] = {
    "native": native, "hypervisor": hypervisor, "osmosis": osmosis, "hosted": hosted, "z8000": z8000,
    "source": sizes, "network": network, "factors": factors, "moves": moves, "xen": on_xen, "linux": linux,
    "linux-xen": linux_on_xen,
    "simulator": simulator, "campaign": campaign}


UNDECODED = ", exits not decoded"  # of a row on Xen: what it takes without this emulator's doing


def derived(rows: list[Row]) -> list[Row]:
    """Ratios between rows that were measured together."""
    out = []
    for where in dict.fromkeys(r.where for r in rows):
        mine = {r.name: r.I for r in rows if r.where == where and r.I}
        copy = mine.get("memcpy of 1 MiB, per byte")
        move = mine.get("MOVEDATA of 1 MiB, copied, per byte")
        if copy and move:
            out.append(Row("P16", goals.BY_ID["P16"].name, where, value=round(move / copy, 4), unit="ratio"))
        remote = mine.get("MOVEDATA of 1 MiB, remote, per byte")
        if copy and remote:
            out.append(Row("P17", goals.BY_ID["P17"].name, where, value=round(remote / copy, 4), unit="ratio"))
        full, empty = mine.get(goals.BY_ID["P11"].name), mine.get(goals.BY_ID["P10"].name)
        if full and empty:
            out.append(Row("P11b", goals.BY_ID["P11b"].name, where, value=round(full / empty, 4), unit="ratio"))
        apart = mine.get(APART)
        if apart and empty:
            out.append(Row("DL08", "CREATELINK, SEND and RECEIVE against CALL", where,
                           value=round(apart / empty, 4), unit="ratio"))
        there, here = mine.get(goals.BY_ID["P12"].name), mine.get(goals.BY_ID["P9"].name)
        fetched = mine.get(goals.BY_ID["P19"].name)
        if fetched and there and copy:
            out.append(Row("P19b", goals.BY_ID["P19b"].name, where, value=round(fetched - there - 4096 * copy)))
        if there and here:
            out.append(Row("P15", goals.BY_ID["P15"].name, where, value=round(there / 2 / here, 4),
                           unit="ratio"))
    xen = {r.name: r.value for r in rows if r.id == "linux" and r.where == "xen" and r.value}
    out += [Row("linux", f"{r.name}, against Xen", "osmosis", value=round(r.value / xen[r.name], 4), unit="ratio")
            for r in rows if r.id == "linux" and r.where == "osmosis" and r.value and r.name in xen]
    domain = {r.id + r.name: r.I for r in rows if r.where == "osmosis" and r.I}
    bare = {r.name.removesuffix(UNDECODED): r.value for r in rows if r.id == "P30" and r.name.endswith(UNDECODED)}
    out += [Row("P30", f"{r.name}, against Xen", "osmosis", value=round(r.I / theirs, 4), unit="ratio")
            for r in rows if r.where == "osmosis" and r.I and (theirs := bare.get(r.name))]
    for r in rows:
        inside = domain.get(r.id + r.name)
        if r.where == "native" and r.I and inside and not r.name.endswith("per byte"):
            out.append(Row("P29", f"{r.id} {r.name}", "osmosis", value=round(inside / r.I, 4), unit="ratio"))
    return out


def measure(places: Iterable[str]) -> tuple[list[Row], dict[str, str]]:
    """Rows, and for places that could not be measured why."""
    rows: list[Row] = []
    missing: dict[str, str] = {}
    places = list(places)
    with Progress() as told:
        for number, place in enumerate(places, 1):
            told.clear()
            told.say(f"{place}, {number} of {len(places)} places, {units.counted(len(rows), 'row')} so far")
            try:
                rows += PLACES[place]()
            except (Problem, OSError, subprocess.SubprocessError) as error:
                missing[place] = str(error)
    return [r.judged() for r in rows + derived(rows)], missing


def show(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 10 else f"{value:,.0f}"


def print_table(rows: list[Row]) -> None:
    head = ("row", "where", "figure", "unit", "X", "goal", "", "peer", "what")
    lines = [head] + [(r.id, r.where, show(r.figure()), r.unit, show(r.X), show(r.goal),
                       {True: "met", False: "MISSED", None: ""}[r.met], r.peer or "", r.name) for r in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(c.rjust(w) if i in (2, 4, 5) else c.ljust(w)
                        for i, (c, w) in enumerate(zip(line, widths))).rstrip())


def key(r: Row) -> str:
    return f"{r.where}/{r.id}/{r.name}"


def regressions(rows: list[Row], reference: dict[str, dict[str, float | None]]) -> list[str]:
    """X, F and M must be equal, I at most one percent more; new rows are no fault."""
    said = []
    for r in rows:
        was = reference.get(key(r))
        if was is None:
            continue
        for letter in ("X", "F", "M"):
            if was.get(letter) != getattr(r, letter):
                said.append(f"{key(r)}: {letter} was {was.get(letter)}, is {getattr(r, letter)}")
        before = was.get("I")
        if before is not None and r.I is not None and r.I > before * MORE_I:
            said.append(f"{key(r)}: I was {before:.1f}, is {r.I:.1f}")
    return said


def counted(rows: list[Row]) -> dict[str, dict[str, float | None]]:
    """What the reference holds: rows counted in instructions, but on Xen, where others' are among them."""
    return {key(r): {"I": r.I, "X": r.X, "F": r.F, "M": r.M} for r in rows if r.I is not None and r.where != "xen"}


def read_reference() -> dict[str, dict[str, float | None]]:
    given: dict[str, dict[str, float | None]] = {}
    if REFERENCE.exists():
        given = json.loads(REFERENCE.read_text())
    return given


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--where", nargs="+", choices=tuple(PLACES), default=tuple(PLACES),
                        help="only these places")
    parser.add_argument("--json", action="store_true", help="print bench.json instead of the table")
    parser.add_argument("--check", action="store_true", help="hold the counts against the reference")
    parser.add_argument("--update", action="store_true", help="make these counts the reference")


def command(options: argparse.Namespace) -> int:
    rows, missing = measure(options.where)
    out = {"machine": os.uname().machine, "qemu": doctor.qemu_version(), "missing": missing,
           "rows": [dataclasses.asdict(r) for r in rows]}
    paths.build().mkdir(exist_ok=True)
    (paths.build() / "bench.json").write_text(json.dumps(out, indent=1) + "\n")
    if options.json:
        print(json.dumps(out, indent=1))
    else:
        print_table(rows)
    for place, why in missing.items():
        print(f"not measured: {place}: {why}", file=sys.stderr)
    if options.update:
        REFERENCE.write_text(json.dumps({**read_reference(), **counted(rows)}, indent=1, sort_keys=True) + "\n")
    said = regressions(rows, read_reference()) if options.check else []
    for line in said:
        print(f"regression: {line}", file=sys.stderr)
    return 1 if said or missing else 0
