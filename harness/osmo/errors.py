# SPDX-License-Identifier: BSD-2-Clause
"""The one exception a user sees: what is wrong, where, and what would be right."""


class Problem(Exception):
    """Something the user can mend. `where` is a file, key or command; `remedy` says how."""

    def __init__(self, what: str, remedy: str = "", where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.where = where

    def __str__(self) -> str:
        """Of words from files, what no terminal should see is written as Python does."""
        text = self._text()
        return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)

    def _text(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head} ({self.remedy})" if self.remedy else head
