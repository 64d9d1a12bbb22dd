# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis put FILE WHERE:PATH` and `osmosis get WHERE:PATH [FILE]`: files, in and out.

WHERE is a node of the running cluster that has a shell on its console, or a disk image with a
DEMOS file system. Over a console, bytes go as hexadecimal digits with a CRC, as the shell's
commands `take` and `give` have it; a file that does not come whole is not there at all.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator

from osmo import caller, paths, snapshot
from osmo.errors import Problem
from osmo.memory import Ram
from osmo.words import quoted

PATIENCE = 30.0  # seconds without a word
TYPED = "typed"  # the control domain's name for what is typed at once
ROOM = 32768  # digits at once, and of 64 KiB in all half when more go there
CANCEL = "\x18"  # no digit, and no key of the shell's
MOST = 1 << 30  # bytes of a file there
PROMPT = "demos> "
HEX = re.compile(r"(?:[0-9a-f]{2})+")
SAID = re.compile(r"(taken|given) ([0-9a-f]{8})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    where = "a node with a shell, or a disk image; and the path there"
    if parser.prog.split()[-1] == "put":
        parser.add_argument("file", type=pathlib.Path, help="a file here")
        parser.add_argument("where", metavar="WHERE:PATH", help=where)
    else:
        parser.add_argument("where", metavar="WHERE:PATH", help=where)
        parser.add_argument("file", type=pathlib.Path, nargs="?", help="a file here (default: standard output)")
    caller.add_run_argument(parser)


class Shell:
    """The shell on a node's console, asked from outside."""

    def __init__(self, run: caller.Caller, node: str) -> None:
        self.run = run
        self.node = node
        run.ask({"do": "console", "node": node})
        # What the console has said so far is nothing to us, and comes before this answer.
        # Whoever was here last may have left in the middle of a file.
        run.command(self.input(CANCEL + "\n"))
        run.seen.clear()
        self.text = ""
        self.pending: list[str] = []  # whole lines that nobody has looked at

    def input(self, text: str) -> str:
        return f"input {self.node} {quoted(text)}"

    def type(self, text: str) -> None:
        self.run.command(self.input(text))

    def lines(self) -> Iterator[str]:
        """What it says from now on."""
        heard = time.monotonic()
        while True:
            self.pending += self._taken(0.2)
            while self.pending:
                heard = time.monotonic()
                yield self.pending.pop(0)
            if time.monotonic() - heard > PATIENCE:
                raise Problem(f"nobody answers on the console of {self.node}",
                              "give the node a shell, as harness/clusters/shell.toml does")

    def _taken(self, seconds: float) -> list[str]:
        if not self.run.seen and self.run.ready(seconds):
            line = self.run.take()
            if line is None:
                raise Problem("the run has ended")
            self.run.seen.append(line)
        self.text += "".join(str(s["output"]) for s in self.run.seen if s.get("node") == self.node)
        self.run.seen.clear()
        *whole, self.text = self.text.replace("\r\n", "\n").split("\n")
        return [line.replace(PROMPT, "") for line in whole]

    def begin(self, command: str, path: str, words: str, answer: str) -> None:
        """A command that says `answer` when it has opened its file, or what is wrong."""
        self.type(f"{command} {path}{words}\n")
        for line in self.lines():
            if line == answer:
                return
            if line.startswith((f"{path}:", f"{command}:", f"{command} ")):
                raise Problem(f"{self.node} says: {line}")

    def put(self, data: bytes, path: str) -> None:
        self.begin("take", path, f" {len(data)} {zlib.crc32(data):08x}", "taking")
        try:
            self.run.command(f"image {TYPED} bytes={ROOM}")
            frames = snapshot.frames(self.run, TYPED, ROOM // snapshot.PAGE)
            with snapshot.memory(self.run) as ram:
                for at in range(0, len(data), ROOM // 2):
                    self._type_all(data[at:at + ROOM // 2].hex().encode(), ram, frames)
            self._checked(data, self.lines())
        except BaseException:  # Ctrl-C, too
            self.run.send({"do": "command", "line": self.input(CANCEL + "\n")})
            raise

    def _type_all(self, digits: bytes, ram: Ram, frames: list[int]) -> None:
        """Through the machine's memory, and until there is room for as much again, unless the shell says that
        it cannot."""
        for number, frame in enumerate(frames):
            ram.write(frame * snapshot.PAGE, digits[number * snapshot.PAGE:(number + 1) * snapshot.PAGE])
        left = self.run.command(f"type {self.node} {TYPED} bytes={len(digits)}")["waiting"]
        moved = time.monotonic()
        while True:
            self.pending += self._taken(0)
            for line in self.pending:
                self._refused(line)
            if left <= ROOM:
                return
            before, left = left, self.run.command(self.input(""))["waiting"]
            moved = time.monotonic() if left < before else moved
            if time.monotonic() - moved > PATIENCE:
                raise Problem(f"nobody reads on the console of {self.node}",
                              "see what it waits for: osmosis ps --waits")

    def get(self, path: str) -> bytes:
        self.begin("give", path, "", "giving")
        data = b""
        for line in self.lines():
            if HEX.fullmatch(line):
                data += bytes.fromhex(line)
            elif SAID.fullmatch(line) or line.startswith("give:"):
                self._checked(data, iter([line]))
                break
        return data

    def _checked(self, data: bytes, lines: Iterator[str]) -> None:
        for line in lines:
            said = SAID.fullmatch(line)
            if said and int(said.group(2), 16) != zlib.crc32(data):
                raise Problem("the bytes did not come over whole: something else spoke on that console",
                              "try again")
            if said:
                return
            self._refused(line)

    def _refused(self, line: str) -> None:
        if line.startswith(("take:", "give:")):
            raise Problem(f"{self.node} says: {line}")
        if line == "not taken":
            raise Problem("the bytes did not come over whole: something else spoke on that console",
                          "try again")


def parted(where: str, default: str = "") -> tuple[str, str]:
    place, _, path = where.rpartition(":")
    if not place and default:
        place, path = where, default
    path = path or default
    if not place or not path or len(path.split()) != 1 or path != path.strip():
        raise Problem(f"`{where}` is no place", "say NODE:PATH, or IMAGE:PATH; a path has no blanks")
    return place, path


def on_disk(*words: object) -> bytes:
    tool = paths.need(paths.build() / "demos-fs")
    done = subprocess.run([tool, *map(str, words)], capture_output=True, check=False)
    if done.returncode:
        raise Problem(done.stderr.decode(errors="replace").strip() or "demos-fs failed")
    return done.stdout


def put(options: argparse.Namespace) -> int:
    place, path = parted(options.where, options.file.name)
    try:
        data = options.file.read_bytes()
    except OSError as error:
        raise Problem(f"{options.file}: {error.strerror}") from None
    if len(data) > MOST:
        raise Problem(f"{options.file} has {len(data)} bytes", f"a file there has at most {MOST}")
    if pathlib.Path(place).is_file():
        on_disk("put", place, options.file, path)
        return 0
    with caller.call(options) as run:
        Shell(run, place).put(data, path)
    return 0


def get(options: argparse.Namespace) -> int:
    place, path = parted(options.where)
    if pathlib.Path(place).is_file():
        data = on_disk("get", place, path)
    else:
        with caller.call(options) as run:
            data = Shell(run, place).get(path)
    if options.file:
        try:
            options.file.write_bytes(data)
        except OSError as error:
            raise Problem(f"{options.file}: {error.strerror}") from None
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    return 0


def command(options: argparse.Namespace) -> int:
    return put(options) if options.command == "put" else get(options)
