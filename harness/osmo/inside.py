# SPDX-License-Identifier: BSD-2-Clause
"""A machine that stands still, looked into: its domains, their registers and memory.

Everything comes from the shared RAM and the hypervisor's debug information; the machine takes
no part in it and cannot tell. Addresses are believed only as far as RAM reaches.
"""

import dataclasses
import pathlib
import re
import struct
from collections.abc import Callable, Iterator

from osmo import layout
from osmo.errors import Problem
from osmo.memory import Ram

PAGE = 4096
PRESENT, WRITE, USER, LARGE, NO_EXECUTE = 1, 2, 4, 0x80, 1 << 63
ADDRESS = 0x000FFFFFFFFFF000
IMAGE_BASE, DIRECT_BASE = 0xFFFFFFFF80000000, 0xFFFF800000000000  # hyp/boot/layout.h
PAGING, LONG_MODE = 1 << 31, 1 << 10
IN_GUEST = 1 << 21  # of QEMU's HFL
DOMAINS_MOST = 70000
# hyp/dom/domain.h's struct guest_regs, in its order.
REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
             "r14", "r15", "rip", "rflags")


@dataclasses.dataclass(frozen=True)
class Mapping:
    """Pages that follow each other on both sides."""

    virtual: int
    physical: int
    length: int
    flags: int  # WRITE | USER | NO_EXECUTE


def walk(read: Callable[[int, int], bytes | None], root: int, low: bool = True,
         high: bool = True) -> Iterator[Mapping]:
    """What four levels of tables map, in the order of addresses; halves as wanted."""
    last: Mapping | None = None
    for one in _leaves(read, root & ADDRESS, 3, 0, WRITE | USER, range(0 if low else 256, 512 if high else 256)):
        if last and (last.virtual + last.length, last.physical + last.length, last.flags) == (
                one.virtual, one.physical, one.flags):
            last = dataclasses.replace(last, length=last.length + one.length)
            continue
        if last:
            yield last
        last = one
    if last:
        yield last


def _leaves(read: Callable[[int, int], bytes | None], table: int, level: int, base: int, flags: int,
            rows: range) -> Iterator[Mapping]:
    data = read(table, PAGE)
    if data is None:
        return
    entries = struct.unpack("<512Q", data)
    for row in rows:
        entry = entries[row]
        if not entry & PRESENT:
            continue
        at = base | row << 12 + 9 * level
        if level == 3 and row >= 256:
            at |= 0xFFFF << 48
        allowed = flags & entry & (WRITE | USER) | (flags | entry) & NO_EXECUTE
        if level == 0 or (level < 3 and entry & LARGE):
            size = PAGE << 9 * level
            yield Mapping(at, entry & ADDRESS & ~(size - 1), size, allowed)
        else:
            yield from _leaves(read, entry & ADDRESS, level - 1, at, allowed, range(512))


@dataclasses.dataclass
class Vcpu:
    registers: dict[str, int]
    cr0: int
    cr3: int
    efer: int
    cs: int
    ss: int


class Domain:
    """One domain's memory, by its own physical addresses."""

    def __init__(self, ram: Ram, domid: int, root: int, bytes_: int, vcpus: list[Vcpu]) -> None:
        self.ram = ram
        self.domid = domid
        self.vcpus = vcpus
        self.pages = [m for m in walk(self._machine, root, high=False) if m.physical + m.length <= ram_end(ram)]
        # shared_info and the like may lie above all that is the domain's own.
        self.bytes = max([bytes_, *(m.virtual + m.length for m in self.pages)])

    def _machine(self, address: int, length: int) -> bytes | None:
        try:
            return self.ram.read(address, length)
        except Problem:
            return None

    def read(self, address: int, length: int) -> bytes | None:
        """None where the domain has no memory; what it never touched is zeros."""
        if address + length > self.bytes:
            return None
        out = bytearray(length)
        for m in self.pages:
            first, end = max(address, m.virtual), min(address + length, m.virtual + m.length)
            if first < end:
                there = self._machine(m.physical + first - m.virtual, end - first)
                out[first - address:end - address] = there or bytes(end - first)
        return bytes(out)

    def virtual(self, root: int, low: bool = True, high: bool = True) -> list[Mapping]:
        """What a page table of the domain's maps to memory of its own."""
        return [dataclasses.replace(m, length=min(m.length, self.bytes - m.physical))
                for m in walk(self.read, root, low, high) if m.physical < self.bytes]

    def reader(self, root: int) -> Callable[[int, int], bytes]:
        """Reads by that table's addresses; a Problem where nothing is."""
        maps = self.virtual(root)

        def read(address: int, length: int) -> bytes:
            for m in maps:
                if m.virtual <= address and address + length <= m.virtual + m.length:
                    return self.read(m.physical + address - m.virtual, length) or b""
            raise Problem(f"domain {self.domid} has nothing at {address:#x}")
        return read


