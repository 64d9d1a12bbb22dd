# SPDX-License-Identifier: BSD-2-Clause
"""A capture (pcapng, little-endian, as net/fabric/capture.c writes it): its frames, and which port of a medium
is whose. Records number the ports as they came; the comments of a frame have the same events by name."""

import contextlib
import dataclasses
import re
import struct
from collections.abc import Iterable, Iterator, Mapping

from osmo.abi import Record
from osmo.errors import Problem

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
COMMENT, NAME = 1, 2
TOLD = re.compile(r"([^>]+)>([^>]+) #(\d+) .+")

Port = tuple[int, int, int]  # the domain that carries the medium, the medium, the port
Frame = tuple[int, int]  # medium, number at its sender


@dataclasses.dataclass(frozen=True)
class Packet:
    medium: str
    size: int
    comments: list[str]


def packets(capture: bytes) -> Iterator[Packet]:
    """In order; a fabric that was built anew begins another section, with interfaces of its own."""
    names: list[str] = []
    at = 0
    while at + 12 <= len(capture):
        kind, length = struct.unpack_from("<II", capture, at)
        if length < 12 or at + length > len(capture):
            raise Problem("the capture ends in the middle of a block", "run again; is the disk full?")
        if kind == SECTION:
            names.clear()
        elif kind == INTERFACE:
            names += _options(capture[at + 16:at + length - 4], NAME)
        elif kind == PACKET:
            interface, _, _, kept, size = struct.unpack_from("<IIIII", capture, at + 8)
            rest = capture[at + 28 + (kept + 3) // 4 * 4:at + length - 4]
            yield Packet(names[interface], size, _options(rest, COMMENT))
        at += length


def _options(block: bytes, wanted: int) -> list[str]:
    found = []
    at = 0
    while at + 4 <= len(block):
        code, length = struct.unpack_from("<HH", block, at)
        if code == wanted:
            found.append(block[at + 4:at + 4 + length].decode(errors="replace"))
        at += 4 + (length + 3) // 4 * 4
    return found


def way(record: Record) -> tuple[Port, Port]:
    """From which port to which a medium's record is."""
    return (record.domid, record.who, record.a >> 48), (record.domid, record.who, record.b >> 32 & 0xFFFF)


def ports(capture: bytes, records: Iterable[Record], media: Mapping[str, int]) -> dict[Port, str]:
    """Names of the ports that drops and changes of frames were at; `media` are the media's numbers by name. Both
    sides tell of these in one order: where they tell of as many, the n-th of one is the n-th of the other."""
    told: dict[Frame, list[tuple[str, str]]] = {}
    written: dict[Frame, list[tuple[Port, Port]]] = {}
    with contextlib.suppress(Problem):  # of a machine that ended in the middle of a block
        for packet in packets(capture):
            for match in filter(None, map(TOLD.fullmatch, packet.comments)):
                frame = (media.get(packet.medium, 0), int(match[3]))
                told.setdefault(frame, []).append((match[1], match[2]))
    for record in records:
        written.setdefault((record.who, record.a & 0xFFFFFFFFFFFF), []).append(way(record))
    names: dict[Port, str] = {}
    for frame, pairs in told.items():
        if len(pairs) == len(written.get(frame, [])):
            for ends, said in zip(written[frame], pairs):
                names.update(zip(ends, said))
    return names
