# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis ps`: the nodes of a running cluster, and the processes that live on each."""

import argparse
import json
from typing import Any

from osmo import caller, units


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print all that is known as JSON")
    caller.add_run_argument(parser)


def lines(status: dict[str, Any]) -> list[str]:
    still = ", standing still" if status["paused"] else ""
    out = [f"{status['name']}: {units.short_time(status['virtual_ns'])} of "
           f"{units.show_time(status['for_ns'])}{still}, "
           f"{status['moves']} moves, {status['frames_lost']} frames lost"]
    out += [f"in force: {fault}" for fault in status["faults"]]
    head = ("node", "number", "machine", "state", "sent", "received", "processes")
    rows = [head] + [(n["name"], str(n["number"]), n["machine"], n["state"], f"{n['sent']:,}",
                      f"{n['received']:,}", " ".join(n["processes"])) for n in status["nodes"]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return out + ["  ".join(c.rjust(w) if i in (1, 4, 5) else c.ljust(w)
                            for i, (c, w) in enumerate(zip(row, widths))).rstrip() for row in rows]


def command(options: argparse.Namespace) -> int:
    with caller.call(options) as run:
        status = run.ask({"do": "status"})
    del status["ok"]
    print(json.dumps(status, indent=1) if options.json else "\n".join(lines(status)))
    return 0
