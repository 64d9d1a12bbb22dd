"""P31: host instructions for an emulated one, counted by callgrind; and that the fast way
ends where the exact one does."""

import shutil

import pytest

from osmo import bench_z8000, goals
from z8000_step import TOP


@pytest.fixture(autouse=True)
def programs() -> None:
    if not (TOP / "build" / "z8000" / "load.bin").exists():
        pytest.skip("no Z8000 programs (harness/z8k-binutils builds their assembler)")


@pytest.mark.parametrize("program", bench_z8000.PROGRAMS)
def test_fast_equals_exact(program: str) -> None:
    for clocks in (100_000, 3_000_001):
        fast, exact = (bench_z8000.speed(program, clocks, way) for way in ("fast", "exact"))
        assert (fast["clocks"], fast["check"]) == (exact["clocks"], exact["check"])


@pytest.mark.parametrize("program", bench_z8000.PROGRAMS)
def test_host_instructions_each(program: str) -> None:
    if not shutil.which("valgrind"):
        pytest.skip("no valgrind")
    each = bench_z8000.host_instructions(program)
    assert 3 < each <= (goals.BY_ID["P31"].most or 0), f"{each:.2f} host instructions for an emulated one"
