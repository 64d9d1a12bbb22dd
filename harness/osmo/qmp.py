# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's monitor: one command at a time over a Unix socket, events skipped."""

import json
import pathlib
import socket
import time
from typing import Any

from osmo.errors import Problem


class Monitor:
    def __init__(self, path: pathlib.Path, seconds: float = 60.0) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self._connect(path, time.monotonic() + seconds)
        self.file = self.socket.makefile("rb")
        self._answer()
        self.command("qmp_capabilities")

    def _connect(self, path: pathlib.Path, deadline: float) -> None:
        while True:
            try:
                self.socket.connect(str(path))
                return
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise Problem("QEMU's monitor does not answer") from None
                time.sleep(0.002)

    def _answer(self) -> dict[str, Any]:
        try:
            line = self.file.readline()
        except TimeoutError:
            raise Problem("QEMU's monitor does not answer") from None
        except OSError:
            raise Problem("QEMU closed its monitor") from None
        if not line:
            raise Problem("QEMU closed its monitor")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def command(self, name: str, **arguments: Any) -> Any:
        """The command's return value; a Problem with QEMU's words if it refused."""
        message = {"execute": name, "arguments": arguments} if arguments else {"execute": name}
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            raise Problem("QEMU closed its monitor") from None
        while True:
            answer = self._answer()
            if "error" in answer:
                raise Problem(f"QEMU refused {name}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    def patience(self, seconds: float) -> None:
        """How long to wait for an answer from now on."""
        self.socket.settimeout(seconds)

    def human(self, line: str) -> str:
        """A line of the human monitor (savevm and loadvm have no other form in 7.2)."""
        answer = self.command("human-monitor-command", **{"command-line": line})
        return str(answer)

    def close(self) -> None:
        self.file.close()
        self.socket.close()
