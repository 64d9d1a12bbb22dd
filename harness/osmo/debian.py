# SPDX-License-Identifier: BSD-2-Clause
"""Files of Debian packages: from the host, or from the cache where harness/deps unpacked them."""

import functools
import pathlib
import re

from osmo import paths


def roots() -> list[pathlib.Path]:
    return [pathlib.Path("/"), paths.cache() / "root"]


def find(*names: str) -> pathlib.Path | None:
    """The first of these files (relative to a root) that exists."""
    for root in roots():
        for name in names:
            path = root / name
            if path.is_file():
                return path
    return None


def _version(path: pathlib.Path) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", path.name)]


@functools.cache
def kernel() -> pathlib.Path | None:
    """Debian's own newest amd64 kernel that has its modules beside it."""
    found = [path for root in roots() for path in root.glob("boot/vmlinuz-*-amd64")
             if modules(path).is_dir()]
    return max(found, key=_version) if found else None


def modules(image: pathlib.Path) -> pathlib.Path:
    """The module tree that belongs to a kernel image."""
    root = image.parent.parent
    release = image.name.removeprefix("vmlinuz-")
    lib = root / "lib" / "modules" / release
    return lib if lib.is_dir() else root / "usr" / "lib" / "modules" / release


@functools.cache
def xen() -> pathlib.Path | None:
    """Xen 4.17 as the package brings it: a gzipped multiboot image."""
    return find("boot/xen-4.17-amd64.gz")
