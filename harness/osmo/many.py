# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis many`: what one more node costs, by running `harness/clusters/many.toml` with more and more.

By the clock `count`, so that all but the wall time comes out the same each time. A node's memory is what
it has touched and what the hypervisor keeps for it; what one more node takes from the machine, the
control domain's and the fabric's part included, is the difference between two runs. The message goes
round all nodes, so a hop is one message between neighbours. Writes table, JSON and plot.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from osmo import arguments
from osmo import cluster as clusters, paths, plan, run, schema, units
from osmo.errors import Problem
from osmo.progress import Progress
from osmo.scratch import Scratch
from osmo.svg import COLOURS

FILE = paths.TOP / "harness" / "clusters" / "many.toml"
GROUP, FIRST = "n", "n1"
NODES = "2,8,32,64"
PAGE = 4096
NS_EACH = 8  # virtual time of an instruction: QEMU's shift 3
MEANING = (
    "KiB of a node: what it has touched, what the hypervisor keeps for it, what the",
    "machine has less by one more, the fabric's part included. I: instructions.",
    "First round: virtual time until a message had been round all.")
HOP = re.compile(r"(\d+) hops, (\d+) ns each")


@dataclasses.dataclass
class Density:
    """One run. Bytes and instructions are of one node; `machine` is what all of it takes."""

    nodes: int
    own: int  # RAM that a node has touched, the mean of some
    kept: int  # what the hypervisor keeps for it
    machine: int
    fabric: int
    create: int  # instructions from nothing to a domain that could run
    ready_ns: int  # virtual, until the message had been round once
    hop_ns: int
    wall_s: float
    more: int | None = None  # what one more node takes from the machine, against the run before


