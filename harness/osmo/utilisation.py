# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis utilisation`: how much of its time the user processor of the 1983 node computes.

Four programs fixed beforehand (z8000/asm/load.s) page under one board, swept over memory (and so the fault
rate), page size, clock, paging device and replacement (z8000-node paging), beside the paper's 65-68 %. Writes
tables, JSON and plot.
"""

import argparse
import json
import pathlib
import subprocess
import sys
from typing import Any

from osmo import arguments, paths, run
from osmo.errors import Problem
from osmo.svg import COLOURS


def measure(seconds: int) -> dict[str, Any]:
    program = paths.need(paths.build() / "z8000" / "z8000-node")
    done = subprocess.run([str(program), "paging", str(seconds)], capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def by_memory(doc: dict[str, Any], key: str) -> dict[str, dict[int, float]]:
    """By study, then by KB of memory."""
    found: dict[str, dict[int, float]] = {}
    for row in doc["rows"]:
        found.setdefault(row["study"], {})[row["memory_kb"]] = row[key]
    return found


def text_table(doc: dict[str, Any]) -> list[str]:
    low, high = doc["paper_busy"]
    return [*one_table(doc, "busy", "busy share, with so many KB"), "",
            *one_table(doc, "faults_per_second", "page faults a second"), "",
            f"the paper: {low:.2f} to {high:.2f} busy on a heavily loaded node"]


def one_table(doc: dict[str, Any], key: str, title: str) -> list[str]:
    found = by_memory(doc, key)
    memories = sorted({m for row in found.values() for m in row})
    width = max(len(title), *map(len, found))
    return [f"{title:{width}}" + "".join(f"{m:7}" for m in memories),
            *(f"{name:{width}}" + "".join(f"{row[m]:7.3f}" for m in memories) for name, row in found.items())]


def draw(doc: dict[str, Any], path: pathlib.Path) -> None:
    try:
        import matplotlib
    except ImportError:
        raise Problem("matplotlib is not installed", "run `make deps` (python3-matplotlib)") from None
    matplotlib.use("svg")
    # Text stays text, and the same data give the same bytes.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "osmosis", "font.size": 9})
    from matplotlib import pyplot
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 5), sharey=True, constrained_layout=True)
    for axis in (left, right):
        axis.axhspan(*doc["paper_busy"], color="#ddd", label="the paper")
    rates = by_memory(doc, "faults_per_second")
    for colour, (name, row) in zip((*COLOURS, "#444444"), by_memory(doc, "busy").items()):
        left.plot(list(row), list(row.values()), "o-", markersize=3, color=colour, label=name)
        right.plot(list(rates[name].values()), list(row.values()), "o", markersize=3, color=colour)
    left.set_xlabel("KB of memory for four programs")
    left.set_ylabel("busy share of the user processor")
    right.set_xlabel("page faults a second")
    left.legend(fontsize=7)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=arguments.whole(1, 10**6), default=60,
                        help="of emulated time for each point, after as many to fill the memory (60)")
    parser.add_argument("--json", action="store_true", help="print utilisation.json instead of the table")
    parser.add_argument("--out", type=arguments.folder, metavar="DIR",
                        help="default: utilisation/ where things are built")


def command(options: argparse.Namespace) -> int:
    where = options.out or paths.build() / "utilisation"
    run.open_results(where)
    doc = measure(options.seconds)
    (where / "utilisation.json").write_text(json.dumps(doc, indent=1) + "\n")
    (where / "utilisation.txt").write_text("\n".join(text_table(doc)) + "\n")
    draw(doc, where / "utilisation.svg")
    print(json.dumps(doc, indent=1) if options.json else "\n".join(text_table(doc)))
    print(f"{where}: utilisation.json, utilisation.txt, utilisation.svg", file=sys.stderr)
    return 0
