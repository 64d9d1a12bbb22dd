"""P31: host instructions for an emulated one, counted by callgrind; and that the fast way
ends where the exact one does."""

import json
import re
import shutil
import subprocess

import pytest

from z8000_step import TOP

TOOL = TOP / "build" / "z8000" / "z8000-node"
PROGRAMS = {"sort": "0", "matrix": "200", "count": "400", "text": "600"}
FEW, MANY = 4_000_000, 12_000_000


def speed(program: str, clocks: int, way: str, *wrap: str) -> subprocess.CompletedProcess[str]:
    if not (TOOL.parent / "load.bin").exists():
        pytest.skip("no Z8000 programs (harness/z8k-binutils builds their assembler)")
    command = [*wrap, str(TOOL), "speed", PROGRAMS[program], str(clocks), way]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)


@pytest.mark.parametrize("program", PROGRAMS)
def test_fast_equals_exact(program: str) -> None:
    for clocks in (100_000, 3_000_001):
        fast, exact = (json.loads(speed(program, clocks, way).stdout) for way in ("fast", "exact"))
        assert (fast["clocks"], fast["check"]) == (exact["clocks"], exact["check"])


def host_instructions(program: str, clocks: int) -> int:
    said = speed(program, clocks, "fast", "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null").stderr
    found = re.search(r"refs:\s+([\d,]+)", said)
    assert found, said
    return int(found[1].replace(",", ""))


GOAL = 12.0


@pytest.mark.parametrize("program", PROGRAMS)
def test_host_instructions_each(program: str) -> None:
    """Sorting, multiplying, counting by a subroutine in memory, block moves and searches (an
    iteration counts as one)."""
    if not shutil.which("valgrind"):
        pytest.skip("no valgrind")
    few, many = (json.loads(speed(program, n, "exact").stdout)["instructions"] for n in (FEW, MANY))
    each = (host_instructions(program, MANY) - host_instructions(program, FEW)) / (many - few)
    assert each <= GOAL, f"{each:.2f} host instructions for an emulated one"
