# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis compare`: the same node and program on Osmosis, on Xen 4.17, natively and hosted.

Table 1's operations, the four kinds of invocation (L33), the delay of a call against its size
(L35) and where it goes (L36); in instructions, which are exact, and in time, with its spread.
Writes compare.json, compare.svg and compare.txt; the table says what may be compared.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from osmo import arguments, breakdown, delays, doctor, dom0, paths, places, run, xen
from osmo.errors import Problem
from osmo.progress import draws

FORMAT = 2
PLACES = ("native", "osmosis", "xen", "hosted")
ROWS = ("L33", "T1", "L35")
FAILURES = (Problem, OSError, subprocess.SubprocessError)
WIDE = 110  # letters of a line where no terminal says otherwise
# What may be compared, with the places of which one has to be there for it to matter.
NOTES = (
    (("native", "osmosis", "xen"),
     "native, osmosis, xen: the same image and program files, under the same QEMU. Xen wants the CPU model EPYC, "
     "less what it and its guests do not bear there (SMAP, SMEP, MONITOR, XSAVE, AVX); the others have qemu64 "
     "with CRC32. Local rows may be compared freely."),
    (("osmosis", "xen"),
     "remote on osmosis and on xen: two domains of that image and a third, the fabric, between them; the medium "
     "takes no time. Instructions are those of the whole machine: both nodes, the fabric, the hypervisor, and on "
     "xen what dom0 does meanwhile, so that there the median of three rounds is the figure."),
    (("xen",),
     "xen: each VMMCALL of a PVH guest costs Xen 4,803 instructions of decoding that processors with next-RIP "
     "spare it; not taken away here."),
    (("native",),
     "native has no row between nodes: two bare machines are two QEMUs, whose clocks are not one."),
    (("hosted",),
     "hosted: time only. Kernel calls are ptrace stops of a Linux process, the network is a socket: its rows "
     "show that the core is the same, not what it costs."),
    (("native", "osmosis", "xen"),
     "Time is that of an emulator. World switches are far dearer under QEMU than in silicon, and Xen's more than "
     "ours: ratios of time are no prediction."),
    (PLACES,
     "Of time each place has the median of all rounds, with the least and the most. Load of the host falls into "
     "the spread."),
)


@dataclasses.dataclass
class Cell:
    """One operation in one place: instructions of each round, nanoseconds of each round."""

    counts: list[float] = dataclasses.field(default_factory=list)
    times: list[float] = dataclasses.field(default_factory=list)
    switches: float | None = None

    @property
    def instructions(self) -> float | None:
        return statistics.median(self.counts) if self.counts else None

    def summary(self) -> dict[str, Any]:
        out: dict[str, Any] = {"I": self.instructions, "X": self.switches}
        if self.counts:
            out["I_spread"] = [min(self.counts), max(self.counts)]
        if self.times:
            out["ns"] = round(statistics.median(self.times), 1)
            out["ns_spread"] = [round(min(self.times), 1), round(max(self.times), 1)]
            out["rounds"] = len(self.times)
        return out


Table = dict[tuple[str, str], dict[str, Cell]]


def take(table: Table, place: str, clock: str, text: str) -> None:
    """Adds the rows of one console to the table. A tick is an instruction in `count`."""
    per_ms = 1e6
    for line in text.splitlines():
        match = re.search(r"\{.*\}", line)
        try:
            given = json.loads(match[0]) if match else {}
        except ValueError:
            continue
        per_ms = given.get("ticks_per_ms", per_ms)
        if "row" not in given or not isinstance(given.get("value"), (int, float)):
            continue
        # A row of nothing is one that something else on the machine disturbed.
        if given["value"] <= 0:
            continue
        cell = table.setdefault((given["row"], given["name"]), {}).setdefault(place, Cell())
        if clock == "count":
            cell.counts.append(float(given["value"]))
            cell.switches = given.get("X") if place == "osmosis" else cell.switches
        else:
            cell.times.append(given["value"] * 1e6 / per_ms)


def on_xen(clock: str, rounds: int) -> str:
    why = dom0.missing()
    if why:
        raise Problem(why, "run `make deps`")
    with xen.Testbed(places.xen_images(), clock=clock, seconds=300) as bed:
        return places.on_xen(bed, rounds)


