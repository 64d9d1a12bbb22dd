# SPDX-License-Identifier: BSD-2-Clause
"""Where things lie: the tree or the installed copy, what was built, and the cache.

An installed copy has the same shape as the tree below one directory, so that nothing
else needs to know which of the two it runs from.
"""

import os
import pathlib

from osmo.errors import Problem

TOP = pathlib.Path(__file__).resolve().parent.parent.parent


def build() -> pathlib.Path:
    """The directory of built things; OSMOSIS_BUILD chooses another (say build/clang)."""
    return pathlib.Path(os.environ.get("OSMOSIS_BUILD") or TOP / "build")


def cache() -> pathlib.Path:
    """What is costly to get again: unpacked packages, tools built from source."""
    given = os.environ.get("OSMOSIS_CACHE")
    if given:
        return pathlib.Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "osmosis"


def hypervisor() -> pathlib.Path:
    return build() / "hyp" / "osmosis"


def image(name: str) -> pathlib.Path:
    """A guest image of ours by name, or a path to somebody else's."""
    if "/" in name:
        return pathlib.Path(name)
    return build() / "images" / name


def there(path: pathlib.Path) -> bool:
    """Whether there is such a file; a name that no file can have is that of none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def need(path: pathlib.Path, remedy: str = "build it with `make`") -> pathlib.Path:
    """The path, if there is a file; else a Problem that says how to get one."""
    if not there(path):
        raise Problem(f"{path} does not exist", remedy)
    return path


def scratch_parent() -> pathlib.Path:
    """Where short-lived files such as the machine's RAM go: memory, if there is enough."""
    shm = pathlib.Path("/dev/shm")
    if shm.is_dir() and os.access(shm, os.W_OK):
        return shm
    return pathlib.Path(os.environ.get("TMPDIR", "/tmp"))
