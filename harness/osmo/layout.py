# SPDX-License-Identifier: BSD-2-Clause
"""Where things lie in an image of ours, asked of gdb and the image's own debug information."""

import pathlib
import shutil
import subprocess

from osmo.errors import Problem


def member(struct: str, path: str) -> str:
    """The expression for where `path` lies within `struct`."""
    return f"&((struct {struct} *)0)->{path}"


def ask(image: pathlib.Path, **expressions: str) -> dict[str, int]:
    """The value of each C expression, by its name."""
    if not shutil.which("gdb"):
        raise Problem("gdb is not installed", "run `make deps`")
    words = [w for name, e in expressions.items()
             for w in ("-ex", f'printf "{name} %lu\\n", (unsigned long)({e})')]
    done = subprocess.run(["gdb", "-nx", "-batch", *words, str(image)], capture_output=True, text=True,
                          check=False)
    found = {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines() if len(line.split()) == 2}
    if found.keys() != expressions.keys():
        raise Problem(f"{image} does not say where `{next(n for n in expressions if n not in found)}` lies",
                      "build hypervisor, images and harness from the same tree")
    return found
