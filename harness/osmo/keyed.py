# SPDX-License-Identifier: BSD-2-Clause
"""base/keyed.h in Python: random numbers by key (seed, object, event), never from a stream."""

import zlib

MASK = (1 << 64) - 1


def mix(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def random(seed: int, item: int, event: int) -> int:
    """A uniform 64-bit value."""
    return mix(mix(mix(seed & MASK) ^ item) ^ event)


def below(seed: int, item: int, event: int, limit: int) -> int:
    """A uniform value below `limit`."""
    return (random(seed, item, event) * limit) >> 64


def item(name: str) -> int:
    """An object's number from its name."""
    return zlib.crc32(name.encode())
