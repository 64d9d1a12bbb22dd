# SPDX-License-Identifier: BSD-2-Clause
"""Two builds, same bytes: another directory, another time, the same images."""

import filecmp
import pathlib
import shutil
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "harness"))

from osmo import lint


def images(build: pathlib.Path) -> list[str]:
    found = [p for p in build.glob("images/*") if p.is_file()] + [build / "hyp" / "osmosis"]
    return sorted(p.relative_to(build).as_posix() for p in found if p.is_file() and p.suffix != ".d")


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
