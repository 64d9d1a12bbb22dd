# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis top`: what each domain of a running cluster costs: processor, exits, memory.

The hypervisor's counters, asked over the command port, so that only clocks in which a run may
be talked to have it. Shares are of virtual time between two looks.
"""

import argparse
import json
import sys
import time
from typing import Any

from osmo import arguments, caller
from osmo.errors import Problem
from osmo.progress import draws

FIELDS = ("run_ns", "exits", "hypercalls", "upcalls", "sends", "grants", "faults")
MIB = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--looks", type=arguments.whole(1, 10**9), metavar="N",
                        help="leave after so many (default: until Ctrl-C)")
    parser.add_argument("--every", type=arguments.seconds, default=1.0, metavar="SECONDS")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each look")
    caller.add_run_argument(parser)


def counters(run: caller.Caller, status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By domain; those that are gone in between are left out."""
    names = ["fabric"] if any(n["domid"] for n in status["nodes"]) else []
    names += [n["name"] for n in status["nodes"] if n["state"] == "running"]
    out = {}
    for name in names:
        try:
            out[name] = run.command(f"counters {name}")
        except Problem:
            continue
    return out


Counters = dict[str, dict[str, Any]]


def rows(before: Counters, after: Counters, span_ns: int) -> list[dict[str, Any]]:
    """What each domain did in the span, the busiest first."""
    out = []
    for name, now in after.items():
        was = before.get(name, now)
        did = {f: max(0, now.get(f, 0) - was.get(f, 0)) for f in FIELDS}
        out.append({"name": name, "cpu": round(100 * did["run_ns"] / span_ns, 1) if span_ns > 0 else 0.0,
                    **{f: round(did[f] * 1e9 / span_ns) if span_ns > 0 else 0 for f in FIELDS[1:]},
                    "memory": now.get("frames", 0) * 4096, "overhead": now.get("overhead", 0)})
    return sorted(out, key=lambda r: (-r["cpu"], r["name"]))


def table(found: list[dict[str, Any]]) -> list[str]:
    lines = [f"{'domain':16} {'cpu %':>6} {'exits/s':>9} {'calls/s':>9} {'events/s':>9} {'grants/s':>9} "
             f"{'faults/s':>9} {'MiB':>7} {'+KiB':>6}"]
    return lines + [f"{r['name'][:16]:16} {r['cpu']:6.1f} {r['exits']:9,} {r['hypercalls']:9,} {r['upcalls']:9,} "
                    f"{r['grants']:9,} {r['faults']:9,} {r['memory'] / MIB:7.1f} {r['overhead'] / 1024:6,.0f}"
                    for r in found]


def command(options: argparse.Namespace) -> int:
    looks, drawn = 0, 0
    with caller.call(options) as run:
        status = run.ask({"do": "status"})
        before = counters(run, status)
        while options.looks is None or looks < options.looks:
            time.sleep(options.every)
            last, status = status, run.ask({"do": "status"})
            after = counters(run, status)
            found = rows(before, after, status["virtual_ns"] - last["virtual_ns"])
            if options.json:
                print(json.dumps({"virtual_ns": status["virtual_ns"], "domains": found}), flush=True)
            else:
                lines = table(found)
                back = f"\x1b[{drawn}A\x1b[J" if drawn and draws(sys.stdout) else ""
                print(back + "\n".join(lines), flush=True)
                drawn = len(lines)
            before, looks = after, looks + 1
    return 0
