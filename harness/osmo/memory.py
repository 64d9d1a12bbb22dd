# SPDX-License-Identifier: BSD-2-Clause
"""The machine's RAM as this side sees it: a shared file with the mailbox and output ring.

Everything read here was written by the machine and may be nonsense: addresses are checked
against the file, lengths against the ring, before anything is believed.
"""

import dataclasses
import errno
import hashlib
import mmap
import os
import pathlib
import struct
from collections.abc import Iterator

from osmo import abi, paths
from osmo.errors import Problem

MIB = 1 << 20
ZEROS = bytes(abi.PAGE)
FOUR_GIB = 1 << 32


def low_memory(machine: str, size: int) -> int:
    """Bytes of RAM below 4 GiB; what is beyond continues at 4 GiB (QEMU's own rules)."""
    if machine == "q35":
        limit = 0x80000000 if size >= 0xB0000000 else 0xB0000000
    else:
        limit = 0xC0000000 if size >= 0xE0000000 else 0xE0000000
    if machine == "microvm":
        limit = 0xC0000000
    return min(size, limit)


class Ram:
    """The RAM file, addressed by guest-physical address."""

    def __init__(self, path: pathlib.Path, machine: str = "q35") -> None:
        self.fd = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.fd).st_size
        try:
            self.map = mmap.mmap(self.fd, self.size)
        except (OSError, ValueError):
            os.close(self.fd)
            raise
        self.low = low_memory(machine, self.size)

    def close(self) -> None:
        self.map.close()
        os.close(self.fd)

    def digest(self) -> str:
        """Of every page that is not all zeros, and where it lies. What nobody touched is not looked at: the host
        would have to make it first, and there are machines of many gigabytes that use few."""
        total, at = hashlib.sha256(), 0
        while True:
            try:
                at = os.lseek(self.fd, at, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:  # there is none behind it
                    raise
                return total.hexdigest()
            end = os.lseek(self.fd, at, os.SEEK_HOLE)
            for page in range(at - at % abi.PAGE, end, abi.PAGE):
                data = self.map[page:page + abi.PAGE]
                if data != ZEROS[:len(data)]:
                    total.update(page.to_bytes(8, "little"))
                    total.update(data)
            at = end

    def offset(self, address: int, length: int) -> int:
        """Where `length` bytes at a physical address lie in the file."""
        if address + length <= self.low:
            return address
        high = address - FOUR_GIB + self.low
        if address >= FOUR_GIB and high + length <= self.size:
            return high
        raise Problem(f"the machine names memory it does not have: {address:#x}+{length:#x}")

    def read(self, address: int, length: int) -> bytes:
        start = self.offset(address, length)
        return self.map[start:start + length]

    def write(self, address: int, data: bytes) -> None:
        start = self.offset(address, len(data))
        self.map[start:start + len(data)] = data


class MailboxPage:
    """The mailbox: found once, then read and written in place."""

    def __init__(self, ram: Ram, address: int) -> None:
        self.ram = ram
        self.address = address

    @classmethod
    def find(cls, ram: Ram) -> "MailboxPage | None":
        """None until the hypervisor has set it up."""
        for address in range(0, MIB, abi.PAGE):
            magic, version = struct.unpack("<QI", ram.read(address, 12))
            if magic != abi.MAILBOX_MAGIC:
                continue
            if version != abi.VERSION:
                raise Problem(
                    f"the hypervisor in {paths.hypervisor().parent} speaks version {version} of "
                    f"hyp/abi/osmosis.h, this harness {abi.VERSION}", "run `make`: they are of one tree")
            return cls(ram, address)
        return None

    def get(self) -> abi.Mailbox:
        return abi.Mailbox.unpack(self.ram.read(self.address, abi.MAILBOX.size))

    def state(self) -> int:
        return int(struct.unpack("<I", self.ram.read(self.address + 12, 4))[0])

    def give_plan(self, plan: bytes, seed: int) -> None:
        """Hands the plan over; the caller has stopped the machine, which is READY."""
        box = self.get()
        if box.state != abi.State.READY:
            raise Problem(f"the machine is not at READY but in state {box.state}")
        if len(plan) > box.plan_room:
            raise Problem(f"the plan has {len(plan)} bytes, the machine takes {box.plan_room}")
        self.ram.write(box.plan, plan)
        self.ram.write(self.address + 24, struct.pack("<Q", seed))
        self.ram.write(self.address + 48, struct.pack("<Q", len(plan)))
        self.ram.write(self.address + 12, struct.pack("<I", abi.State.GO))


@dataclasses.dataclass(frozen=True)
class Frame:
    """One piece of output: which stream, when in virtual time, and the bytes."""

    stream: int
    ns: int
    data: bytes


class OutputRing:
    """Reads frames in order. `free` tells the machine what it may overwrite (real runs)."""

    def __init__(self, ram: Ram, address: int, size: int) -> None:
        self.ram = ram
        self.address = address
        header = abi.RING.unpack(ram.read(address, abi.RING.size))
        magic, version, self.capacity = header[0], header[1], header[2]
        if magic != abi.RING_MAGIC or version != abi.VERSION:
            raise Problem(f"no output ring at {address:#x} (magic {magic:#x}, version {version})")
        if self.capacity == 0 or self.capacity + abi.RING.size > size:
            raise Problem(f"the output ring claims {self.capacity} bytes of {size}")
        self.base = ram.offset(address, self.capacity + abi.RING.size) + abi.RING.size
        self.position = header[4]

    def _u64(self, field: int) -> int:
        return int(struct.unpack("<Q", self.ram.read(self.address + field, 8))[0])

    def produced(self) -> int:
        return self._u64(16)

    def lost(self) -> int:
        return self._u64(32)

    def bytes_at(self, position: int, length: int) -> bytes:
        """Bytes of the endless stream; the ring is that stream modulo its capacity."""
        start = position % self.capacity
        first = min(length, self.capacity - start)
        head = self.ram.map[self.base + start:self.base + start + first]
        return head + self.ram.map[self.base:self.base + length - first]

    def frames(self) -> Iterator[Frame]:
        """What has been written since the last call."""
        end = self.produced()
        if end - self.position > self.capacity:
            raise Problem("the machine overwrote output before it was read",
                          "trace less, or give a larger output ring")
        while end - self.position >= abi.FRAME.size:
            stream, length, ns = abi.FRAME.unpack(self.bytes_at(self.position, abi.FRAME.size))
            step = abi.FRAME.size + (length + 7) // 8 * 8
            if step > self.capacity:
                raise Problem(f"a frame of {length} bytes does not fit in the output ring")
            if step > end - self.position:
                return  # still being written
            yield Frame(stream, ns, self.bytes_at(self.position + abi.FRAME.size, length))
            self.position += step

    def free(self) -> None:
        """Gives the read part back to the machine; only in runs that nobody replays."""
        self.ram.write(self.address + 24, struct.pack("<Q", self.position))
