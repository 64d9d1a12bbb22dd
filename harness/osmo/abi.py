# SPDX-License-Identifier: BSD-2-Clause
"""hyp/abi/osmosis.h as Python reads it: little-endian layouts, numbers and names.

tests/harness/test_abi.py compiles the header and holds every number here against it.
"""

import dataclasses
import enum
import struct
from typing import Any

VERSION = 3
RING_MAGIC = 0x474E5230
MAILBOX_MAGIC = 0x584F424D534F4D4F
PAGE = 4096
DOMID_XEN = 0x7FF2


class Clock(enum.IntEnum):
    REAL = 0
    COUNT = 1
    EVENT = 2


class State(enum.IntEnum):
    BOOT = 0
    READY = 1
    GO = 2
    RUNNING = 3
    DONE = 4
    PANIC = 5


class Stream(enum.IntEnum):
    LOG = 0
    TRACE = 1
    RESULT = 2
    CAPTURE = 3
    DISK = 4
    CONSOLE = 0x10000


class Trace(enum.IntEnum):
    """The hypervisor's own record types; domains' types start at 0x8000."""

    DOMAIN_CREATE = 0x000
    DOMAIN_START = 0x001
    DOMAIN_PAUSE = 0x002
    DOMAIN_UNPAUSE = 0x003
    DOMAIN_SHUTDOWN = 0x004
    DOMAIN_DESTROY = 0x005
    RUN = 0x100
    BLOCK = 0x101
    WAKE = 0x102
    YIELD = 0x103
    EXIT = 0x200
    FAULT = 0x201
    HYPERCALL = 0x300
    SEND = 0x400
    UPCALL = 0x401
    BIND = 0x402
    CLOSE = 0x403
    MAP = 0x500
    UNMAP = 0x501
    COPY = 0x502
    ERROR = 0x600
    INJECT = 0x700
    SKEW = 0x701


# enum osm_point: where faults are injected, by the numbers that INJECT records name.
POINTS = ("fail_frame", "fail_grant", "fail_port", "fail_domain", "lose_upcall", "late_upcall", "spurious_upcall",
          "preempt", "exception", "flip", "instant")


def point(number: int) -> str:
    return POINTS[number] if number < len(POINTS) else str(number)


RECORD = struct.Struct("<QHHIQQ")
RING = struct.Struct("<IIQQQQ3Q")
FRAME = struct.Struct("<IIQ")
DISK_PIECE = struct.Struct("<32sQII")
NO_FRAME = 2**64 - 1
MAILBOX = struct.Struct("<QIIIIQQQQQQQ256s")


@dataclasses.dataclass(frozen=True, order=True)
class Record:
    """One trace record: struct osm_record."""

    ns: int
    type: int
    domid: int
    who: int
    a: int
    b: int

    def pack(self) -> bytes:
        return RECORD.pack(self.ns, self.type, self.domid, self.who, self.a, self.b)


def records(data: bytes) -> list[Record]:
    """A stream of records; a torn last one (the machine died writing it) is left out."""
    whole = len(data) - len(data) % RECORD.size
    return [Record(*fields) for fields in RECORD.iter_unpack(data[:whole])]


@dataclasses.dataclass
class Mailbox:
    """struct osm_mailbox, its fields in order."""

    magic: int
    version: int
    state: int
    clock: int
    status: int
    seed: int
    plan: int
    plan_room: int
    plan_len: int
    output: int
    output_size: int
    now_ns: int
    reason: str

    @classmethod
    def unpack(cls, page: bytes) -> "Mailbox":
        fields: list[Any] = list(MAILBOX.unpack_from(page))
        fields[-1] = fields[-1].split(b"\0", 1)[0].decode("utf-8", "replace")
        return cls(*fields)
