# SPDX-License-Identifier: BSD-2-Clause
"""The suite is taken in whole: areas may name their test modules alike, helpers may not."""

import collections
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]


def test_two_areas_may_have_a_module_of_one_name(tmp_path: pathlib.Path) -> None:
    """The settings of this tree take in two `test_same.py`, and run each of them."""
    for area in ("one", "two"):
        (tmp_path / "tests" / area).mkdir(parents=True)
        (tmp_path / "tests" / area / "test_same.py").write_text(f"def test_{area}() -> None:\n    pass\n")
    (tmp_path / "setup.cfg").write_bytes((TESTS.parent / "setup.cfg").read_bytes())
    (tmp_path / "tests" / "conftest.py").write_bytes((TESTS / "conftest.py").read_bytes())
    done = subprocess.run([sys.executable, "-m", "pytest", "tests", "-q", "-p", "no:cacheprovider", "-p",
                           "no:xdist"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout


def test_helper_modules_have_names_of_their_own() -> None:
    """All areas' folders are on the path, so a helper's name means one file."""
    files = collections.defaultdict(list)
    for path in TESTS.glob("*/*.py"):
        if not path.name.startswith(("test_", "conftest")):
            files[path.stem].append(path)
    assert {name: paths for name, paths in files.items() if len(paths) > 1} == {}
    assert sys.stdlib_module_names.isdisjoint(files)


def test_every_test_is_taken_in() -> None:
    done = subprocess.run([sys.executable, "-m", "pytest", str(TESTS), "--collect-only", "-q", "-p",
                           "no:cacheprovider"], cwd=TESTS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    for path in TESTS.glob("*/test_*.py"):
        assert path.relative_to(TESTS.parent).as_posix() in done.stdout
