# SPDX-License-Identifier: BSD-2-Clause
"""Disks of nodes: the lines that make them, and their contents when a run has ended.

The disk domain's memory is the disk. When a run ends, the control domain says which frames of
the machine it is, and it is read from the machine's RAM, page by page; empty pages stay holes.
A kept disk is a file that QEMU shows the disk domain as a virtio-blk function.
"""

import dataclasses
import hashlib
import pathlib
import shutil
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

from osmo import abi, keyed
from osmo.errors import Problem
from osmo.memory import Ram
from osmo.qemu import Drive

if TYPE_CHECKING:
    from osmo.cluster import Cluster, Disk

SECTOR = 512
KEPT_MOST = 8        # functions of the machine that one domain drives
FILES_MOST = 64      # modules of one domain
NAME_MOST = 31       # letters, splitdrv/disks/disk.h
FOLDER = "disks"     # in a result directory
DOMAIN = 12 << 20    # the disk domain itself
PER_DISK = 1 << 20   # requests under way
MAJOR = 202 << 8     # xvda; each further disk is 16 on
EMPTY = bytes(abi.PAGE)


def function(number: int) -> str:
    """Where kept disk `number` is on PCI's first bus: an interrupt line of the disks' own."""
    return f"5.{number}"


def number(name: str) -> int:
    """By which a disk is known in traces: splitdrv/disks/disk.c makes it of its name."""
    value = 0
    for letter in name.encode():
        value = keyed.mix(value ^ letter)
    return value & 0xFFFFFFFF


def kept(cluster: "Cluster") -> list["Disk"]:
    return [d for n in cluster.nodes for d in n.disks if d.keep]


def drives(cluster: "Cluster", clock: str) -> list[Drive]:
    """What the machine needs for disks that outlive the run."""
    found = kept(cluster)
    if found and clock != "real":
        raise Problem(f"disk {found[0].name} is kept: its file is written at the host's time, which a "
                      f"run by clock `{clock}` cannot repeat", "say --clock real, or leave keep out")
    return [Drive(d.file, function(n), d.readonly) for n, d in enumerate(found) if d.file]


def memory(cluster: "Cluster") -> int:
    """Bytes the disk domain needs, in whole MiB; 0 without disks."""
    sizes = [0 if d.keep else (d.bytes + abi.PAGE - 1) // abi.PAGE * abi.PAGE
             for n in cluster.nodes for d in n.disks]
    if not sizes:
        return 0
    return (DOMAIN + sum(sizes) + PER_DISK * len(sizes) + (1 << 20) - 1) >> 20 << 20


def device_line(node: str, number: int, disk: str, readonly: bool) -> str:
    """The plan's line that gives a node its disk, as Xen's toolstack would."""
    device = MAJOR + 16 * number
    return (f"device vbd {node} {device} backend=disks front.virtual-device={device} "
            f"front.device-type=disk back.disk={disk} back.mode={'r' if readonly else 'w'} "
            f"back.dev=xvd{chr(ord('a') + number)}")


@dataclasses.dataclass
class Image:
    """A disk's content: its length, and the pages that are not empty."""

    size: int
    pages: dict[int, bytes]

    def write(self, path: pathlib.Path) -> None:
        with path.open("wb") as file:
            for number, page in self.pages.items():
                file.seek(number * abi.PAGE)
                file.write(page[:self.size - number * abi.PAGE])
            file.truncate(self.size)

    def content(self) -> bytes:
        out = bytearray(self.size)
        for number, page in self.pages.items():
            at = number * abi.PAGE
            out[at:at + abi.PAGE] = page[:self.size - at]
        return bytes(out)


class Map:
    """Where disks lie, as the machine said it."""

    def __init__(self) -> None:
        self.frames: dict[str, tuple[int, list[int]]] = {}

    def take(self, piece: bytes) -> None:
        """One struct osm_disk_piece; they come in order."""
        if len(piece) < abi.DISK_PIECE.size:
            raise Problem("the machine's word on a disk is cut short")
        raw, size, first, count = abi.DISK_PIECE.unpack_from(piece)
        name = raw.split(b"\0", 1)[0].decode("utf-8", "replace")
        if first == 0:
            self.frames[name] = (size, [])
        known = self.frames.get(name)
        if known is None or len(known[1]) != first or len(piece) < abi.DISK_PIECE.size + 8 * count:
            raise Problem(f"the machine's word on disk {name} makes no sense")
        known[1].extend(struct.unpack_from(f"<{count}Q", piece, abi.DISK_PIECE.size))

    def images(self, ram: Ram) -> dict[str, Image]:
        """Their contents now, while the machine stands still."""
        return {name: Image(size, self._pages(ram, frames)) for name, (size, frames) in self.frames.items()}

    @staticmethod
    def _pages(ram: Ram, frames: list[int]) -> dict[int, bytes]:
        pages = {}
        for number, frame in enumerate(frames):
            if frame == abi.NO_FRAME:
                continue
            page = ram.read(frame * abi.PAGE, abi.PAGE)
            if page != EMPTY:
                pages[number] = page
        return pages


def digest(images: Mapping[str, Image]) -> str:
    """By which two runs are compared."""
    out = hashlib.sha256()
    for name in sorted(images):
        out.update(f"{name}\0{images[name].size}\0".encode())
        for number in sorted(images[name].pages):
            out.update(number.to_bytes(8, "little") + images[name].pages[number])
    return out.hexdigest()


def save(images: Mapping[str, Image], directory: pathlib.Path) -> None:
    """NAME.img for each, in a folder of their own."""
    folder = directory / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    if images:
        folder.mkdir()
    for name, image in images.items():
        image.write(folder / f"{name}.img")
