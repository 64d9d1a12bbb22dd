# SPDX-License-Identifier: BSD-2-Clause
"""Types of command-line arguments: numbers in their range, folders that have a name.

What argparse's own types let through, such as -1 processors, nan seconds or a folder called "", is refused
where it is read, with the range.
"""

import argparse
import pathlib
from collections.abc import Callable

SECONDS_MOST = 10.0**7


def whole(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or len(text) > 30 or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text[:30]!r} is no whole number from {least} to {most}")
        return int(text)
    return number


def seconds(text: str) -> float:
    """More than none, and a number: nan is neither more nor less than anything."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= SECONDS_MOST:
        most = f"{SECONDS_MOST:.0f}"
        raise argparse.ArgumentTypeError(f"{text[:30]!r} is no number of seconds above 0, {most} at most")
    return value


def folder(text: str) -> pathlib.Path:
    """A path, which an empty word, such as a variable of a shell that is not set, is not."""
    if not text:
        raise argparse.ArgumentTypeError("a folder's name is empty")
    return pathlib.Path(text)
