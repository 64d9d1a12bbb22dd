# SPDX-License-Identifier: BSD-2-Clause
"""Two builds, same bytes: another directory, another time, the same images. What is built is not
built again, and what clang builds of it works, too.
"""

import filecmp
import pathlib
import shutil
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "harness"))

import machine
from osmo import lint


def images(build: pathlib.Path) -> list[str]:
    found = [p for p in build.glob("images/*") if p.is_file()] + [build / "hyp" / "osmosis"]
    return sorted(p.relative_to(build).as_posix() for p in found if p.is_file() and p.suffix != ".d")


def rebuilt(tree: pathlib.Path, name: str) -> set[str]:
    """The objects that make would compile anew for it."""
    said = subprocess.run(["make", "-n", name], cwd=tree, check=True, capture_output=True, text=True).stdout
    return {word for line in said.splitlines() if " -c " in line for word in line.split() if word.endswith(".o")}


def nothing_is_built_twice(tree: pathlib.Path, names: list[str]) -> None:
    """A second make does nothing; one after a header has changed compiles who sees it, and no more."""
    subprocess.run(["make", "-q", *(f"build/{n}" for n in names)], cwd=tree, check=True)
    (tree / "hyp" / "dom" / "grant.h").touch()
    again = rebuilt(tree, "build/hyp/osmosis")
    assert {f"build/hyp/hyp/dom/{n}.o" for n in ("grant", "grant_map", "grant_op")} <= again
    assert not again & {"build/hyp/hyp/dom/sched.o", "build/hyp/hyp/boot/start.o"}, again


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_images_do_not_depend_on_where_they_are_built(tmp_path: pathlib.Path) -> None:
    names = images(TOP / "build")
    if not names:
        pytest.skip("no images are built")
    other = tmp_path / "a" / "rather" / "different" / "place"
    for name in lint.tracked():
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / name, other / name)
    subprocess.run(["make", "-s", "-j2", *(f"build/{n}" for n in names)], cwd=other, check=True)
    subprocess.run(["make", "-s", "-j2", *(f"build/{n}" for n in names)], cwd=TOP, check=True)
    differ = [n for n in names if not filecmp.cmp(TOP / "build" / n, other / "build" / n, shallow=False)]
    assert differ == []
    nothing_is_built_twice(other, names)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("clang"), reason="Debian's package clang is not installed")
def test_a_machine_built_by_clang_works(tmp_path: pathlib.Path) -> None:
    """Hypervisor, control domain and a domain, from boot to power-off. That clang takes all other
    sources, too, is lint's to say."""
    build = "build/clang"
    names = [f"{build}/{n}" for n in ("hyp/osmosis", "images/control", "images/hello")]
    subprocess.run(["make", "-s", "-j2", "TOOLCHAIN=clang", *names], cwd=TOP, check=True)
    ended = machine.run(tmp_path, 'create n1 image=hello mem=8M start=yes\n', ["hello"], clock="count",
                        built=TOP / build)
    assert ended.status == 0 and "hello from Osmosis: domain 1" in ended.serial, ended.serial
