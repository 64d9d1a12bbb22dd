# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis utilisation`: how much of its time the user processor of the 1983 node computes.

Four programs fixed beforehand (z8000/asm/load.s) page under one board, swept over memory, page size,
clock and paging device (z8000-node paging), beside the paper's 65-68 %. Writes table, JSON and plot.
"""

import argparse
import json
import pathlib
import subprocess
import sys
from typing import Any

from osmo import paths
from osmo.errors import Problem
from osmo.svg import COLOURS


def measure(seconds: int) -> dict[str, Any]:
    program = paths.need(paths.build() / "z8000" / "z8000-node")
    done = subprocess.run([str(program), "paging", str(seconds)], capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def shares(doc: dict[str, Any]) -> dict[str, dict[int, float]]:
    """By study, then by KB of memory."""
    found: dict[str, dict[int, float]] = {}
    for row in doc["rows"]:
        found.setdefault(row["study"], {})[row["memory_kb"]] = row["busy"]
    return found


def text_table(doc: dict[str, Any]) -> list[str]:
    found = shares(doc)
    memories = sorted({m for row in found.values() for m in row})
    width = max(map(len, found))
    low, high = doc["paper_busy"]
    return [f"{'busy share, with so many KB':{width}}" + "".join(f"{m:7}" for m in memories),
            *(f"{name:{width}}" + "".join(f"{row[m]:7.3f}" for m in memories) for name, row in found.items()),
            f"the paper: {low:.2f} to {high:.2f} on a heavily loaded node"]


def draw(doc: dict[str, Any], path: pathlib.Path) -> None:
    try:
        import matplotlib
    except ImportError:
        raise Problem("matplotlib is not installed", "run `make deps` (python3-matplotlib)") from None
    matplotlib.use("svg")
    # Text stays text, and the same data give the same bytes.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "osmosis", "font.size": 9})
    from matplotlib import pyplot
    figure, axis = pyplot.subplots(figsize=(8, 5), constrained_layout=True)
    axis.axhspan(*doc["paper_busy"], color="#ddd", label="the paper")
    for colour, (name, row) in zip(COLOURS, shares(doc).items()):
        axis.plot(list(row), list(row.values()), "o-", markersize=3, color=colour, label=name)
    axis.set_xlabel("KB of memory for four programs")
    axis.set_ylabel("busy share of the user processor")
    axis.legend(fontsize=7)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=int, default=20, help="of emulated time for each point")
    parser.add_argument("--json", action="store_true", help="print utilisation.json instead of the table")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="default: utilisation/ where things are built")


def command(options: argparse.Namespace) -> int:
    if options.seconds < 1:
        raise Problem(f"--seconds {options.seconds} measures nothing", "say 1 or more")
    doc = measure(options.seconds)
    where = options.out or paths.build() / "utilisation"
    where.mkdir(parents=True, exist_ok=True)
    (where / "utilisation.json").write_text(json.dumps(doc, indent=1) + "\n")
    (where / "utilisation.txt").write_text("\n".join(text_table(doc)) + "\n")
    draw(doc, where / "utilisation.svg")
    print(json.dumps(doc, indent=1) if options.json else "\n".join(text_table(doc)))
    print(f"{where}: utilisation.json, utilisation.txt, utilisation.svg", file=sys.stderr)
    return 0
