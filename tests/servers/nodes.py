# SPDX-License-Identifier: BSD-2-Clause
"""Hosted nodes for tests: one or several on an ether, and a shell to talk to."""

import os
import pathlib
import re
import select
import subprocess
import time
from collections.abc import Sequence

NODE = pathlib.Path(__file__).resolve().parents[2] / "build" / "demos-node"
PROMPT = "demos> "


class Shell:
    """The shell on a node's console."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.said = process, ""
        self.say(None)

    def say(self, line: str | None, seconds: float = 100) -> str:
        """What is printed until the next prompt, and whatever else came with it. None: types nothing."""
        assert self.process.stdin and self.process.stdout
        if line is not None:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        text, end = "", time.monotonic() + seconds
        while PROMPT not in text:  # a job may say something behind it
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            assert ready, f"no answer to {line!r}: {text!r}"
            got = os.read(self.process.stdout.fileno(), 65536)
            assert got, f"the node ended: {text!r}"
            text += got.decode()
        text = text.replace(PROMPT, "")
        self.said += text
        return text

    def until(self, line: str, pattern: str, seconds: float = 100) -> str:
        """Says it until the answer matches, the way a user looks again."""
        end = time.monotonic() + seconds
        while True:
            text = self.say(line)
            if re.search(pattern, text, re.MULTILINE | re.DOTALL):
                return text
            assert time.monotonic() < end, f"{line!r} never said {pattern!r}: {text!r}"
            time.sleep(0.05)


class Cluster:
    """Hosted nodes on one ether; all of them end with the block."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.nodes = folder, {}  # type: pathlib.Path, dict[int, subprocess.Popen[str]]

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        for number in list(self.nodes):
            self.kill(number)

    def start(self, number: int, *lines: str, options: Sequence[str] = ()) -> subprocess.Popen[str]:
        options = [*options, *(o for line in lines for o in ("--run", line))]
        self.nodes[number] = subprocess.Popen(
            [NODE, "--net", self.folder, "--id", str(number), *options], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return self.nodes[number]

    def kill(self, number: int) -> str:
        """What it said last; nobody on the ether is told that it is gone."""
        process = self.nodes.pop(number)
        process.kill()
        return process.communicate()[0]

    def shell(self, number: int, *lines: str) -> Shell:
        return Shell(self.start(number, *lines, "+kernel +memory shell"))
