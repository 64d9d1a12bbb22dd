# SPDX-License-Identifier: BSD-2-Clause
"""ELF core files as Linux writes them, so that gdb opens them: memory, and threads' registers.

The file holds a domain's memory as it lies there, once, with holes for what it never touched;
each segment points into it.
"""

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


def segments(maps: list[Mapping], memory: int) -> bytes:
    out = b""
    for m in maps:
        flags = 4 | (2 if m.flags & WRITE else 0) | (0 if m.flags & NO_EXECUTE else 1)
        out += struct.pack("<IIQQQQQQ", PT_LOAD, flags, memory + m.physical, m.virtual, m.physical, m.length,
                           m.length, PAGE)
    return out


def write(path: pathlib.Path, domain: Domain, maps: list[Mapping], threads: list[Thread], name: str,
          program: str = "") -> None:
    """A core file of what `maps` shows of the domain; `program` is the file gdb will have."""
    if len(maps) > SEGMENTS_MOST:
        raise Problem(f"{name} has {len(maps)} pieces of memory", f"a core file holds {SEGMENTS_MOST}")
    notes = _note(NT_PRPSINFO, _about(program, name)) + b"".join(_note(NT_PRSTATUS, _status(t)) for t in threads)
    head = 64 + 56 * (len(maps) + 1)
    memory = (head + len(notes) + PAGE - 1) // PAGE * PAGE
    try:
        with open(path, "wb") as file:
            file.write(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", ET_CORE, EM_X86_64, 1, 0, 64, 0, 0,
                                   64, 56, len(maps) + 1, 0, 0, 0))
            file.write(struct.pack("<IIQQQQQQ", PT_NOTE, 0, head, 0, 0, len(notes), 0, 4))
            file.write(segments(maps, memory))
            file.write(notes)
            file.truncate(memory + domain.bytes)
            for m in domain.pages:
                file.seek(memory + m.virtual)
                file.write(domain.ram.read(m.physical, m.length))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from None
