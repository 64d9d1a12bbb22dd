# SPDX-License-Identifier: BSD-2-Clause
"""The command's table of subcommands, and how errors and signals leave it.

A subcommand is a module with `add_arguments(parser)` and `command(options) -> status`; its
docstring is its help. Exit status: 0 when everything asked for held, 1 when something did
not, 2 for a mistake in the command or its files, 130 after Ctrl-C.
"""

import argparse
import importlib
import os
import signal
import sys
import types

from osmo.errors import Problem

COMMANDS = {
    "doctor": "what this machine has and lacks, and what to install",
    "run": "start a cluster, watch it, and say what held",
    "console": "a node's console in a running cluster, both ways",
    "ps": "nodes and processes of a running cluster, and who waits for whom",
    "top": "processor, exits and memory of each domain of a running cluster",
    "fault": "a fault in a running cluster, now",
    "pause": "a running cluster stands still, its clock with it",
    "continue": "it goes on",
    "step": "it goes on for so much virtual time",
    "break": "it goes on until its trace shows an event",
    "tell": "one command for the control domain of a running cluster",
    "core": "a core file of a node, or of a process on it, that gdb opens",
    "gdb": "gdb on a node, or on a process, of a cluster that stands still",
    "snapshot": "a node's state into a file; it goes on, or ends with it",
    "restore": "a node put back to what a file says",
    "put": "a file into a node's file system, or onto a disk image",
    "get": "a file out of one",
    "experiment": "run a cluster with many seeds; save and shrink what fails",
    "replay": "run again from a result directory; `identical` or the first difference",
    "report": "draw the HTML report of a run or campaign again",
    "export": "write a run as Chrome trace, ShiViz log or CSV",
    "bench": "the performance rows: instructions and world switches, goal and peer",
    "compare": "one node and program on osmosis, Xen, native and hosted: table, plot, JSON",
    "table1": "the 1987 paper's Table 1 in the emulated time of the 1983 node: model, ratio, JSON",
    "many": "what one more node costs: memory, creation, a message, against their number",
    "utilisation": "how busy the 1983 node's user processor is while it pages: table, plot, JSON",
    "path": "where the instructions of one performance row go, by function",
    "new": "a folder with a program of your own and a cluster that runs it",
    "cc": "build a program of your own, anywhere",
    "check": "take cluster files in and say what is wrong with them",
    "xl": "a cluster's nodes as files for `xl create`, to be taken to a host that runs Xen",
    "xen": "run PVH images on real Xen, under the same QEMU",
}

# Commands that share a module; the others have one of their name.
MODULES = {**{name: "steer" for name in ("pause", "continue", "step", "break", "tell")},
           **{name: "carry" for name in ("put", "get")}, "restore": "snapshot", "core": "debug", "gdb": "debug"}


def module_of(name: str) -> types.ModuleType:
    return importlib.import_module(f"osmo.{MODULES.get(name, name.replace('-', '_'))}")


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """All subcommands by name and help; only the chosen one's module is loaded."""
    parser = argparse.ArgumentParser(
        prog="osmosis", description="A cluster of DEMOS nodes on one box: run it, break it, replay it.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, words in COMMANDS.items():
        sub = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        if name == only:
            module_of(name).add_arguments(sub)
    return parser


def _terminated(*_: object) -> None:
    raise KeyboardInterrupt


def unraisable(lost: "sys.UnraisableHookArgs") -> None:
    """What ends us and came where nothing can be raised, as in a finalizer, comes again."""
    if isinstance(lost.exc_value, (KeyboardInterrupt, SystemExit)):
        signal.setitimer(signal.ITIMER_REAL, 0.01)
    else:
        sys.__unraisablehook__(lost)


def heed_signals() -> None:
    """Whatever ends this process ends what it started, too."""
    sys.unraisablehook = unraisable
    signal.signal(signal.SIGALRM, _terminated)
    signal.signal(signal.SIGTERM, _terminated)


def have_streams() -> None:
    """Who was started with outputs closed writes to nobody, instead of into what is opened next."""
    sys.stdout = sys.stdout or open(os.devnull, "w")
    sys.stderr = sys.stderr or open(os.devnull, "w")


def main(arguments: list[str]) -> int:
    """Runs a command; its exit status. An interrupt is the caller's to report. Who reads what is printed may
    leave before the end."""
    status = 0
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"osmosis: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
        return 2
    return status


def _run(arguments: list[str]) -> int:
    chosen = next((a for a in arguments if a in COMMANDS), None)
    parser = build_parser(chosen)
    try:
        options, rest = parser.parse_known_args(arguments)
    except SystemExit as end:  # help was printed, or what is wrong
        return int(end.code or 0)
    # Only the compiler has options that are not ours.
    if rest and chosen != "cc":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        return int(module_of(options.command).command(options))
    except Problem as problem:
        print(f"osmosis: {problem}", file=sys.stderr)
        return 2
