# SPDX-License-Identifier: BSD-2-Clause
"""A machine's RAM file as the hypervisor would leave it, made by hand."""

import pathlib
import struct

from osmo import abi

MAILBOX = 0x7000
RING = 0x100000
PLAN = 0x80000
STATE_END = 16  # in the mailbox, behind the state


class FakeRam:
    """Writes mailbox and output ring the way the machine does, wrap and all."""

    def __init__(self, path: pathlib.Path, capacity: int = 4096, size: int = 4 << 20) -> None:
        self.path = path
        self.data = bytearray(size)
        self.capacity = capacity
        self.produced = 0
        self.data[RING:RING + 64] = abi.RING.pack(
            abi.RING_MAGIC, abi.VERSION, capacity, 0, 0, 0, 0, 0, 0)
        self.mailbox(abi.State.READY)
        self.flush()

    # A reader looks while this is written: what tells of it goes last, as the machine does it.
    def put(self, at: int, data: bytes) -> None:
        self.data[at:at + len(data)] = data
        if self.path.exists():
            with open(self.path, "r+b", buffering=0) as f:
                f.seek(at)
                f.write(data)

    def mailbox(self, state: int, status: int = 0, reason: str = "", now_ns: int = 0) -> None:
        box = abi.MAILBOX.pack(
            abi.MAILBOX_MAGIC, abi.VERSION, state, abi.Clock.COUNT, status, 0, PLAN, 65536, 0,
            RING, self.capacity + 64, now_ns, reason.encode())
        self.put(MAILBOX + STATE_END, box[STATE_END:])
        self.put(MAILBOX, box[:STATE_END])

    def emit(self, stream: int, data: bytes, ns: int = 0) -> None:
        frame = abi.FRAME.pack(stream, len(data), ns) + data + bytes(-len(data) % 8)
        while frame:
            at = self.produced % self.capacity
            part, frame = frame[:self.capacity - at], frame[self.capacity - at:]
            self.put(RING + 64 + at, part)
            self.produced += len(part)
        self.put(RING + 16, struct.pack("<Q", self.produced))

    def lose(self, frames: int) -> None:
        self.put(RING + 32, struct.pack("<Q", frames))

    def flush(self) -> None:
        if self.path.exists():
            with open(self.path, "r+b") as f:
                f.write(self.data)
        else:
            self.path.write_bytes(self.data)
