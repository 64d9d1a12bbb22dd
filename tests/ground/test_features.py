# SPDX-License-Identifier: BSD-2-Clause
"""tests/FEATURES.md claims nothing that no test carries."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "harness"))

from osmo import features


def test_the_table_is_true() -> None:
    assert features.faults() == []


def test_every_row_once() -> None:
    names = [row.id for row in features.read_table()]
    assert len(names) == len(set(names)) > 300


def test_ids_and_ranges_are_read() -> None:
    assert features.ids_in("H06, DL12 and U22-U24; P7 H18-20") == {
        "H06", "DL12", "U22", "U23", "U24", "H18", "H19", "H20"}


def test_a_false_claim_is_seen() -> None:
    row = features.parse_row("| H01 | boots | P0 | done |  |")
    assert row and row.state == "done" and row.tests == []
    full = features.filled("| H01 | boots | P0 | part |  |\n", {"H01": ["a", "b"]})
    assert full == "| H01 | boots | P0 | part | a, b |\n"
