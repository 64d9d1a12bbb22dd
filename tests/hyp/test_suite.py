# SPDX-License-Identifier: BSD-2-Clause
"""The ABI as test suites of others see it: kernels of one shape each (64-bit, 32-bit with PAE, with
4 MiB pages, and without paging), as domains one after another. Each check is a line;
tests/hyp/suite has them, and tests/interop/test_suite_xen.py runs the same images on Xen.
"""

import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "control"))

import machine  # noqa: E402

SHAPES = {"4": (64, 4), "3": (32, 3), "2": (32, 2), "0": (32, 0)}
# The same in other files: at physical 0, at 20 MiB, 64-bit code in ELF32 for either machine.
FILES = {"low": (32, 0), "high": (32, 2), "narrow": (64, 4), "x32": (64, 4)}
WORDS = "words of a line"


def module(number: int, size: int) -> bytes:
    """As tests/hyp/suite/placing.c knows it: less than a page, or some, whole or not."""
    name = b"module %d" % number
    return name + bytes((k % 251 + number) & 255 for k in range(len(name), size))


def run(tmp_path: pathlib.Path, names: list[str], cmdline: str = WORDS, **changes: object) -> str:
    """The kernels as domains of one machine, each started when the one before it has ended."""
    modules = [tmp_path / f"module{i}" for i in range(4)]
    for i, path in enumerate(modules):
        path.write_bytes(module(i, (8, 10000, 8192, 70001)[i]))
    given = " ".join(f"module={path.name}" for path in modules)
    plan = "".join(f'create k{name} image=suite-{name} mem=32M cmdline="{cmdline}" {given}\n' for name in names)
    plan += f"start k{names[0]}\n"
    plan += "".join(f"when exit k{one} start k{following}\n" for one, following in zip(names, names[1:]))
    plan += f"when exit k{names[-1]} finish\nat 300s finish status=1\n"
    images = [f"suite-{name}" for name in names] + [str(path) for path in modules]
    return machine.run(tmp_path, plan, images, 400, None, **changes).serial


def check(said: str, name: str, bits: int, levels: int) -> None:
    parts = said.split(f'"event":"start","name":"k{name}"')
    assert len(parts) == 2, said[-3000:]
    part = re.search(rf"^A kernel of {bits} bits with {levels} levels of paging$(.*?)^(\d+) checks passed, "
                     r"(\d+) failed\nTest result: (\w+)$", parts[1], re.M | re.S)
    assert part, parts[1][-3000:]
    assert part[4] == "SUCCESS", [line for line in part[1].splitlines() if line.startswith("FAIL")]
    assert int(part[2]) == len(re.findall("^ok ", part[1], re.M)) > 400
    assert re.search(rf'"event":"exit","name":"k{name}".*"reason":"poweroff"', parts[1]), parts[1][-3000:]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> str:
    return run(tmp_path_factory.mktemp("shapes"), list(SHAPES))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> str:
    return run(tmp_path_factory.mktemp("files"), list(FILES))


@pytest.mark.parametrize("shape", SHAPES)
def test_suite(shapes: str, shape: str) -> None:
    """H02, H04, H05, H06, H07, H13, L45: every check of that shape passes, and the domain powers off."""
    check(shapes, shape, *SHAPES[shape])


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_kinds(files: str, name: str) -> None:
    """H05: load address 0, a high one, ELF32 that carries 64-bit code, for both machines."""
    check(files, name, *FILES[name])


def test_a_richer_processor(tmp_path: pathlib.Path) -> None:
    """XSAVE, SMEP, UMIP and what else the emulator has: offered and usable, or neither."""
    said = run(tmp_path, ["4"], cpu="max")
    check(said, "4", 64, 4)
    assert "ok xsetbv: avx without sse" in said


def test_ends(tmp_path: pathlib.Path) -> None:
    """H05, H16: how a kernel ends is what is told of it: HLT with interrupts off is a power-off, a
    watchdog that nobody sets again is its own reason, a triple fault a reboot; the last words come through."""
    ends = {"halt": "poweroff", "reboot": "reboot", "crash": "crash", "silent": "watchdog", "fault": "reboot"}
    plan = "".join(f'create e-{how} image=suite-0 mem=32M on_reboot=destroy cmdline="x {how}"\n' for how in ends)
    order = list(ends)
    plan += f"start e-{order[0]}\n"
    plan += "".join(f"when exit e-{one} start e-{following}\n" for one, following in zip(order, order[1:]))
    plan += f"when exit e-{order[-1]} finish\nat 300s finish status=1\n"
    ended = machine.run(tmp_path, plan, ["suite-0"])
    assert {str(e["name"])[2:]: e["reason"] for e in ended.events("exit")} == ends, ended.serial[-3000:]
    for words in ("halting with interrupts off", "reason 1", "reason 3", "silent from now on",
                  "crashed: triple fault"):
        assert words in ended.serial
