# SPDX-License-Identifier: BSD-2-Clause
"""Words of the command language, in which plans and the command port speak (guest/control)."""

import re

PLAIN = re.compile(r"[A-Za-z0-9_.:/@%+,>|~^-]+")
ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """A word of the command language, in quotes if it needs them."""
    if PLAIN.fullmatch(text):
        return text
    inner = "".join(ESCAPES.get(c) or (c if " " <= c < "\x7f" or c > "\x9f" else f"\\x{ord(c):02x}")
                    for c in text)
    return f'"{inner}"'


def condition(text: str) -> str:
    """`exit NODE` or `output NODE TEXT`, whose text is one word of the language."""
    kind, name, *rest = text.split(None, 2)
    return " ".join([kind, name, *map(quoted, rest)])
