# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis table1`: the operations of the 1987 paper's Table 1 in the emulated time of the 1983 node.

Two columns are measured. `routines`: the kernel side as Z8001 code of our own, both processors in
exact clocks (z8000-node table); a protocol with acknowledgements, but few queues. `nodes`: the DEMOS
kernel itself on two Z8000 nodes with a line of 5,000 bytes a second between them; its kernel side takes
no emulated time, but every byte of its headers and acknowledgements takes the line's. Nothing is padded.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from osmo import arguments, packets, paths, run
from osmo.errors import Problem

FEW, MANY = 2, 12
LINE_BYTES_PER_MS = 5
ROWS = {"send and receive 0 bytes, remote": 0, "send and receive 1024 bytes, remote": 1024}
WITHIN = 0.10  # goal of the rows that the line's rate decides
ABLATIONS = {"clock_10_mhz": "10 MHz", "line_1250000_bytes_per_second": "10 Mb/s",
             "one_processor": "one processor"}
RATE_BOUND = ("disk block, 512 bytes", "send and receive 1024 bytes, remote")


def frames(capture: bytes, medium: str) -> Iterator[int]:
    """Lengths of the frames that a capture has of one medium."""
    return (packet.size for packet in packets.packets(capture) if packet.medium == medium)


def _run(calls: int, size: int, folder: pathlib.Path) -> tuple[float, int, int]:
    """When the client had made its calls, ms; frames and bytes of the line until then."""
    cluster = paths.TOP / "harness" / "clusters" / "1983.toml"
    file = folder / f"calls{calls}.toml"
    text = cluster.read_text().replace('"echo 10 1024"', f'"echo {calls} {size}"').replace("60s", "8s")
    file.write_text(text)
    out = folder / f"out{calls}-{size}"
    done = subprocess.run([sys.executable, str(paths.TOP / "harness" / "osmosis"), "run", str(file), "--json",
                           "--out", str(out)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"the cluster of 1983 failed: {_why(done.stdout, done.stderr)}",
                      "`osmosis run harness/clusters/1983.toml` shows more")
    ended = next(n["ended_ns"] for n in json.loads(done.stdout)["nodes"] if n["name"] == "client")
    sizes = list(frames((out / "capture.pcapng").read_bytes(), "parallel"))
    return ended / 1e6, len(sizes), sum(sizes)


def _why(stdout: str, stderr: str) -> str:
    """What a run said that failed: its verdict, or what kept it from having one."""
    try:
        return str(json.loads(stdout)["error"])
    except (ValueError, LookupError, TypeError):
        return (stderr or stdout)[-300:].strip()


def on_nodes(size: int) -> dict[str, float]:
    """One call of `size` bytes and its empty answer: the difference between many and few."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_run(n, size, pathlib.Path(folder)) for n in (FEW, MANY))
    ms, count, line = ((b - a) / (MANY - FEW) for a, b in zip(few, many))
    return {"measured_ms": round(ms, 3), "frames": round(count, 2), "line_bytes": round(line, 1),
            "line_ms": round(line / LINE_BYTES_PER_MS, 3)}


def document(say: Callable[[str], None], nodes: bool) -> dict[str, Any]:
    program = paths.need(paths.build() / "z8000" / "z8000-node")
    say("routines in Z8001 code ...")
    done = subprocess.run([str(program), "table"], capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)
    others = {kind: {r["row"]: r["measured_ms"] for r in measured[kind]} for kind in ABLATIONS}
    rows = [{"row": r["row"], "how": r["how"], "paper_ms": r.get("paper_ms"), "routines": r,
             "ablations": {kind: ms[r["row"]] for kind, ms in others.items() if r["row"] in ms}}
            for r in measured["table1"]]
    for row in rows:
        if nodes and row["row"] in ROWS:
            say(f"two nodes, {row['row']} ...")
            row["nodes"] = on_nodes(ROWS[row["row"]])
        row["verdict"] = verdict(row)
    return {"format": 1, "rows": rows}


def verdict(row: dict[str, Any]) -> str:
    """Whether a row that the line's rate decides is within its goal, in each column that has it."""
    if row["row"] not in RATE_BOUND or not row["paper_ms"]:
        return ""
    off = max((row[column]["measured_ms"] / row["paper_ms"] - 1 for column in ("routines", "nodes")
               if column in row), key=abs)
    return f"within {WITHIN:.0%}" if abs(off) <= WITHIN else f"off by {off:+.1%}"


def text_table(doc: dict[str, Any]) -> list[str]:
    return [*against_paper(doc), "", *model(doc), "", *ablations(doc)]


def model(doc: dict[str, Any]) -> list[str]:
    """What the routines' time consists of, and what the paper's has beyond the model."""
    parts = ("line_ms", "handshake_ms", "device_ms", "copies_ms", "sums_ms", "interrupts_ms", "code_ms")
    factor = doc["rows"][0]["routines"]["model"]["compiled_code_factor"]
    lines = [["model, ms", *(p[:-3] for p in parts), "model", "left over"]]
    for row in doc["rows"]:
        m = row["routines"]["model"]
        lines.append([row["row"], *(f"{m[p]:.2f}" for p in parts), f"{m['model_ms']:.2f}",
                      f"{m['residual_ms']:.2f}" if "residual_ms" in m else ""])
    return [*columns(lines), f"model: code counts {factor:g} times, for a plain compiler's; all else once"]


def ablations(doc: dict[str, Any]) -> list[str]:
    """The routines on other machines: what each cause of the figures is worth."""
    lines = [["routines, ms", "as it was", *ABLATIONS.values()]]
    for row in doc["rows"]:
        lines.append([row["row"], f"{row['routines']['measured_ms']:.3f}",
                      *(f"{row['ablations'][k]:.3f}" if k in row["ablations"] else "" for k in ABLATIONS)])
    return columns(lines)


def columns(lines: list[list[str]]) -> list[str]:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  ".join(c.rjust(w) if i > 0 else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip()
            for line in lines]


def against_paper(doc: dict[str, Any]) -> list[str]:
    lines = [["operation", "paper ms", "routines", "ratio", "model", "left over", "nodes", "ratio", "line bytes",
              ""]]
    for row in doc["rows"]:
        paper, one, two = row["paper_ms"], row["routines"], row.get("nodes", {})

        def of(value: float | None, paper: float | None = paper) -> str:
            return f"{value / paper:.2f}" if value and paper else ""
        lines.append([row["row"], f"{paper:g}" if paper else "", f"{one['measured_ms']:.3f}",
                      of(one["measured_ms"]), f"{one['model']['model_ms']:.1f}",
                      f"{one['model']['residual_ms']:.1f}" if paper else "",
                      f"{two['measured_ms']:.1f}" if two else "", of(two.get("measured_ms")),
                      f"{two['line_bytes']:.0f}" if two else "", row["verdict"]])
    return columns(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-nodes", action="store_true", help="without the rows measured between two nodes")
    parser.add_argument("--json", action="store_true", help="print table1.json instead of the table")
    parser.add_argument("--out", type=arguments.folder, metavar="DIR",
                        help="default: table1/ where things are built")


def command(options: argparse.Namespace) -> int:
    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    where = options.out or paths.build() / "table1"
    run.open_results(where)
    doc = document(say, not options.no_nodes)
    (where / "table1.json").write_text(json.dumps(doc, indent=1) + "\n")
    (where / "table1.txt").write_text("\n".join(text_table(doc)) + "\n")
    print(json.dumps(doc, indent=1) if options.json else "\n".join(text_table(doc)))
    say(f"{where}: table1.json, table1.txt")
    return 0