def sampled(nodes: int) -> list[str]:
    """Nodes whose memory is looked at: the second, one in the middle, the last."""
    return [f"{GROUP}{i}" for i in sorted({2, max(2, nodes // 2), nodes})]


def looked_at(text: str, nodes: int) -> str:
    """The plan that looks, at its end, at what is held."""
    *before, last, limit = text.splitlines()
    when = f"when exit {FIRST} "
    if not last.startswith(when):
        raise Problem(f"the cluster does not end with {FIRST}", f'say until = "exit {FIRST}"')
    looks = [when + f"counters {name}" for name in [*sampled(nodes), "fabric", "all"]]
    return "\n".join([*before, *looks, last, limit]) + "\n"


def measure(file: pathlib.Path, nodes: int) -> Density:
    cluster = clusters.load(file, {GROUP: nodes})
    start = time.monotonic()
    with Scratch() as folder:
        prepared = run.prepare(cluster, run.Options(clock="count"), folder)
        prepared.plan = plan.Plan(looked_at(prepared.plan.text, nodes), prepared.plan.modules)
        (folder / "plan").write_text(prepared.plan.text)
        with Progress() as told:
            outcome = run.execute(prepared, lambda session: told.run(f"{nodes} nodes", session, None))
    if not outcome.result.ok:
        raise Problem(f"{nodes} nodes: {outcome.result.error.splitlines()[0]}\n{outcome.ending.dump[-600:]}")
    return of(nodes, outcome, time.monotonic() - start)


def of(nodes: int, outcome: run.Outcome, wall_s: float) -> Density:
    """From what a run said."""
    events = outcome.collector.events
    answers = [e.fields for e in events if "machine_free" in e.fields]
    hop = HOP.search(outcome.collector.text(FIRST))
    if len(answers) != len(sampled(nodes)) + 2 or hop is None:
        raise Problem(f"{nodes} nodes: the run does not say what it held", "is the control image built anew?")
    *some, fabric, every = answers
    started = max(e.ns for e in events if e.event == "start")
    ended = outcome.collector.ended[FIRST].ns
    turn_ns = (int(hop[1]) + int(hop[1]) // max(1, nodes - 1)) * int(hop[2])
    return Density(nodes=nodes, own=sum(a["frames"] for a in some) * PAGE // len(some),
                   kept=sum(a["overhead"] for a in some) // len(some),
                   machine=(every["machine_total"] - every["machine_free"]) * PAGE,
                   fabric=fabric["frames"] * PAGE + fabric["overhead"],
                   create=started // NS_EACH // len(outcome.result.nodes),
                   ready_ns=ended - turn_ns, hop_ns=int(hop[2]), wall_s=round(wall_s, 1))


def compared(rows: list[Density]) -> list[Density]:
    """With what one more node takes."""
    out = rows[:1]
    for before, row in zip(rows, rows[1:]):
        out.append(dataclasses.replace(row, more=(row.machine - before.machine) // (row.nodes - before.nodes)))
    return out


def text_table(rows: list[Density]) -> list[str]:
    lines = [["nodes", "KiB touched", "kept", "one more", "I to create", "first round", "a hop", "wall"]]
    for r in rows:
        lines.append([str(r.nodes), f"{r.own / 1024:.0f}", f"{r.kept / 1024:.0f}",
                      "" if r.more is None else f"{r.more / 1024:.0f}", f"{r.create:,}",
                      units.short_time(r.ready_ns), units.short_time(r.hop_ns), f"{r.wall_s} s"])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  ".join(c.rjust(w) for c, w in zip(line, widths)) for line in lines]


PANELS: tuple[tuple[str, tuple[tuple[str, Callable[[Density], float | None]], ...]], ...] = (
    ("KiB a node", (("touched", lambda r: r.own / 1024), ("kept by the hypervisor", lambda r: r.kept / 1024),
                    ("one more, all in all", lambda r: None if r.more is None else r.more / 1024))),
    ("instructions to create a node", (("", lambda r: r.create),)),
    ("seconds of virtual time until a message was round all", (("", lambda r: r.ready_ns / 1e9),)),
    ("microseconds a hop", (("", lambda r: r.hop_ns / 1000),)))


def draw(rows: list[Density], path: pathlib.Path) -> None:
    try:
        import matplotlib
    except ImportError:
        raise Problem("matplotlib is not installed", "run `make deps` (python3-matplotlib)") from None
    matplotlib.use("svg")
    # Text stays text, and the same data give the same bytes.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "osmosis", "font.size": 9})
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(len(PANELS), 1, figsize=(7, 10), constrained_layout=True, sharex=True)
    for axis, (title, lines) in zip(axes, PANELS):
        for colour, (label, of_row) in zip(COLOURS, lines):
            points = [(r.nodes, of_row(r)) for r in rows]
            known = [(n, value) for n, value in points if value is not None]
            axis.plot([n for n, _ in known], [v for _, v in known], "o-", markersize=3, color=colour, label=label)
        axis.set_title(title)
        axis.set_ylim(0, 1.05 * max(axis.get_ylim()[1], 1e-9))
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        if len(lines) > 1:
            axis.legend(fontsize=7)
    nodes = [r.nodes for r in rows]
    axes[-1].set_xscale("log", base=2)
    axes[-1].set_xticks(nodes, [f"{n:,}" for n in nodes])
    axes[-1].set_xlabel("nodes")
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def document(rows: list[Density]) -> dict[str, Any]:
    return {"format": 1, "cluster": FILE.name, "rows": [dataclasses.asdict(r) for r in rows]}


def numbers(text: str) -> list[int]:
    """Of an argument: in order, each once."""
    one = arguments.whole(2, schema.NODES_MOST - 1)  # beside the switchboard's
    return sorted({one(word) for word in text.split(",")})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nodes", type=numbers, default=NODES, metavar="N,N...",
                        help=f"how many, one run each (default {NODES})")
    parser.add_argument("--json", action="store_true", help="print many.json instead of the table")
    parser.add_argument("--out", type=arguments.folder, metavar="DIR",
                        help="default: many/ where things are built")


def command(options: argparse.Namespace) -> int:
    where = options.out or paths.build() / "many"
    run.open_results(where)
    rows: list[Density] = []
    try:
        for nodes in options.nodes:
            print(f"{nodes} nodes ...", file=sys.stderr, flush=True)
            rows = compared([*rows, measure(FILE, nodes)])
    finally:  # of runs that take minutes, those before one that failed, or was interrupted, are not lost
        if rows:
            conclude(rows, where, options.json)
    return 0


def conclude(rows: list[Density], where: pathlib.Path, as_json: bool) -> None:
    doc = document(rows)
    print(json.dumps(doc, indent=1) if as_json else "\n".join([*text_table(rows), "", *MEANING]))
    with run.writing(where):
        (where / "many.json").write_text(json.dumps(doc, indent=1) + "\n")
        (where / "many.txt").write_text("\n".join([*text_table(rows), "", *MEANING]) + "\n")
        draw(rows, where / "many.svg")
    print(f"{where}: many.json, many.txt, many.svg", file=sys.stderr)
