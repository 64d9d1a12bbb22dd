# SPDX-License-Identifier: BSD-2-Clause
"""The ABI as test suites of others see it: kernels of one shape each (64-bit, 32-bit with and
without paging), as domains side by side. Each check is a line; tests/hyp/suite has them, and
tests/interop/test_suite_xen.py runs the same images on Xen.
"""

import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "control"))

import machine  # noqa: E402

SHAPES = ["4", "3", "2", "0"]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All shapes in one machine, one after another."""
    plan = "".join(f"create k{s} image=suite-{s} mem=32M\n" for s in SHAPES) + f"start k{SHAPES[0]}\n"
    for one, following in zip(SHAPES, SHAPES[1:]):
        plan += f"when exit k{one} start k{following}\n"
    plan += f"when exit k{SHAPES[-1]} finish\nat 60s finish status=1\n"
    ended = machine.run(tmp_path_factory.mktemp("suite"), plan, [f"suite-{s}" for s in SHAPES], seconds=100)
    return ended.serial


@pytest.mark.parametrize("shape", SHAPES)
def test_suite(said: str, shape: str) -> None:
    """H02, H04, H05, H13: every check of that shape passes, and the domain powers off."""
    bits = 64 if shape == "4" else 32
    part = re.search(rf"^A kernel of {bits} bits with {shape} levels of paging$(.*?)^(\d+) checks passed, "
                     r"(\d+) failed\nTest result: (\w+)$", said, re.M | re.S)
    assert part, said[-3000:]
    assert part[4] == "SUCCESS", [line for line in part[1].splitlines() if line.startswith("FAIL")]
    assert int(part[2]) == len(re.findall("^ok ", part[1], re.M)) > 100
    assert re.search(rf'"event":"exit","name":"k{shape}".*"reason":"poweroff"', said), said[-3000:]
