# SPDX-License-Identifier: BSD-2-Clause
"""A machine with the control domain and a plan: runs it to its end, or talks to its command
port. Results come from the machine's console, where `echo=1` puts them.
"""

import dataclasses
import json
import pathlib
import re
import socket
import time
from typing import Any

from osmo.qemu import Qemu, Setup

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
HYPERVISOR = TOP / "build" / "hyp" / "osmosis"
IMAGES = TOP / "build" / "images"
END = re.compile(r"^(?:finished with status (\d+): (.*)|stopped)\n", re.M)  # all of it: we read while it writes


@dataclasses.dataclass
class Run:
    """What a machine said."""

    serial: str

    @property
    def results(self) -> list[dict[str, object]]:
        lines = (line for line in self.serial.split("\n") if line.startswith("{"))
        return [json.loads(line) for line in lines]

    def events(self, kind: str) -> list[dict[str, object]]:
        return [r for r in self.results if r.get("event") == kind]

    @property
    def status(self) -> int:
        found = END.search(self.serial)
        assert found and found.group(1), self.serial[-3000:]
        return int(found.group(1))


def machine_setup(directory: pathlib.Path, plan: str | None, images: list[str],
                  built: pathlib.Path | None = None, **changes: object) -> Setup:
    """Control domain, images, and the plan if there is one; by `built`, from another place than usual."""
    home = built or IMAGES.parent
    modules = [(home / "images" / "control", "echo=1"), *((home / "images" / name, "") for name in images)]
    if plan is not None:
        (directory / "plan").write_text(plan)
        modules.append((directory / "plan", ""))
    options: dict[str, object] = {"clock": "real", "machine": "microvm", "memory_mib": 256,
                                  **changes}
    if options["clock"] != "count":
        options.setdefault("append", f"clock={options['clock']}")
    else:
        options.setdefault("append", "clock=count")
    return Setup(kernel=home / "hyp" / "osmosis", modules=modules, **options)  # type: ignore[arg-type]


def run(directory: pathlib.Path, plan: str, images: list[str], seconds: float = 400,
        built: pathlib.Path | None = None, **changes: object) -> Run:
    """Runs the plan to the machine's end."""
    with Qemu(machine_setup(directory, plan, images, built, **changes)) as machine:
        begun = time.monotonic()
        while time.monotonic() < begun + seconds and machine.alive():
            said = machine.serial().replace("\r", "")
            if END.search(said):
                return Run(said)
            time.sleep(max(0.05, (time.monotonic() - begun) / 100))
        return Run(machine.serial().replace("\r", ""))


class Port:
    """The command port of a running machine."""

    def __init__(self, path: pathlib.Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(100)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rwb", buffering=0)
        self.events: list[dict[str, object]] = []

    def line(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.file.readline())
        return answer

    def ask(self, command: str) -> dict[str, Any]:
        """The answer; events that come before it are kept."""
        self.file.write(command.encode() + b"\n")
        while True:
            answer = self.line()
            if "ok" in answer:
                return answer
            self.events.append(answer)

    def close(self) -> None:
        self.file.close()
        self.socket.close()
