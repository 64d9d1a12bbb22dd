# SPDX-License-Identifier: BSD-2-Clause
"""Times, sizes and rates as people write them: 250ms, 8M, 10k. Integers inside."""

import re

TIME = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
SIZE = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
RATE = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}
MOST = 2**63 - 1  # of times 292 years
LETTERS = 60      # of a number, and of what is shown of one that is none
NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?\s*([a-zA-Z]*)")


def _parse(text: str, units: dict[str, int], example: str) -> int:
    """Exact: digits behind the point must come out as a whole number of the unit."""
    match = NUMBER.fullmatch(text.strip()) if len(text) <= LETTERS else None
    if not match or match[3] not in units:
        known = ", ".join(unit for unit in units if unit)
        bare = "alone or " if "" in units else ""
        raise ValueError(f"`{text[:LETTERS]}` is no number {bare}with one of {known} behind it, as in {example}")
    whole, part, scale = int(match[1]), str(match[2] or ""), units[match[3]]
    value, rest = divmod(int(str(whole) + part) * scale, 10 ** len(part))
    if value > MOST:
        raise ValueError(f"`{text}` is more than anything here can be")
    if rest:
        raise ValueError(f"`{text}` is finer than the smallest unit")
    return int(value)


def time_ns(text: str) -> int:
    return _parse(text, TIME, "250ms")


def size_bytes(text: str) -> int:
    return _parse(text, SIZE, "8M")


def rate_bytes(text: str) -> int:
    """Bytes a second."""
    return _parse(text, RATE, "10k")


def show_time(ns: int) -> str:
    """The shortest exact form, as the command language reads it."""
    for unit in ("s", "ms", "us"):
        if ns and ns % TIME[unit] == 0:
            return f"{ns // TIME[unit]}{unit}"
    return f"{ns}ns"


def short_time(ns: float) -> str:
    """For people: three digits and a unit."""
    if abs(ns) >= 1000 * TIME["s"]:
        return f"{ns / TIME['s']:,.0f} s"
    for unit in ("s", "ms", "us"):
        if abs(ns) >= TIME[unit]:
            return f"{ns / TIME[unit]:.3g} {unit}"
    return f"{round(ns)} ns"


def show_size(size: int) -> str:
    for unit in ("G", "M", "K"):
        if size and size % SIZE[unit] == 0:
            return f"{size // SIZE[unit]}{unit}"
    return str(size)


def counted(number: int, noun: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
