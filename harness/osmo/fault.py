# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis fault loss 0.2 --medium net --for 2s`: a fault in a running cluster, now.

The words are those of cluster files (harness/README.md); `--for` lifts it after so much
virtual time.
"""

import argparse
import json

from osmo import caller, faults, units
from osmo.errors import Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("do", nargs="+", metavar="WORD", help="what befalls it, as in a cluster file")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--medium", help="which medium")
    where.add_argument("--node", help="which node")
    where.add_argument("--disk", help="which disk, such as a-0")
    parser.add_argument("--for", dest="length", metavar="TIME", help="virtual time, such as 2s")
    parser.add_argument("--json", action="store_true", help="print the commands and answers")
    caller.add_run_argument(parser)


def command(options: argparse.Namespace) -> int:
    given = {"medium": options.medium, "node": options.node, "disk": options.disk}
    target, name = next(((target, name) for target, name in given.items() if name), ("store", ""))
    target = "control" if name == faults.CONTROL else target
    try:
        kind, words = faults.parse(" ".join(options.do), target)
        length = units.time_ns(options.length) if options.length else None
        if words[0] == faults.STROBE:
            raise ValueError("`strobe` is for cluster files; take `skew`")
    except ValueError as wrong:
        raise Problem(str(wrong), "see the table in harness/README.md") from None
    with caller.call(options) as run:
        commands = kind.begin(name, words)
        answers = [run.command(line) for line in commands]
        if length is not None:
            end = units.show_time(run.ask({"do": "status"})["virtual_ns"] + length)
            lift = [f"at {end} {line}" for line in kind.end(name, words)]
            answers += [run.command(line) for line in lift]
            commands += lift
    if options.json:
        print(json.dumps({"commands": commands, "answers": answers}, indent=1))
    else:
        print("\n".join(commands))
    return 0
