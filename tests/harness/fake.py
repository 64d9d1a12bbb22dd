# SPDX-License-Identifier: BSD-2-Clause
"""A machine's RAM file as the hypervisor would leave it, made by hand."""

import pathlib
import struct

from osmo import abi

MAILBOX = 0x7000
RING = 0x100000
PLAN = 0x80000


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

    def mailbox(self, state: int, status: int = 0, reason: str = "", now_ns: int = 0) -> None:
        self.data[MAILBOX:MAILBOX + abi.MAILBOX.size] = abi.MAILBOX.pack(
            abi.MAILBOX_MAGIC, abi.VERSION, state, abi.Clock.COUNT, status, 0, PLAN, 65536, 0,
            RING, self.capacity + 64, now_ns, reason.encode())
        self.flush()

    def emit(self, stream: int, data: bytes, ns: int = 0) -> None:
        frame = abi.FRAME.pack(stream, len(data), ns) + data + bytes(-len(data) % 8)
        for byte in frame:
            self.data[RING + 64 + self.produced % self.capacity] = byte
            self.produced += 1
        self.data[RING + 16:RING + 24] = struct.pack("<Q", self.produced)
        self.flush()

    def lose(self, frames: int) -> None:
        self.data[RING + 32:RING + 40] = struct.pack("<Q", frames)
        self.flush()

    def flush(self) -> None:
        if self.path.exists():
            with open(self.path, "r+b") as f:
                f.write(self.data)
        else:
            self.path.write_bytes(self.data)
