# SPDX-License-Identifier: BSD-2-Clause
"""What comes out of a machine, sorted by stream: consoles, trace, capture, results, log.

Consoles carry a domain's number; which node that was at the time is known from the start
events of the result stream, so a node that was restarted keeps one log.
"""

import dataclasses
import hashlib
import json
from typing import Any

from osmo import abi, units
from osmo.disks import Map
from osmo.memory import Frame


@dataclasses.dataclass
class Event:
    """A line of the result stream; `name` is empty where it concerns no domain."""

    ns: int
    event: str
    name: str
    fields: dict[str, Any]


@dataclasses.dataclass
class Ended:
    """How and when a domain ended."""

    reason: str
    ns: int


class Collector:
    def __init__(self) -> None:
        self.consoles: dict[str, bytearray] = {}
        self.stamps: dict[str, list[tuple[int, int]]] = {}  # where each piece begins, and when it came
        self.trace = bytearray()
        self.capture = bytearray()
        self.log = bytearray()
        self.disks = Map()
        self.events: list[Event] = []
        self.used: dict[str, list[dict[str, Any]]] = {}
        self.names: dict[int, str] = {0: "control"}
        self.ended: dict[str, Ended] = {}
        self.spans: list[tuple[int, int, str]] = []
        self._partial = b""
        self.odd: list[str] = []
        self.no_room = 0  # frames that the machine could not put anywhere

    def take(self, frame: Frame) -> None:
        """One frame, in the order of the ring."""
        if frame.stream >= abi.Stream.CONSOLE:
            name = self.names.get(frame.stream - abi.Stream.CONSOLE,
                                  f"domain{frame.stream - abi.Stream.CONSOLE}")
            said = self.consoles.setdefault(name, bytearray())
            self.stamps.setdefault(name, []).append((len(said), frame.ns))
            said.extend(frame.data)
        elif frame.stream == abi.Stream.TRACE:
            self.trace += frame.data
        elif frame.stream == abi.Stream.CAPTURE:
            self.capture += frame.data
        elif frame.stream == abi.Stream.RESULT:
            self._lines(frame.data)
        elif frame.stream == abi.Stream.DISK:
            self.disks.take(frame.data)
        elif frame.stream == abi.Stream.LOG:
            self.log += frame.data
        else:
            self.odd.append(f"a frame of unknown stream {frame.stream:#x}")

    def _lines(self, data: bytes) -> None:
        *whole, self._partial = (self._partial + data).split(b"\n")
        for line in whole:
            if line.strip():
                self._event(line)

    def _event(self, line: bytes) -> None:
        try:
            fields = json.loads(line)
            # An answer to a command of the plan is a line too, and names no event.
            event = Event(int(fields.get("ns", 0)), str(fields.get("event", "answer")),
                          str(fields.get("name", "")), fields)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.odd.append(f"a result line that is none: {line[:80]!r}")
            return
        if event.event == "used":  # what it cost is no part of what it did, nor of a run's digest
            self.used.setdefault(event.name, []).append(fields)
            return
        self.events.append(event)
        if event.event == "start" and isinstance(fields.get("domid"), int):
            self.names[fields["domid"]] = event.name
            self.spans.append((event.ns, fields["domid"], event.name))
            self.ended.pop(event.name, None)
        elif event.event == "exit":
            self.ended[event.name] = Ended(str(fields.get("reason", "?")), event.ns)
        elif event.event == "destroyed":
            self.ended.setdefault(event.name, Ended("destroyed", event.ns))

    def text(self, name: str) -> str:
        return bytes(self.consoles.get(name, b"")).decode("utf-8", "replace").replace("\r\n", "\n")

    def stamped(self, name: str) -> str:
        """The same, each line behind the virtual time at which it began, in seconds."""
        stamps, piece, at, lines = self.stamps.get(name, []), 0, 0, []
        for line in bytes(self.consoles.get(name, b"")).splitlines(keepends=True):
            while piece + 1 < len(stamps) and stamps[piece + 1][0] <= at:
                piece += 1
            seconds, rest = divmod(stamps[piece][1], 10**9)
            lines.append(f"[{seconds:5}.{rest:09}] {line.decode('utf-8', 'replace').rstrip()}\n")
            at += len(line)
        return "".join(lines)

    def last_line(self, name: str) -> str:
        """What a console said last; of a long one only the end is looked at."""
        tail = bytes(self.consoles.get(name, b"")[-400:]).decode("utf-8", "replace")
        return (tail.strip().splitlines() or [""])[-1]

    def errors(self) -> list[str]:
        """Lines of the plan that could not be carried out, and output that made no sense. A
        fault that comes too late for a node that has ended, or that began anew since, is none of them."""
        def where(e: Event) -> str:
            if "line" in e.fields:
                return f"plan line {e.fields['line']}: {e.fields.get('command')}"
            return f"node {e.name}"
        said = [f"{where(e)}: {e.fields.get('error')}"
                for e in self.events if e.event == "error" and not self._too_late(e)]
        if self.no_room:
            said.append(f"the machine had no room for {units.counted(self.no_room, 'piece')} of its output, which "
                        "nobody took in time: trace less, or run it on a less busy host")
        return said + self.odd

    def _too_late(self, error: Event) -> bool:
        gone = {e.name for e in self.events if e.event in ("exit", "destroyed") and e.ns <= error.ns}
        return any(error.fields.get("error") in (f"there is no domain named {name}", f"{name} is not running",
                                                 f"{name} is not paused") for name in gone)

    def digests(self) -> dict[str, str]:
        """Hashes by which two runs are compared."""
        console = hashlib.sha256()
        for name in sorted(self.consoles):
            console.update(name.encode() + b"\0" + bytes(self.consoles[name]) + b"\0")
        results = "\n".join(json.dumps(e.fields, sort_keys=True) for e in self.events)
        return {"trace": hashlib.sha256(self.trace).hexdigest(),
                "console": console.hexdigest(),
                "capture": hashlib.sha256(self.capture).hexdigest(),
                "results": hashlib.sha256(results.encode()).hexdigest()}
