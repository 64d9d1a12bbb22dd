# SPDX-License-Identifier: BSD-2-Clause
"""Words of the command language, in which plans and the command port speak (guest/control)."""

import dataclasses
import re

from osmo.types import EVENTS

PLAIN = re.compile(r"[A-Za-z0-9_.:/@%+,>|~^-]+")
ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """A word of the command language, in quotes if it needs them."""
    if PLAIN.fullmatch(text):
        return text
    inner = "".join(ESCAPES.get(c) or (c if " " <= c < "\x7f" or c > "\x9f" else f"\\x{ord(c):02x}")
                    for c in text)
    return f'"{inner}"'


@dataclasses.dataclass(frozen=True)
class Moment:
    """`trace NODE EVENT [N] [a=A]`: the N-th record of that type, and that a, of a node's trace."""

    node: str
    type: int
    count: int
    a: int | None


def moment(text: str) -> Moment | None:
    """None where the condition is another one; ValueError says what would be right."""
    kind, *words = text.split()
    if kind != "trace":
        return None
    if len(words) < 2 or words[1] not in EVENTS:
        raise ValueError(f"say `trace NODE EVENT [N] [a=N]`, EVENT one of {', '.join(EVENTS)}")
    count, a = 1, None
    for word in words[2:]:
        number = word.removeprefix("a=")
        if not number.isdecimal() or (word is number and int(number) == 0):
            raise ValueError(f"`{word}`: say which one, from 1, or a=N")
        count, a = (int(number), a) if word == number else (count, int(number))
    return Moment(words[0], EVENTS[words[1]], count, a)


def names(text: str) -> set[str]:
    """The nodes that a condition speaks of: of `store PATH VALUE` those in braces, `/local/domain/{NODE}/...`."""
    kind, word, *_ = text.split()
    return set(re.findall(r"\{([^{}]*)\}", word)) if kind == "store" else {word}


def condition(text: str) -> str:
    """`exit NODE`, `output NODE TEXT` and `store PATH VALUE`, whose last is one word of the language, or
    `trace ...`."""
    at = moment(text)
    if at:
        return f"trace {at.node} {at.type:#x} {at.count} {'any' if at.a is None else at.a}"
    kind, name, *rest = text.split(None, 2)
    return " ".join([kind, name, *map(quoted, rest)])