RUNNERS: dict[str, Callable[[str, int], str]] = {
    "native": places.native, "osmosis": places.osmosis, "xen": on_xen, "hosted": places.hosted}


def schedule(where: list[str], rounds: int) -> list[tuple[str, str, int]]:
    """Place, clock and rounds of each machine, in order. Time is measured there and back
    again, so that a load that grows or goes falls on all places alike. Instructions repeat, but
    what a domain does by its clock falls into one round or another: the median has none of it."""
    def timed(place: str) -> tuple[str, str, int]:
        return place, "real", 1 if place == "xen" else max(1, rounds // 2)  # a round there is half a minute

    counted = [(p, "count", 1 if p == "native" else 3) for p in where if p != "hosted"]
    return counted + [timed(p) for p in where] + [timed(p) for p in reversed(where)]


def measure(where: list[str], rounds: int, say: Callable[[str], None]) -> tuple[Table, dict[str, str]]:
    """The table, and what could not be measured with its reason."""
    table: Table = {}
    missing: dict[str, str] = {}
    for place, clock, n in schedule(where, rounds):
        if place in missing:
            continue
        say(f"{place}, {'instructions' if clock == 'count' else 'time'} ...")
        try:
            take(table, place, clock, RUNNERS[place](clock, n))
        except FAILURES as error:
            missing[place] = str(error)
    return table, missing


def looked(what: str, look: Callable[[Callable[[str], None]], dict[str, Any]], say: Callable[[str], None],
           missing: dict[str, str]) -> dict[str, Any]:
    """What comes of a further look; if it fails, the table that is there already is not lost."""
    try:
        return look(say)
    except FAILURES as error:
        missing[what] = str(error)
        return {}


def breakdowns(say: Callable[[str], None]) -> dict[str, breakdown.Breakdown]:
    out = {}
    for name, look, size in (("local 0", breakdown.local, 0), ("local 1024", breakdown.local, 1024),
                             ("remote 0", breakdown.remote, 0), ("remote 1024", breakdown.remote, 1024)):
        say(f"where a call goes, {name} bytes ...")
        out[name] = look(size)
    return out


def curves(say: Callable[[str], None]) -> dict[str, dict[int, float]]:
    out = {}
    for way in (delays.ETHER, delays.DISTANT):
        say(f"delay against size, {way.name} ...")
        out[way.name] = delays.measured(way)
    return out


def document(table: Table, factors: dict[str, breakdown.Breakdown], missing: dict[str, str],
             over: dict[str, dict[int, float]] | None = None) -> dict[str, Any]:
    """What compare.json holds: rows of one kind stand together."""
    rows = [{"row": row, "name": name, "places": {p: c.summary() for p, c in cells.items()}}
            for (row, name), cells in table.items()]
    rows.sort(key=lambda r: ROWS.index(r["row"]) if r["row"] in ROWS else len(ROWS))
    goes = {name: {"total": round(b.total, 1), "calls": b.calls,
                   "factors": {k: round(v, 1) for k, v in sorted(b.factors.items(), key=lambda f: -f[1])}}
            for name, b in factors.items()}
    there = {place for cells in table.values() for place in cells}
    return {"format": FORMAT, "qemu": doctor.qemu_version(), "rows": rows, "breakdown": goes,
            "delays": over or {}, "missing": missing,
            "notes": [words for of, words in NOTES if there & set(of)]}


def _us(ns: float) -> str:
    """Three digits and more, which stand under each other."""
    digits = 0 if ns >= 100_000 else 1 if ns >= 10_000 else 2 if ns >= 1000 else 3
    return f"{ns / 1000:,.{digits}f}"


def _counted(cell: dict[str, Any], _: bool) -> str:
    return "" if cell.get("I") is None else f"{cell['I']:,.0f}"


def _timed(cell: dict[str, Any], spread: bool) -> str:
    if "ns" not in cell:
        return ""
    low, high = cell["ns_spread"]
    return f"{_us(cell['ns'])} ({_us(low)}-{_us(high)})" if spread else _us(cell["ns"])


def _part(rows: Sequence[dict[str, Any]], key: str, title: str, shown: Callable[[dict[str, Any], bool], str],
          spread: bool) -> list[str]:
    """One figure of all rows, by place; the last column is ours against Xen's, where both are known."""
    rows = [r for r in rows if any(cell.get(key) is not None for cell in r["places"].values())]
    where = [p for p in PLACES if any(r["places"].get(p, {}).get(key) is not None for r in rows)]
    if not where:
        return []
    both = {"osmosis", "xen"} <= set(where)
    lines = [["row", title, *where, *(["ratio"] if both else [])]]
    for r in rows:
        ours, theirs = (r["places"].get(p, {}).get(key) for p in ("osmosis", "xen"))
        ratio = f"{ours / theirs:.3f}" if ours and theirs else ""
        lines.append([r["row"], r["name"], *(shown(r["places"].get(p, {}), spread) for p in where),
                      *([ratio] if both else [])])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip()
            for line in lines]


