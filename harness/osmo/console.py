# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis console NODE`: a node's console, both ways; end of input (Ctrl-D) or Ctrl-C leaves it.

What the console has said so far comes first. On a terminal keys go to the node as they are
typed, and what is shown is what the node echoes (guest/servers/shell/line.h); otherwise lines
go. A run in a seeded clock can only be read.
"""

import argparse
import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator

from osmo import arguments, caller
from osmo.errors import Problem
from osmo.words import quoted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", help="its name in the cluster file")
    parser.add_argument("--until", metavar="TEXT", help="leave when the console says this after the input")
    parser.add_argument("--seconds", type=arguments.seconds, metavar="N",
                        help="leave after so long; status 1 without --until's text")
    caller.add_run_argument(parser)


EDITS, PLAIN, LEAVES = b"\x1e", b"\x1f", b"\x04"


@contextlib.contextmanager
def keys() -> Iterator[bool]:
    """Keys one by one and unseen while it lasts, if there is a terminal: whether there is."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        yield False
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield True
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


class Terminal:
    """Both directions of one console."""

    def __init__(self, run: caller.Caller, options: argparse.Namespace, by_key: bool) -> None:
        self.run = run
        self.by_key = by_key
        self.node = options.node
        self.until = options.until
        self.ends = time.monotonic() + options.seconds if options.seconds else None
        self.open = True
        self.typed = b""
        self.said = ""

    def serve(self) -> bool:
        """True when what was waited for came, or nothing was."""
        while True:
            left = None if self.ends is None else self.ends - time.monotonic()
            if left is not None and left <= 0:
                return self.until is None
            sources = [self.run.socket, *([sys.stdin] if self.open else [])]
            ready = select.select(sources, [], [], left)[0]
            if self.run.socket in ready and not self._shown():
                return self.until is None
            if self.until and not self.open and self.until in self.said:
                return True
            if sys.stdin in ready:
                self._type()
            if not self.open and self.until is None and self.ends is None:
                return True

    def _shown(self) -> bool:
        while True:
            line = self.run.take()
            if line is None:
                print("\nosmosis: the run has ended", file=sys.stderr)
                return False
            self.show(line)
            if b"\n" not in self.run.pending:
                return True

    def show(self, line: dict[str, object]) -> None:
        if "output" in line:
            text = str(line["output"]).replace("\r\n", "\n")
            self.said += text
            sys.stdout.write(text)
            sys.stdout.flush()
        elif not line.get("ok"):
            raise Problem(str(line.get("error")))

    def _type(self) -> None:
        got = os.read(sys.stdin.fileno(), 4096)
        if self.by_key:
            typed, *leaves = got.split(LEAVES, 1)
            self.send(typed)
            self.open = not leaves
            return
        self.open = bool(got)
        self.typed += got if got else b"\n" if self.typed else b""
        while b"\n" in self.typed:
            line, self.typed = self.typed.split(b"\n", 1)
            self.said = ""
            self.send(line + b"\n")

    def input(self, text: bytes) -> str:
        return f"input {self.node} {quoted(text.decode('utf-8', 'replace'))}"

    def send(self, text: bytes) -> None:
        if text:
            self.run.send({"do": "command", "line": self.input(text)})


def command(options: argparse.Namespace) -> int:
    with caller.call(options) as run, keys() as by_key:
        terminal = Terminal(run, options, by_key)
        run.ask({"do": "console", "node": options.node})
        if by_key:
            with contextlib.suppress(Problem):  # then it can only be read
                run.command(terminal.input(EDITS))
        for line in run.seen:
            terminal.show(line)
        try:
            return 0 if terminal.serve() else 1
        finally:
            if by_key:
                with contextlib.suppress(Problem):
                    terminal.send(PLAIN)
