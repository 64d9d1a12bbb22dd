# SPDX-License-Identifier: BSD-2-Clause
"""Domains' objects in the machine, and what cannot be tested inside a C test."""

import pathlib
import re
import subprocess

from test_boot import passed, run

HERE = pathlib.Path(__file__).resolve().parent


def test_layouts_of_32_bit_callers() -> None:
    """H04: what hyp/dom reads for a 32-bit caller is what Xen's headers mean for 32 bits."""
    done = subprocess.run(
        ["gcc", "-m32", "-ffreestanding", "-fsyntax-only", "-std=gnu11", str(HERE / "layout32.c")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    assert done.returncode == 0, done.stdout


def test_events_and_grants_in_the_machine() -> None:
    """H06, H07, P3-P6: right, one world switch to a call, and the same cost every time."""
    said = [run("objects", append="clock=count", clock="count", shift=0) for _ in range(2)]
    assert passed(said[0]), said[0]
    rows = [re.findall(r"^(P\d) .* instructions ([\d.]+) switches ([\d.]+)$", s, re.M) for s in said]
    assert [row[0] for row in rows[0]] == ["P3", "P4", "P5", "P6"], said[0]
    assert rows[0] == rows[1]
    assert rows[0][0][2] == "1.000"
