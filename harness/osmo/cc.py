# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis cc -o NAME FILE...`: a DEMOS program of C files (and objects), anywhere.

Words that are not known here go to the compiler as they are (-I, -D, -O3 ...). What comes out
is a static program for x86 nodes in every place; a cluster file names it by its path.
"""

import argparse
import pathlib
import tempfile

from osmo import paths, sdk
from osmo.errors import Problem

SOURCES = (".c", ".S")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", dest="output", type=pathlib.Path, required=True, help="the program's file")
    parser.add_argument("words", nargs="*", help="C files, objects, options of the compiler")


def command(options: argparse.Namespace) -> int:
    files = [pathlib.Path(w) for w in options.words]
    flags = options.rest
    for file in files:
        paths.need(file, "name C files; options begin with `-`, with their value in the same word")
    if not files:
        raise Problem("nothing to build", "osmosis cc -o NAME FILE.c")
    compiler = sdk.compiler()
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for number, file in enumerate(files):
            if file.suffix not in SOURCES:
                objects.append(str(file))
                continue
            made = f"{folder}/{number}.o"
            sdk.run([compiler, *sdk.FLAGS, *sdk.USUAL, f"-I{paths.TOP}", *flags, "-c", str(file), "-o", made])
            objects.append(made)
        script = paths.need(paths.TOP / "guest" / "lib" / "program.lds")
        sdk.run(["ld.bfd", *sdk.LINKING, "-T", str(script), "-o", str(options.output), *objects,
                 *map(str, sdk.libraries())])
    return 0
