# SPDX-License-Identifier: BSD-2-Clause
"""The words of a medium's faults, read as net/media/command.c reads them: what the fabric would refuse in the
middle of a run is refused before it."""

import re
from collections.abc import Sequence

from osmo import units

NUMBER = re.compile(r"(\d+)(?:\.(\d*))?(ns|us|ms|s)?")
TIME_MOST = 1000000  # of the unit
KINDS = {"P": "probability, which is from 0 to 1", "TIME": "time, such as 10ms", "N": "count",
         "A>B": "direction A>B"}
SAME = {"PBAD": "P", "PGOOD": "P", "BITS": "N", "BYTES": "N"}
NOT_ZERO = {("jitter", "TIME"), ("flap", "TIME"), ("reorder", "TIME"), ("corrupt", "N")}


def duration(ns: int) -> str:
    """A time as the fabric reads it, which takes no more than a million of any unit."""
    if ns <= TIME_MOST * 10**9 and int(units.show_time(ns).rstrip("nums")) > TIME_MOST:
        return f"{ns // 10**9}.{ns % 10**9:09}s"
    return units.show_time(ns)


def _good(kind: str, word: str) -> bool:
    if kind == "A>B":
        return re.fullmatch(r"[^\s>]+>[^\s>]+", word) is not None
    match = NUMBER.fullmatch(word)
    if not match:
        return False
    whole, part, unit = int(match[1]), int(match[2] or 0), match[3]
    if kind == "TIME":
        return unit is not None and whole <= TIME_MOST
    if kind == "P":
        return unit is None and (whole == 0 or whole == 1 and part == 0)
    return unit is None and part == 0


def ports(words: Sequence[str]) -> list[str]:
    """Whom a fault names, by the names of ports; `*` and numbers, which mean any and the n-th, left out."""
    named = [w for w in words[1:] if words[0] in ("cut", "partition") or ">" in w]
    every = [name for word in named for name in re.split("[>,|]", word)]
    return [name for name in every if name != "*" and not name.isdecimal()]


def ways(words: Sequence[str]) -> list[tuple[str, str]]:
    """From whom to whom the frames go that a fault is of; none: all."""
    last = words[-1]
    if words[0] == "partition":
        return []
    if ">" in last:
        source, _, target = last.partition(">")
        return [(source, target)]
    return [(last, "*"), ("*", last)] if words[0] == "cut" and len(words) == 2 else []


def goes(source: str, target: str, wanted: Sequence[tuple[str, str]]) -> bool:
    """Whether a frame goes one of these ways; an end that is not known, or named by its number, may be any."""
    def fits(one: str, word: str) -> bool:
        return not one or word in ("*", one) or word.isdecimal()
    return not wanted or any(fits(source, a) and fits(target, b) for a, b in wanted)


def check(words: Sequence[str], form: str) -> None:
    """The fault's name and what follows, by its form such as `P [TIME] [A>B]`; ValueError says what is wrong."""
    if words[0] in ("cut", "partition"):  # one word, which names the media's ports
        if len(words) != 2:
            raise ValueError(f"`{' '.join(words)}`: say `{words[0]} {form}`")
        return
    left = list(words[1:])
    for part in form.split():
        name = part.strip("[]")
        kind = SAME.get(name, name)
        if left and _good(kind, left[0]):
            word = left.pop(0)
            if (words[0], kind) in NOT_ZERO and not re.search("[1-9]", word):
                raise ValueError(f"`{word}` is nothing: leave `{words[0]}` out")
        elif left and not part.startswith("["):
            raise ValueError(f"`{left[0]}` is no {KINDS[kind]}")
    if left:
        raise ValueError(f"`{left[0]}` is too much: say `{words[0]} {form}`")
