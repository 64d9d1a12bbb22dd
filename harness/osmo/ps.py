# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis ps`: the nodes of a running cluster, and the processes that live on each; with `--waits` what each
process of an x86 node waits for, and whom."""

import argparse
import dataclasses
import json
from typing import Any

from osmo import caller, units, waits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print all that is known as JSON")
    parser.add_argument("--waits", action="store_true",
                        help="and who waits for whom; the cluster stands still while it is looked at")
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
        found = waits.everyone(run) if options.waits else []
    del status["ok"]
    if options.json:
        more = {"waits": [dataclasses.asdict(w) for w in found]} if options.waits else {}
        print(json.dumps({**status, **more}, indent=1))
    else:
        print("\n".join([*lines(status), *waits.lines(found, {n["number"]: n["name"] for n in status["nodes"]})]))
    return 0
