# SPDX-License-Identifier: BSD-2-Clause
"""The words of faults that the control domain carries out, read as it reads them (guest/control/README.md): what
it would refuse in the middle of a run is refused before it. media_words.py has those of the fabric."""

import re
from collections.abc import Sequence

from osmo import units

KINDS = {"PERCENT": "share of a processor, such as 20%", "TIME": "time, such as 10ms", "N": "number",
         "PROGRAM": "program"}
PERCENT_MOST = 65534
NUMBER_MOST = 2**64 - 1


def _good(kind: str, word: str) -> bool:
    if kind == "PROGRAM":
        return bool(word)
    if kind == "TIME":
        try:
            return units.time_ns(word) <= NUMBER_MOST
        except ValueError:
            return False
    number = word.removesuffix("%") if kind == "PERCENT" else word
    least, most = (1, PERCENT_MOST) if kind == "PERCENT" else (0, NUMBER_MOST)
    return re.fullmatch("[0-9]+", number) is not None and least <= int(number) <= most


def _one(kind: str, word: str) -> None:
    if "|" in kind:
        if word not in kind.split("|"):
            raise ValueError(f"`{word}` is none of {', '.join(kind.split('|'))}")
    elif not _good(kind, word):
        raise ValueError(f"`{word}` is no {KINDS[kind]}")


def check(words: Sequence[str], form: str) -> None:
    """The fault's name and what follows, by its form such as `PROGRAM [N]` or `after=N [every=N]`; ValueError says
    what is wrong."""
    said = f"say `{words[0]} {form}`"
    parts = [part.strip("[]") for part in form.split()]
    places = [part for part in parts if "=" not in part]
    names = dict(part.split("=") for part in parts if "=" in part)
    given = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    plain = [word for word in words[1:] if "=" not in word]
    for kind, word in zip(places, plain):
        _one(kind, word)
    extra = [*plain[len(places):], *(f"{name}={value}" for name, value in given.items() if name not in names)]
    if extra:
        raise ValueError(f"`{extra[0]}` is too much: {said}")
    for name, value in given.items():
        _one(names[name], value)
    missing = [part for part in form.split() if part[0] != "[" and "=" in part and part.split("=")[0] not in given]
    if missing or len(plain) < sum(part[0] != "[" and "=" not in part for part in form.split()):
        raise ValueError(f"`{' '.join(words)}`: {said}")
