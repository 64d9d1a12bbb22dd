# SPDX-License-Identifier: BSD-2-Clause
"""The other side of a run's door: finding running clusters and talking to one."""

import argparse
import contextlib
import json
import pathlib
import select
import socket
import sys
from typing import Any

from osmo import door
from osmo.errors import Problem


class Caller:
    """One connection. What is watched comes in between answers; `ask` hands it to `seen`."""

    def __init__(self, path: pathlib.Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.pending = b""
        self.seen: list[dict[str, Any]] = []
        self.hello = self.ask({"do": "hello"})
        if self.hello.get("osmosis") != door.FORMAT:
            raise Problem("that run is of another version of osmosis")

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, request: dict[str, Any]) -> None:
        try:
            self.socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            raise Problem("the run has ended") from None

    def take(self) -> dict[str, Any] | None:
        """The next line that came; waits for one; None when the run has ended."""
        while b"\n" not in self.pending:
            try:
                got = self.socket.recv(65536)
            except ConnectionError:
                got = b""
            if not got:
                return None
            self.pending += got
        line, self.pending = self.pending.split(b"\n", 1)
        taken: dict[str, Any] = json.loads(line)
        return taken

    def ready(self, seconds: float) -> bool:
        """Whether `take` will not wait, after at most so long."""
        return b"\n" in self.pending or bool(select.select([self.socket], [], [], seconds)[0])

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer; a Problem if it is no."""
        self.send(request)
        while True:
            line = self.take()
            if line is None:
                raise Problem("the run has ended")
            if "ok" not in line:
                self.seen.append(line)
            elif line["ok"]:
                return line
            else:
                raise Problem(str(line.get("error")))

    def command(self, line: str) -> dict[str, Any]:
        """A line of the control domain's language, carried out."""
        return self.ask({"do": "command", "line": line})


def runs() -> list[pathlib.Path]:
    """Doors that somebody stands behind, the newest last; those of the dead are swept."""
    found = []
    for path in door.folder().iterdir():
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
            found.append(path)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
    return sorted(found, key=lambda p: p.stat().st_mtime)


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=int, metavar="PID",
                        help="which run, when several go on (default: the newest)")


def call(options: argparse.Namespace) -> Caller:
    """The run that is meant."""
    doors = runs()
    if options.run is not None:
        doors = [path for path in doors if path.name == str(options.run)]
    if not doors:
        raise Problem("no cluster runs here" if options.run is None else f"run {options.run} is not here",
                      "start one in another terminal: osmosis run FILE.toml")
    if len(doors) > 1:
        print(f"osmosis: {len(doors)} clusters run; this is about {doors[-1].name}", file=sys.stderr)
    return Caller(doors[-1])
