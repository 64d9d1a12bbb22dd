# SPDX-License-Identifier: BSD-2-Clause
"""tests/FEATURES.md: which rows exist, which tests name them, and whether that is true.

A test names the rows it proves in its docstring (Python) or its file's first comment (C).
`harness/features` fills the table's last column from that; the state column stays a
person's word: open, part or done. A row that is done without a test is an error.
"""

import argparse
import ast
import dataclasses
import pathlib
import re

from osmo import paths

TABLE = "tests/FEATURES.md"
ROW = re.compile(r"^\| ([A-Z]{1,2}\d{2}) \|")
ID = re.compile(r"\b([A-Z]{1,2}\d{2})\b(?:-([A-Z]{0,2})(\d{2})\b)?")
STATES = ("open", "part", "done")


@dataclasses.dataclass
class Row:
    id: str
    what: str
    prio: str
    state: str
    tests: list[str]

    def line(self) -> str:
        return f"| {self.id} | {self.what} | {self.prio} | {self.state} | {', '.join(self.tests)} |"


def parse_row(line: str) -> Row | None:
    if not ROW.match(line):
        return None
    cells = [c.strip() for c in line.strip()[1:-1].split(" | ")]
    name, what, prio, state = cells[:4]
    tests = cells[4].strip(" |") if len(cells) > 4 else ""
    return Row(name, what, prio, state, [t for t in tests.split(", ") if t])


def ids_in(text: str) -> set[str]:
    """H06, DL12 and ranges such as U22-U38 or H06-08."""
    found: set[str] = set()
    for first, prefix, last in ID.findall(text):
        letters, low = first.rstrip("0123456789"), int(first.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        high = int(last) if last and prefix in ("", letters) else low
        found |= {f"{letters}{n:02}" for n in range(low, max(low, high) + 1)}
    return found


def python_tests(path: pathlib.Path) -> dict[str, str]:
    """Text that may name rows, by test: functions, and the module for the file itself."""
    tree = ast.parse(path.read_text())
    texts = {"": ast.get_docstring(tree) or ""}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            texts["::" + node.name] = ast.get_docstring(node) or ""
    return texts


def c_header(path: pathlib.Path) -> str:
    """The comments before the first line of code."""
    text = path.read_text(errors="replace")
    return text.split("#include", 1)[0]


def scan() -> dict[str, list[str]]:
    """Row id to the tests that name it."""
    found: dict[str, list[str]] = {}
    for path in sorted((paths.TOP / "tests").rglob("test_*.py")):
        name = path.relative_to(paths.TOP).as_posix()
        for part, text in python_tests(path).items():
            for row in ids_in(text):
                found.setdefault(row, []).append(name + part)
    for path in sorted([*(paths.TOP / "tests").rglob("test_*.c"), *(paths.TOP / "tests").rglob("fuzz_*.c")]):
        for row in ids_in(c_header(path)):
            found.setdefault(row, []).append(path.relative_to(paths.TOP).as_posix())
    return found


def read_table() -> list[Row]:
    lines = (paths.TOP / TABLE).read_text().splitlines()
    return [row for row in map(parse_row, lines) if row]


def faults() -> list[str]:
    """What is untrue in the table as it stands."""
    known = scan()
    said = []
    for row in read_table():
        if row.state not in STATES:
            said.append(f"{row.id}: state `{row.state}` is none of {', '.join(STATES)}")
        if row.state == "done" and not row.tests:
            said.append(f"{row.id}: done without a test")
        for test in row.tests:
            if not (paths.TOP / test.split("::")[0]).is_file():
                said.append(f"{row.id}: {test} does not exist")
            elif test not in known.get(row.id, []):
                said.append(f"{row.id}: {test} does not name it")
    return said


def filled(text: str, known: dict[str, list[str]]) -> str:
    lines = []
    for line in text.splitlines():
        row = parse_row(line)
        if row:
            row.tests = known.get(row.id, [])
            line = row.line()
        lines.append(line)
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="harness/features", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, report what is untrue")
    options = parser.parse_args(arguments)
    if not options.check:
        path = paths.TOP / TABLE
        path.write_text(filled(path.read_text(), scan()))
    said = faults()
    print("\n".join(said) if said else "the table is true")
    rows = read_table()
    for state in STATES:
        print(f"{state}: {sum(row.state == state for row in rows)}")
    proven = [row.id for row in rows if row.state == "open" and row.tests]
    if proven:
        print("open, yet named by a test:", " ".join(proven))
    return 1 if said else 0
