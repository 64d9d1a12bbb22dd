# SPDX-License-Identifier: BSD-2-Clause
"""Where things lie in an image of ours, asked of gdb and the image's own debug information."""

import functools
import pathlib
import shutil
import subprocess

from osmo.errors import Problem


def member(struct: str, path: str) -> str:
    """The expression for where `path` lies within `struct`."""
    return f"&((struct {struct} *)0)->{path}"


def ask(image: pathlib.Path, **expressions: str) -> dict[str, int]:
    """The value of each C expression, by its name; many nodes of one image ask the same."""
    return _asked(image, image.stat().st_mtime_ns if image.is_file() else 0, tuple(expressions.items()))


@functools.lru_cache
def _asked(image: pathlib.Path, _changed_ns: int, expressions: tuple[tuple[str, str], ...]) -> dict[str, int]:
    if not shutil.which("gdb"):
        raise Problem("gdb is not installed", "run `make deps`")
    words = [w for name, e in expressions
             for w in ("-ex", f'printf "{name} %lu\\n", (unsigned long)({e})')]
    done = subprocess.run(["gdb", "-nx", "-batch", *words, str(image)], capture_output=True, text=True,
                          check=False)
    found = {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines() if len(line.split()) == 2}
    missing = next((name for name, _ in expressions if name not in found), None)
    if missing:
        raise Problem(f"{image} does not say where `{missing}` lies",
                      "build hypervisor, images and harness from the same tree")
    return found
