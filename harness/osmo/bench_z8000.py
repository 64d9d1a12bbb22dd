# SPDX-License-Identifier: BSD-2-Clause
"""The rows of `osmosis bench` for the Z8000: the paper's Table 1 in emulated time, and what an emulated
instruction costs the host by callgrind (`z8000-node table`, `z8000-node speed`).
"""

import json
import re
import subprocess
from typing import Any

from osmo import bench, doctor, paths
from osmo.errors import Problem

# The measured programs of z8000/asm/load.s, by their places: sorting, multiplying, counting by a subroutine in
# memory, block moves and searches (an iteration counts as one instruction).
PROGRAMS = {"sort": "0", "matrix": "200", "count": "400", "text": "600"}
FEW, MANY = 4_000_000, 12_000_000  # clocks


def tool(*arguments: str, wrap: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    program = paths.need(paths.build() / "z8000" / "z8000-node")
    return subprocess.run([*wrap, str(program), *arguments], capture_output=True, text=True, check=True,
                          timeout=100)


def speed(program: str, clocks: int, way: str) -> dict[str, Any]:
    """Where a program stands after so many clocks by the fast or the exact way."""
    said: dict[str, Any] = json.loads(tool("speed", PROGRAMS[program], str(clocks), way).stdout)
    return said


def host_instructions(program: str) -> float:
    """Of the fast way for an emulated one: start and decoding are in both runs."""
    counts = []
    for clocks in (FEW, MANY):
        said = tool("speed", PROGRAMS[program], str(clocks), "fast",
                    wrap=("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")).stderr
        found = re.search(r"refs:\s+([\d,]+)", said)
        if not found:
            raise Problem(f"z8000-node speed failed under valgrind: {said[-300:]}")
        counts.append(int(found[1].replace(",", "")))
    few, many = (int(speed(program, clocks, "exact")["instructions"]) for clocks in (FEW, MANY))
    return (counts[1] - counts[0]) / (many - few)


def rows() -> list[bench.Row]:
    table = json.loads(tool("table").stdout)["table1"]
    return [*(bench.Row("P32", f"{r['row']}: {r['measured_ms']} ms, paper {r['paper_ms']} ms", "z8000",
                        value=r["ratio"], unit="ratio", n=round(r["clocks"])) for r in table if "paper_ms" in r),
            *(bench.Row("P31", f"a Z8000 instruction, {program}", "z8000", I=host_instructions(program))
              for program in (PROGRAMS if doctor.which("valgrind") else ()))]
