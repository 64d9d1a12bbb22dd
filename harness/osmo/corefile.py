# SPDX-License-Identifier: BSD-2-Clause
"""ELF core files as Linux writes them, so that gdb opens them: memory, and threads' registers.

The file holds what is mapped of a domain's memory, each piece once and in the order it lies there, with
holes for what it never touched; each segment points into it.
"""

import bisect
import dataclasses
import pathlib
import struct

from osmo.errors import Problem
from osmo.inside import NO_EXECUTE, PAGE, WRITE, Domain, Mapping

ET_CORE, EM_X86_64, PT_LOAD, PT_NOTE = 4, 62, 1, 4
NT_PRSTATUS, NT_PRPSINFO = 1, 3
SEGMENTS_MOST = 60000
# struct user_regs_struct; "" is not ours to know.
ORDER = ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
         "", "rip", "cs", "rflags", "rsp", "ss", "", "", "", "", "", "")


@dataclasses.dataclass(frozen=True)
class Thread:
    number: int
    registers: dict[str, int]


def _note(kind: int, data: bytes) -> bytes:
    return struct.pack("<III", 5, len(data), kind) + b"CORE\0\0\0\0" + data + bytes(-len(data) % 4)


def _status(thread: Thread) -> bytes:
    """struct elf_prstatus: signal, pid, registers."""
    values = [thread.registers.get(name, 0) & (1 << 64) - 1 for name in ORDER]
    return struct.pack("<12xHxx16xI12x64x27QI4x", 5, thread.number, *values, 0)


def _about(program: str, name: str) -> bytes:
    """struct elf_prpsinfo: the program's file, and what gdb shows as what was running."""
    return struct.pack("<4x4x8x8x16x16s80s", program.encode()[:15], name.encode()[:79])


@dataclasses.dataclass(frozen=True)
class Piece:
    """Memory that somebody maps, and where it lies in the file."""

    start: int
    end: int
    offset: int

    def at(self, physical: int) -> int:
        return self.offset + physical - self.start


def pieces(maps: list[Mapping], offset: int) -> list[Piece]:
    """What is mapped, without what lies between: a page of devices far above would make a file of gigabytes."""
    out: list[Piece] = []
    for start, end in sorted((m.physical, m.physical + m.length) for m in maps):
        if out and start <= out[-1].end:
            out[-1] = dataclasses.replace(out[-1], end=max(end, out[-1].end))
        else:
            out.append(Piece(start, end, out[-1].at(out[-1].end) if out else offset))
    return out


def segments(maps: list[Mapping], places: list[Piece]) -> bytes:
    out = b""
    starts = [p.start for p in places]
    for m in maps:
        place = places[bisect.bisect(starts, m.physical) - 1].at(m.physical)
        flags = 4 | (2 if m.flags & WRITE else 0) | (0 if m.flags & NO_EXECUTE else 1)
        out += struct.pack("<IIQQQQQQ", PT_LOAD, flags, place, m.virtual, m.physical, m.length, m.length, PAGE)
    return out


def write(path: pathlib.Path, domain: Domain, maps: list[Mapping], threads: list[Thread], name: str,
          program: str = "") -> None:
    """A core file of what `maps` shows of the domain; `program` is the file gdb will have."""
    if len(maps) > SEGMENTS_MOST:
        raise Problem(f"{name} has {len(maps)} pieces of memory", f"a core file holds {SEGMENTS_MOST}")
    notes = _note(NT_PRPSINFO, _about(program, name)) + b"".join(_note(NT_PRSTATUS, _status(t)) for t in threads)
    head = 64 + 56 * (len(maps) + 1)
    memory = (head + len(notes) + PAGE - 1) // PAGE * PAGE
    places = pieces(maps, memory)
    try:
        with open(path, "wb") as file:
            file.write(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", ET_CORE, EM_X86_64, 1, 0, 64, 0, 0,
                                   64, 56, len(maps) + 1, 0, 0, 0))
            file.write(struct.pack("<IIQQQQQQ", PT_NOTE, 0, head, 0, 0, len(notes), 0, 4))
            file.write(segments(maps, places))
            file.write(notes)
            file.truncate(places[-1].at(places[-1].end) if places else memory)
            for place in places:
                for m in domain.pages:
                    start, end = max(place.start, m.virtual), min(place.end, m.virtual + m.length)
                    if start < end:
                        file.seek(place.at(start))
                        file.write(domain.ram.read(m.physical + start - m.virtual, end - start))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from None
