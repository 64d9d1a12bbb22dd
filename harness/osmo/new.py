# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis new NAME`: a folder with a program, a cluster that runs it, and a Makefile."""

import argparse
import pathlib

from osmo import schema, sdk
from osmo.errors import Problem

MOST = 24  # bytes of a program's name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", type=pathlib.Path, help="of the folder to make, and of the program in it")


def command(options: argparse.Namespace) -> int:
    folder, name = options.name, options.name.name
    if not schema.NAME.fullmatch(name) or len(name) > MOST:
        raise Problem(f"`{name}` is no program's name",
                      f"at most {MOST} letters, digits, `-`, `_` and `.`, a letter or digit first")
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise Problem(f"{folder}: {error.strerror}", "name a folder that is not there yet") from None
    for file, text in sdk.templates(name).items():
        (folder / file).write_text(text)
    print(f"{folder}: {name}.c, {name}.toml, Makefile; `make run` there builds and runs it")
    return 0
