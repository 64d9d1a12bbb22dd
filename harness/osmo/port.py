# SPDX-License-Identifier: BSD-2-Clause
"""The control domain's command port (its second serial line), by tagged lines.

guest/control/README.md has the language. Answers are matched by their tags; events that come
in between are in the result stream too, and are passed over here.
"""

import contextlib
import json
import pathlib
import socket
from collections.abc import Callable
from typing import Any

from osmo.errors import Problem

Say = Callable[[dict[str, Any]], None]


class Port:
    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.socket: socket.socket | None = None
        self.pending = b""
        self.out = b""
        self.count = 0
        self.waiting: dict[str, Say] = {}

    def connected(self) -> socket.socket:
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(str(self.path))
            except OSError as error:
                raise Problem(f"the command port does not answer: {error.strerror}") from None
            self.socket.setblocking(False)
        return self.socket

    def ask(self, line: str, say: Say) -> None:
        """Sends a command; `say` gets its answer when it comes."""
        if "\n" in line or "\r" in line:
            raise Problem("a command is one line")
        self.connected()
        self.count += 1
        tag = f"t{self.count}"
        self.waiting[tag] = say
        self.out += f"@{tag} {line}\n".encode()
        self.look()

    def look(self) -> None:
        """Sends what waits, takes what came; never waits itself."""
        if self.socket is None:
            return
        with contextlib.suppress(BlockingIOError):
            while self.out:
                self.out = self.out[self.socket.send(self.out):]
        with contextlib.suppress(BlockingIOError):
            while got := self.socket.recv(65536):
                self.pending += got
        while b"\n" in self.pending:
            line, self.pending = self.pending.split(b"\n", 1)
            self._answer(line)

    def _answer(self, line: bytes) -> None:
        try:
            given = json.loads(line)
        except ValueError:
            return
        say = self.waiting.pop(str(given.pop("tag", "")), None) if isinstance(given, dict) else None
        if say:
            say(given)

    def close(self) -> None:
        if self.socket:
            self.socket.close()
            self.socket = None
