# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis pause`, `continue`, `step TIME`, `break EVENT` and `tell LINE`: a running cluster steered.

Pausing stops the machine and its clock: nothing in it can tell, seeded or not. `step` goes on
for so much virtual time, `break` until the trace shows an event that was after the asking, and say
where the cluster stands: at the first look at the machine that shows it, some milliseconds behind,
since records come out of the nodes a hundred times a second. To the instruction is a fault's `after`.
"""

import argparse
import json
from typing import Any

from osmo import caller, door

WORDS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "pause": [],
    "continue": [],
    "step": [("time", {"help": "virtual time, such as 10ms"})],
    "break": [("event", {"help": f"one of {', '.join(door.EVENTS)}", "metavar": "EVENT"}),
              ("node", {"help": "of this node only", "nargs": "?"})],
    "tell": [("line", {"help": "a command of guest/control/README.md", "nargs": "+"})],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for word, settings in WORDS[parser.prog.split()[-1]]:
        parser.add_argument(word, **settings)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    caller.add_run_argument(parser)


def command(options: argparse.Namespace) -> int:
    with caller.call(options) as run:
        if options.command == "tell":
            answer = run.command(" ".join(options.line))
            print(json.dumps({k: v for k, v in answer.items() if k != "ok"}))
            return 0
        asked = {word: getattr(options, word) for word, _ in WORDS[options.command] if getattr(options, word)}
        answer = run.ask({"do": options.command, **asked})
    if options.json:
        print(json.dumps(answer))
        return 0
    if "event_ns" in answer:
        print(f"{options.event} on {answer['node']} at {exact(answer['event_ns'])}, process {answer['who']}, "
              f"a {answer['a']:#x}, b {answer['b']:#x}")
    print(f"{'goes on from' if options.command == 'continue' else 'stands at'} {exact(answer['virtual_ns'])}")
    return 0


def exact(ns: int) -> str:
    """Steps are short: to the microsecond."""
    return f"{ns / 1e9:,.6f} s"
