# SPDX-License-Identifier: BSD-2-Clause
"""The shadow ledger: every guaranteed message from its send to its receipt, from the trace alone.

A message is known by sender (machine, serial), the life of the sender's machine, and the
sender's sequence. What may excuse a loss: the target ended or never was (a DROP record), or
its node or the sender's node stopped for good or started anew, or the run ended before the
message's time was up.
"""

import bisect
import dataclasses

from osmo.abi import Record
from osmo.history import History, Step
from osmo.types import Kernel

Process = tuple[int, int]
LOW = 0xFFFFFFFF


@dataclasses.dataclass
class Message:
    sender: Process
    target: Process
    life: int
    sequence: int
    sent_ns: int
    delivered_ns: int | None = None
    received: int = 0
    received_ns: int | None = None
    from_node: str = ""
    to_node: str = ""
    forwards: int = 0
    dropped: bool = False

    @property
    def to_kernel(self) -> bool:
        """A node's kernel takes what is for itself at once, and no record says so."""
        return self.target[1] == 0


def made(create: Record) -> Process:
    """Whom a create record is about; in other records of that node it is known by `who`."""
    return create.b >> 32, create.a & LOW


def split(word: int) -> Process:
    return word >> 32, word & LOW


class Ledger:
    """Built in two passes: all sends, then what became of them (ties in time harm nothing)."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.messages: dict[tuple[Process, int, int], Message] = {}
        self.latest: dict[tuple[Process, int], list[Message]] = {}
        self.forged: list[Step] = []
        self.order: list[tuple[Step, int]] = []
        self.duplicates: list[tuple[Step, Message]] = []
        self.copies: list[Step] = []
        self.ended: dict[Process, int] = {}
        self.deliveries = 0
        self.receipts = 0
        self.acts = 0
        self._homes: dict[tuple[str, int, int], Process] = {}
        self._owners: dict[Process, list[tuple[str, int]]] = {}
        self._last: dict[tuple[str, int, Process, Process, int], int] = {}
        self._targets: dict[tuple[int, int], list[Message]] = {}
        self._starts: dict[int, list[int]] = {}
        for life in history.lives:
            self._starts.setdefault(life.number, []).append(life.start_ns)
        self._names()
        for step in history.steps:
            if step.record.type == Kernel.SEND and step.record.b:
                self._send(step)
        table = {Kernel.DELIVER: self._deliver, Kernel.RECEIVE: self._receive, Kernel.DROP: self._drop,
                 Kernel.CREATE: self._create, Kernel.END: self._end, Kernel.SEND: self._act,
                 Kernel.FORWARD: self._forward}
        for step in history.steps:
            handler = table.get(step.record.type)  # type: ignore[call-overload]
            if handler:
                handler(step)

    def _names(self) -> None:
        """Which process a serial means on each node, from the create records."""
        for step in self.history.steps:
            if step.record.type == Kernel.CREATE:
                self._homes[(step.node, step.life, step.record.who)] = made(step.record)

    def process(self, step: Step) -> Process:
        """Who made this record."""
        known = self._homes.get((step.node, step.life, step.record.who))
        return known or (self.history.numbers.get(step.node, 0), step.record.who)

    def _life(self, machine: int, step: Step) -> int:
        """How often that machine had started by then."""
        return max(0, bisect.bisect_right(self._starts.get(machine, []), step.record.ns) - 1)

    def _send(self, step: Step) -> None:
        sender = self.process(step)
        message = Message(sender, split(step.record.a), self._life(sender[0], step), step.record.b,
                          step.record.ns, from_node=step.node)
        self.messages[(sender, message.life, message.sequence)] = message
        self.latest.setdefault((sender, message.sequence), []).append(message)
        self._targets.setdefault((message.target[1], message.sequence), []).append(message)

    def find(self, step: Step) -> Message | None:
        """The send that a deliver, receive or drop record speaks of: the newest before it."""
        candidates = self.latest.get((split(step.record.a), step.record.b), [])
        before = [m for m in candidates if m.sent_ns <= step.record.ns]
        return before[-1] if before else None

    def _deliver(self, step: Step) -> None:
        if not step.record.b:
            return
        self.deliveries += 1
        message = self.find(step)
        if message is None:
            self.forged.append(step)
            return
        receiver = self.process(step)
        if message.delivered_ns is None:
            message.delivered_ns = step.record.ns
        message.to_node = step.node
        # A machine that started anew numbers its messages from 1 again.
        key = (step.node, step.life, message.sender, receiver, message.life)
        last = self._last.get(key, 0)
        if step.record.b < last:
            self.order.append((step, last))
        self._last[key] = max(last, step.record.b)

    def _receive(self, step: Step) -> None:
        self._act(step)
        if not step.record.b:
            return
        self.receipts += 1
        message = self.find(step)
        if message is None:
            self.forged.append(step)
            return
        message.received += 1
        message.received_ns = step.record.ns
        message.to_node = step.node
        if message.received > 1:
            self.duplicates.append((step, message))

    def _drop(self, step: Step) -> None:
        message = self.find(step) if step.record.b else None
        if message:
            message.dropped = True

    def _forward(self, step: Step) -> None:
        """The record names target and sequence only: the first such message still on its way."""
        for message in self._targets.get((step.record.who, step.record.b), []):
            if message.delivered_ns is None and message.sent_ns <= step.record.ns:
                message.forwards += 1
                return

    def _create(self, step: Step) -> None:
        """A new process, or one that moved here: what it was sent is delivered here afresh."""
        process = self.process(step)
        self._owners.setdefault(process, []).append((step.node, step.life))
        for key in [k for k in self._last if k[:2] == (step.node, step.life) and k[3] == process]:
            del self._last[key]

    def _end(self, step: Step) -> None:
        process = self.process(step)
        owners = self._owners.get(process, [])
        if (step.node, step.life) in owners:
            owners.remove((step.node, step.life))
        if not owners:
            self.ended[process] = step.record.ns

    def _act(self, step: Step) -> None:
        """A process that does something does it where it was created or moved last."""
        self.acts += 1
        owners = self._owners.get(self.process(step))
        if owners and owners[-1] != (step.node, step.life):
            self.copies.append(step)
