# SPDX-License-Identifier: BSD-2-Clause
"""A small Linux user space from Debian's packages: busybox, kernel modules, an init script.

Serves two masters: Linux guests on Osmosis, and the control domain of the Xen test bed.
"""

import pathlib
import stat

from osmo import debian
from osmo.cpio import Archive
from osmo.errors import Problem

FOLDERS = ("bin", "dev", "etc", "lib", "mnt", "proc", "root", "run", "sbin", "sys", "tmp",
           "usr/bin", "usr/sbin", "var/log", "var/run")
HEAD = """#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
"""


def busybox() -> bytes:
    path = debian.find("bin/busybox", "usr/bin/busybox")
    if path is None:
        raise Problem("busybox-static is not installed", "run `make deps`")
    return path.read_bytes()


def module_order(tree: pathlib.Path, names: list[str]) -> list[pathlib.Path]:
    """Files of the named modules and all they depend on, each after what it needs.

    A module that is built into this kernel is none to load; one that does not exist at all
    is a Problem.
    """
    depends, paths_by_name = _dependencies(tree)
    builtin = {pathlib.PurePath(line).stem.replace("-", "_")
               for line in (tree / "modules.builtin").read_text().split()}
    order: list[str] = []

    def visit(path: str) -> None:
        if path not in order:
            for below in reversed(depends[path]):
                visit(below)
            order.append(path)

    for name in names:
        plain = name.replace("-", "_")
        if plain in paths_by_name:
            visit(paths_by_name[plain])
        elif plain not in builtin:
            raise Problem(f"kernel module {name} is not in {tree}", "run `make deps`")
    return [tree / path for path in order]


def _dependencies(tree: pathlib.Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """modules.dep, or the folder itself where the package was only unpacked (no depmod ran)."""
    index = tree / "modules.dep"
    depends: dict[str, list[str]] = {}
    if index.is_file():
        for line in index.read_text().splitlines():
            path, _, rest = line.partition(":")
            depends[path] = rest.split()
    else:
        files = {p.stem.replace("-", "_"): p.relative_to(tree).as_posix() for p in tree.rglob("*.ko")}
        for name, path in files.items():
            depends[path] = [files[d] for d in _depends_field(tree / path) if d in files]
    names = {pathlib.PurePath(p).name.split(".ko")[0].replace("-", "_"): p for p in depends}
    return depends, names


def _depends_field(path: pathlib.Path) -> list[str]:
    """The `depends=` string of a module's .modinfo."""
    data = path.read_bytes()
    start = data.find(b"\0depends=")
    if start < 0:
        return []
    field = data[start + 9:data.index(b"\0", start + 9)].decode()
    return [d.replace("-", "_") for d in field.split(",") if d]


def base(init: str, modules: list[str], kernel: pathlib.Path | None = None) -> Archive:
    """busybox, the modules loaded in order, then `init` (shell text) as process 1."""
    archive = Archive()
    for folder in FOLDERS:
        archive.directory(folder)
    archive.program("bin/busybox", busybox())
    archive.link("bin/sh", "busybox")
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3)
    image = kernel or debian.kernel()
    if image is None:
        raise Problem("Debian's Linux kernel is not here", "run `make deps`")
    loads = []
    for path in module_order(debian.modules(image), modules):
        archive.file(f"lib/modules/{path.name}", path.read_bytes())
        loads.append(f"insmod /lib/modules/{path.name}\n")
    archive.program("init", (HEAD + "".join(loads) + init).encode())
    return archive


def add_program(archive: Archive, path: pathlib.Path, target: str) -> None:
    """One file of the host with its mode."""
    archive.file(target, path.read_bytes(), stat.S_IMODE(path.stat().st_mode) | 0o755)