def text_table(doc: dict[str, Any], width: int | None = None) -> list[str]:
    """Instructions, then times, each with the ratio of two hypervisors, where they fit with their spread; then
    where a call goes, and what may be compared."""
    counted = _part(doc["rows"], "I", "instructions", _counted, False)
    timed = _part(doc["rows"], "ns", "us, median (least-most)", _timed, True)
    if width is not None and any(len(line) > width for line in timed):
        timed = _part(doc["rows"], "ns", "us, median", _timed, False)
    out = [*counted, *([""] if counted and timed else []), *timed]
    if any(head.endswith("  ratio") for head in (*counted[:1], *timed[:1])):
        out += ["", "ratio: osmosis to xen"]
    for name, goes in doc["breakdown"].items():
        out += ["", f"a call, {name} bytes: {goes['total']:,.0f} instructions"]
        out += [f"{v:10,.0f}  {100 * v / goes['total']:4.1f} %  {k}" for k, v in goes["factors"].items()]
    for name, delay in doc["delays"].items():
        out += ["", f"a call to another node over {name}, ns by the bytes each way:"]
        out += [f"{ns:12,.0f}  {size}" for size, ns in delay.items()]
    out += ["", *(f"not measured: {place}: {why}" for place, why in doc["missing"].items())]
    if doc["notes"]:
        out.append("What may be compared:")
    for note in doc["notes"]:
        out += textwrap.wrap(note, max(30, (width or WIDE) - 1), initial_indent="- ", subsequent_indent="  ")
    return out


def write(doc: dict[str, Any], directory: pathlib.Path) -> None:
    from osmo import compare_plot
    with run.writing(directory):
        (directory / "compare.json").write_text(json.dumps(doc, indent=1) + "\n")
        (directory / "compare.txt").write_text("\n".join(text_table(doc)) + "\n")
        compare_plot.write(doc, directory / "compare.svg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--where", nargs="+", choices=PLACES, default=list(PLACES), help="only these places")
    parser.add_argument("--rounds", type=arguments.whole(1, 10000), default=6,
                        help="of each row, for the spread of time")
    parser.add_argument("--short", action="store_true", help="two rounds, not where a call goes, no slow media")
    parser.add_argument("--json", action="store_true", help="print compare.json instead of the table")
    parser.add_argument("--out", type=arguments.folder, metavar="DIR",
                        help="default: compare/ where things are built")


def command(options: argparse.Namespace) -> int:
    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    where = options.out or paths.build() / "compare"
    run.open_results(where)
    table, missing = measure(options.where, 2 if options.short else options.rounds, say)
    whole = not options.short and "osmosis" in options.where and "osmosis" not in missing
    factors = looked("where a call goes", breakdowns, say, missing) if whole else {}
    over = looked("delay against size", curves, say, missing) if whole else {}
    doc = document(table, factors, missing, over)
    width = shutil.get_terminal_size().columns if draws(sys.stdout) else None
    print(json.dumps(doc, indent=1) if options.json else "\n".join(text_table(doc, width)))
    write(doc, where)
    say(f"{where}: compare.json, compare.txt, compare.svg")
    return 1 if missing else 0
