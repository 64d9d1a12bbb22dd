# SPDX-License-Identifier: BSD-2-Clause
"""What building a DEMOS program outside the tree needs: headers, libraries, flags, a template.

The tree and an installed copy have the same shape, so that headers are found from the top of
either, as "guest/lib/demos.h".
"""

import pathlib
import shutil
import subprocess

from osmo import paths
from osmo.errors import Problem

# What the program's side of the kernel's ABI asks of a compiler; mk/toolchain.mk has the same
# for programs of the tree, and a test holds the two together.
FLAGS = ("-std=gnu11", "-ffreestanding", "-fno-builtin", "-fno-stack-protector", "-fno-pie", "-fno-pic",
         "-fno-asynchronous-unwind-tables", "-fcf-protection=none", "-m64", "-march=x86-64",
         "-ffunction-sections", "-fdata-sections", "-msse2", "-mno-red-zone", "-fno-strict-aliasing",
         "-fno-common", "-DOSMOSIS_PROG=1")
USUAL = ("-O2", "-g", "-Wall", "-Wextra")
LINKING = ("-nostdlib", "-static", "-z", "noexecstack", "-z", "max-page-size=4096", "--gc-sections",
           "--build-id=none")

PROGRAM = """/* {name}: says what it was told. guest/lib/README.md has what programs can do. */
#include "guest/lib/demos.h"

int main(int argc, char **argv)
{{
    demos_print("{name} has %d arguments", argc - 1);
    for (int i = 1; i < argc; i++)
        demos_print(" %s", argv[i]);
    demos_print("\\n");
    return 0;
}}
"""
CLUSTER = """# Run it:  osmosis run {name}.toml
clock = "count"
for = "2s"

[nodes.n]
programs = ["./{name} one two"]

[expect.output]
n = "{name} has 2 arguments one two"

[expect.exit]
n = "poweroff"
"""
MAKEFILE = """{name}: {name}.c
\tosmosis cc -o $@ $<

run: {name}
\tosmosis run {name}.toml

.PHONY: run
"""


def libraries() -> list[pathlib.Path]:
    found = [paths.build() / "prog" / f"lib{name}.a" for name in ("demos", "base")]
    return [paths.need(path) for path in found]


def compiler() -> str:
    found = next((c for c in ("gcc", "clang") if shutil.which(c)), None)
    if found is None:
        raise Problem("there is no C compiler", "install gcc")
    return found


def run(words: list[str]) -> None:
    """A tool that says itself what is wrong."""
    done = subprocess.run(words, check=False)
    if done.returncode:
        raise Problem(f"{words[0]} failed")


def templates(name: str) -> dict[str, str]:
    """The files of a new program, by name."""
    return {f"{name}.c": PROGRAM.format(name=name), f"{name}.toml": CLUSTER.format(name=name),
            "Makefile": MAKEFILE.format(name=name)}