def ram_end(ram: Ram) -> int:
    return ram.size if ram.size <= ram.low else ram.size - ram.low + (4 << 30)


def processors(text: str) -> dict[int, dict[str, int]]:
    """QEMU's `info registers -a`: of the processors that are in a guest, by number."""
    found = {}
    parts = re.split(r"^CPU#(\d+)$", text, flags=re.M)
    for number, part in zip(parts[1::2], parts[2::2]):
        words = {name.strip().lower(): int(value, 16)
                 for name, value in re.findall(r"\b([A-Z][A-Z0-9]{1,2}) ?=([0-9a-f]{8,16})\b", part)}
        if words.get("hfl", 0) & IN_GUEST:
            segments = {f"{name.lower()}": int(value, 16)
                        for name, value in re.findall(r"^([CS]S) =([0-9a-f]{4}) ", part, flags=re.M)}
            words["rflags"] = words.get("rfl", 2)
            found[int(number)] = {**words, **segments}
    return found


class Inside:
    """The hypervisor's own structures."""

    def __init__(self, ram: Ram, image: pathlib.Path, registers: str = "") -> None:
        self.ram = ram
        self.running = processors(registers)
        of = layout.member
        self.at = layout.ask(
            image, all="&'domain.c'::table.all", link=of("domain", "all_link"), id=of("domain", "id"),
            root=of("domain", "p2m_root"), top=of("domain", "memory_top"), vcpus=of("domain", "vcpu"),
            count=of("domain", "vcpu_count"), regs=of("vcpu", "regs"), virt=of("vcpu", "virt"),
            world=of("vcpu", "world"), cpu=of("vcpu", "cpu"), vmcb=of("virt_vcpu", "vmcb"),
            cr3=of("vmcb", "cr3"), cr0=of("vmcb", "cr0"), efer=of("vmcb", "efer"), cs=of("vmcb", "cs"),
            ss=of("vmcb", "ss"), rip=of("vmcb", "rip"), rsp=of("vmcb", "rsp"), rax=of("vmcb", "rax"),
            rflags=of("vmcb", "rflags"))

    def read(self, address: int, length: int) -> bytes:
        """By the hypervisor's own addresses."""
        return self.ram.read(address - (IMAGE_BASE if address >= IMAGE_BASE else DIRECT_BASE), length)

    def number(self, address: int, size: int = 8) -> int:
        return int.from_bytes(self.read(address, size), "little")

    def domains(self) -> dict[int, int]:
        """Where the hypervisor has each domain."""
        found: dict[int, int] = {}
        head = self.at["all"]
        at = self.number(head)
        while at != head and len(found) < DOMAINS_MOST:
            d = at - self.at["link"]
            found[self.number(d + self.at["id"], 2)] = d
            at = self.number(at)
        return found

    def domain(self, domid: int) -> Domain:
        there = self.domains()
        if domid not in there:
            raise Problem(f"domain {domid} is not there any more")
        return self._domain(there[domid], domid)

    def _domain(self, d: int, domid: int) -> Domain:
        table = self.number(d + self.at["vcpus"])
        vcpus = [self._vcpu(self.number(table + 8 * i)) for i in range(self.number(d + self.at["count"], 4))]
        return Domain(self.ram, domid, self.number(d + self.at["root"]),
                      self.number(d + self.at["top"]) * PAGE, vcpus)

    def _vcpu(self, v: int) -> Vcpu:
        box = self.number(self.number(v + self.at["virt"]) + self.at["vmcb"])
        values = struct.unpack(f"<{len(REGISTERS)}Q", self.read(v + self.at["regs"], 8 * len(REGISTERS)))
        registers = dict(zip(REGISTERS, values))
        cr3, cs, ss = (self.number(box + self.at["cr3"]), self.number(box + self.at["cs"], 2),
                       self.number(box + self.at["ss"], 2))
        if self.number(v + self.at["world"]) % 2 == 0:  # in its guest, or on the short way out of it
            registers |= {name: self.number(box + self.at[name]) for name in ("rip", "rsp", "rax", "rflags")}
            now = self.running.get(self.number(v + self.at["cpu"], 4))
            if now:
                registers |= {name: now[name] for name in REGISTERS}
                cr3, cs, ss = now["cr3"], now["cs"], now["ss"]
        return Vcpu(registers, self.number(box + self.at["cr0"]), cr3, self.number(box + self.at["efer"]), cs, ss)
