# SPDX-License-Identifier: BSD-2-Clause
"""cpio archives in the `newc` form that Linux takes as initramfs, the same bytes each time."""

import dataclasses
import stat

HEADER, PAGE = 110, 4096


@dataclasses.dataclass
class Entry:
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


class Archive:
    """Files by absolute path without the leading slash; parents are made as needed."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def directory(self, name: str, mode: int = 0o755) -> None:
        name = name.strip("/")
        if name and name not in self.entries:
            self._parents(name)
            self.entries[name] = Entry(stat.S_IFDIR | mode)

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        self._parents(name.strip("/"))
        self.entries[name.strip("/")] = Entry(stat.S_IFREG | mode, data)

    def program(self, name: str, data: bytes) -> None:
        self.file(name, data, 0o755)

    def link(self, name: str, target: str) -> None:
        self._parents(name.strip("/"))
        self.entries[name.strip("/")] = Entry(stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name: str, major: int, minor: int) -> None:
        self._parents(name.strip("/"))
        self.entries[name.strip("/")] = Entry(stat.S_IFCHR | 0o600, device=(major, minor))

    def _parents(self, name: str) -> None:
        if "/" in name:
            self.directory(name.rsplit("/", 1)[0])

    def pack(self, pages: bool = False) -> bytes:
        """With `pages` programs begin and end with a page: zeros follow their names and their bytes."""
        out = bytearray()
        items = sorted(self.entries.items())
        for number, (name, entry) in enumerate([*items, ("TRAILER!!!", Entry(0))], 1):
            links = 2 if stat.S_ISDIR(entry.mode) else 1
            named, data = name.encode() + b"\0", entry.data
            if pages and entry.mode == stat.S_IFREG | 0o755:
                named += bytes(-(len(out) + HEADER + len(named)) % PAGE)
                data += bytes(-len(data) % PAGE)
            fields = (number, entry.mode, 0, 0, links, 0, len(data), 0, 0, *entry.device, len(named), 0)
            out += b"070701" + "".join(f"{f:08x}" for f in fields).encode()
            out += named
            out += bytes(-len(out) % 4)
            out += data
            out += bytes(-len(out) % 4)
        return bytes(out) + bytes(-len(out) % 512)
