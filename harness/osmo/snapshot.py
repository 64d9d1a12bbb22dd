# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis snapshot NODE [FILE]` and `osmosis restore NODE [FILE]`: a node's state as a file.

The control domain makes the snapshot and says what is wrong with one (guest/control/snapshot.h); here its
pages are carried between the machine's memory and a file. What a node was made of outlives it, and its run; who
was put back to it is a new boot to its peers, unless nothing has come of it yet.
"""

import argparse
import contextlib
import pathlib
import time
from collections.abc import Iterator

from osmo import caller
from osmo.errors import Problem
from osmo.memory import Ram

PAGE = 4096
WAIT = 30.0  # seconds for a node to suspend itself
EVERY = 0.05
OUT, IN = "file-out", "file-in"  # the control domain's names for what is carried


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", help="its name in the cluster file")
    parser.add_argument("file", nargs="?", type=pathlib.Path, help="(default: NODE.snapshot)")
    if parser.prog.split()[-1] == "snapshot":
        parser.add_argument("--end", action="store_true", help="the node ends with it; else it goes on")
    caller.add_run_argument(parser)


@contextlib.contextmanager
def memory(run: caller.Caller) -> Iterator[Ram]:
    there = run.ask({"do": "memory"})
    ram = Ram(pathlib.Path(there["ram"]), there["machine"])
    try:
        yield ram
    finally:
        ram.close()


def frames(run: caller.Caller, key: str, count: int) -> list[int]:
    """Where its pages lie in the machine."""
    out: list[int] = []
    while len(out) < count:
        more = [int(f["frame"]) for f in run.command(f"image {key} first={len(out)}")["frames"]]
        if not more:
            raise Problem(f"the control domain shows {len(out)} of {count} pages")
        out += more
    return out


def life(run: caller.Caller) -> tuple[int, int]:
    """Of the last snapshot that was to be carried out: which it is, and its bytes; zeros: there is none."""
    try:
        said = run.command(f"image {OUT}")
    except Problem:
        return 0, 0
    return int(said["life"]), int(said["bytes"])


def take(run: caller.Caller, node: str, end: bool) -> bytes:
    before, _ = life(run)
    run.command(f"snapshot {node} as={OUT} then={'destroy' if end else 'resume'}")
    deadline = time.monotonic() + WAIT
    while (now := life(run))[0] == before:
        if time.monotonic() > deadline:
            raise Problem(f"{node} has not suspended itself in {WAIT:.0f} s", "its console may say why")
        time.sleep(EVERY)
    with memory(run) as ram:
        return b"".join(ram.read(at * PAGE, PAGE) for at in frames(run, OUT, now[1] // PAGE))


def give(run: caller.Caller, node: str, data: bytes) -> None:
    if not data:
        raise Problem("the file is empty: that is no snapshot")
    run.command(f"image {IN} bytes={len(data)}")
    with memory(run) as ram:
        for number, at in enumerate(frames(run, IN, len(data) // PAGE)):
            ram.write(at * PAGE, data[number * PAGE:(number + 1) * PAGE])
    run.command(f"restore {node} from={IN}")


def command(options: argparse.Namespace) -> int:
    path = options.file or pathlib.Path(f"{options.node}.snapshot")
    with caller.call(options) as run:
        if options.command == "restore":
            try:
                data = path.read_bytes()
            except OSError as error:
                raise Problem(f"{path}: {error.strerror}") from None
            give(run, options.node, data)
            return 0
        data = take(run, options.node, options.end)
    path.write_bytes(data)
    print(f"{path}: {len(data) >> 10} KiB")
    return 0
