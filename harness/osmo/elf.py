# SPDX-License-Identifier: BSD-2-Clause
"""As much of ELF as the harness needs: the libraries a program wants, notes, entry points."""

import pathlib
import struct
from collections.abc import Iterator

from osmo.errors import Problem

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
DT_NEEDED, DT_STRTAB = 1, 5
XEN_PHYS32_ENTRY = 18


class Elf:
    """A 64-bit or 32-bit little-endian file; anything else is a Problem."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 52 or data[:4] != b"\x7fELF" or data[4] not in (1, 2) or data[5] != 1:
            raise Problem("not a little-endian ELF file")
        self.data = data
        self.wide = data[4] == 2
        try:
            self._headers()
        except (struct.error, OverflowError):
            raise Problem("an ELF file whose program headers lie outside it") from None

    def _headers(self) -> None:
        if self.wide:
            self.entry, phoff = struct.unpack_from("<QQ", self.data, 24)
            size, count = struct.unpack_from("<HH", self.data, 54)
            rows = [struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * size) for i in range(count)]
            self.segments = [(r[0], r[2], r[3], r[4], r[5]) for r in rows]
        else:
            self.entry, phoff = struct.unpack_from("<II", self.data, 24)
            size, count = struct.unpack_from("<HH", self.data, 42)
            rows = [struct.unpack_from("<IIIIIIII", self.data, phoff + i * size) for i in range(count)]
            self.segments = [(r[0], r[1], r[2], r[3], r[4]) for r in rows]

    def bytes_of(self, kind: int) -> Iterator[bytes]:
        for segment, offset, _, _, length in self.segments:
            if segment == kind:
                yield self.data[offset:offset + length]

    def at(self, address: int) -> int:
        """The file offset of a virtual address."""
        for segment, offset, virtual, _, length in self.segments:
            if segment == PT_LOAD and virtual <= address < virtual + length:
                return int(offset + address - virtual)
        raise Problem(f"address {address:#x} is in no segment")

    def interpreter(self) -> str | None:
        for path in self.bytes_of(PT_INTERP):
            return path.rstrip(b"\0").decode()
        return None

    def needed(self) -> list[str]:
        """Names of the shared libraries it asks for (64-bit files)."""
        for dynamic in self.bytes_of(PT_DYNAMIC):
            whole = dynamic[:len(dynamic) // 16 * 16]
            tags = [(int(tag), int(value)) for tag, value in struct.iter_unpack("<QQ", whole)]
            strings = next((self.at(value) for tag, value in tags if tag == DT_STRTAB), None)
            if strings is not None:
                return [self._string(strings + value) for tag, value in tags if tag == DT_NEEDED]
        return []

    def _string(self, offset: int) -> str:
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def notes(self) -> Iterator[tuple[str, int, bytes]]:
        """Owner, type and contents of each note."""
        for block in self.bytes_of(PT_NOTE):
            offset = 0
            while offset + 12 <= len(block):
                name_size, size, kind = struct.unpack_from("<III", block, offset)
                start = offset + 12 + (name_size + 3) // 4 * 4
                name = block[offset + 12:offset + 12 + name_size].rstrip(b"\0").decode("latin-1")
                yield name, kind, block[start:start + size]
                offset = start + (size + 3) // 4 * 4

    def pvh_entry(self) -> int | None:
        """Where Xen's PVH boot enters, if the image can be booted so."""
        for owner, kind, data in self.notes():
            if owner == "Xen" and kind == XEN_PHYS32_ENTRY and len(data) >= 4:
                return int.from_bytes(data[:8], "little")
        return None


def closure(programs: list[pathlib.Path], folders: list[pathlib.Path]) -> dict[str, pathlib.Path]:
    """Every shared library the programs need, by name, and the interpreter by its path."""
    found: dict[str, pathlib.Path] = {}
    todo = list(programs)
    while todo:
        path = todo.pop()
        elf = Elf(path.read_bytes())
        interpreter = elf.interpreter()
        if interpreter:
            found[interpreter] = pathlib.Path(interpreter)
        for name in elf.needed():
            if name not in found:
                found[name] = library(name, folders)
                todo.append(found[name])
    return found


def library(name: str, folders: list[pathlib.Path]) -> pathlib.Path:
    """The first folder's file of that name."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise Problem(f"shared library {name} is not in {', '.join(map(str, folders))}", "run `make deps`")
