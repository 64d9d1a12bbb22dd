# SPDX-License-Identifier: BSD-2-Clause
"""Folders for a while: a machine's, with its RAM, and those of what is made for it. In memory, if there is enough.

Whoever makes one holds a lock on it for as long as it lives, which ends with the process however that ends. So
what a process left that was killed can be told from what is in use, and the next one sweeps it up. What an
interrupt left, in the midst of making or removing one, goes when the process ends.
"""

import atexit
import contextlib
import fcntl
import os
import pathlib
import secrets
import shutil
import time

from osmo import paths

PREFIX = "osmosis-run-"
YOUNG_SECONDS = 60.0  # one may have been made and not be locked yet

_swept = False
_own: dict[pathlib.Path, int] = {}  # folders of this process that are not gone yet; of another's, after a fork


class Scratch:
    """The folder is there from the start; gone when closed or left."""

    def __init__(self) -> None:
        sweep_once()
        self.path = paths.scratch_parent() / f"{PREFIX}{secrets.token_hex(8)}"
        _own[self.path] = os.getpid()
        self.path.mkdir(mode=0o700)
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def __enter__(self) -> pathlib.Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """May be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        _own.pop(self.path, None)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


@atexit.register
def _remove_own() -> None:
    for path in [path for path, maker in _own.items() if maker == os.getpid()]:
        shutil.rmtree(path, ignore_errors=True)


def sweep_once() -> None:
    """Before this process makes its first folder."""
    global _swept
    if not _swept:
        _swept = True
        sweep(paths.scratch_parent())


def sweep(parent: pathlib.Path, young_seconds: float = YOUNG_SECONDS) -> None:
    """Removes what nobody holds any more."""
    for path in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            about = path.lstat()
            if about.st_uid == os.getuid() and time.time() - about.st_mtime >= young_seconds:
                _remove_unheld(path)


def _remove_unheld(path: pathlib.Path) -> None:
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(held)
