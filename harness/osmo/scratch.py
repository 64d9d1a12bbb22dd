# SPDX-License-Identifier: BSD-2-Clause
"""Folders for a while: a machine's, with its RAM, and those of what is made for it. In memory, if there is enough.

Whoever makes one holds a lock on it for as long as it lives, which ends with the process however that ends. So
what a process left that was killed can be told from what is in use, and the next one sweeps it up.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import tempfile
import time

from osmo import paths

PREFIX = "osmosis-run-"
YOUNG_SECONDS = 60.0  # one may have been made and not be locked yet

_swept = False


class Scratch:
    """The folder is there from the start; gone when closed or left."""

    def __init__(self) -> None:
        sweep_once()
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX, dir=paths.scratch_parent()))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def __enter__(self) -> pathlib.Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """May be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


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
