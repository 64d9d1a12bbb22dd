# SPDX-License-Identifier: BSD-2-Clause
"""`make lint` is clean, and notices what is not."""

import os
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "harness"))

from osmo import lint


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_lint_is_clean() -> None:
    done = subprocess.run([str(TOP / "harness" / "lint")], cwd=TOP, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-8000:]


def test_a_mistake_is_noticed(tmp_path: pathlib.Path) -> None:
    source = tmp_path / "wrong.sh"
    source.write_text("#!/bin/sh\nrm -rf $1/*\n")
    job = lint.Job("shellcheck", ["shellcheck", str(source)])
    _, good, said = lint.run(job)
    assert not good and "SC" in said


def test_a_missing_tool_is_a_failure_with_its_remedy(tmp_path: pathlib.Path) -> None:
    """What could not be looked at is not clean; what is there is run."""
    for tool in ("clang-format", "git"):
        (tmp_path / tool).symlink_to(pathlib.Path("/usr/bin") / tool)

    def checked(*names: str) -> tuple[int, str]:
        done = subprocess.run(["/usr/bin/python3", str(TOP / "harness" / "lint"), *names], cwd=TOP, check=False,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "PATH": str(tmp_path)})
        return done.returncode, done.stdout

    assert checked("clang-format") == (0, "lint: 1 job clean\n")
    status, said = checked("clang-format", "shellcheck", "cppcheck")
    assert status == 1 and said.endswith("lint: shellcheck not run, cppcheck not run\n"), said
    assert "lint: shellcheck is not installed: apt-get install shellcheck, or `make deps`\n" in said
    assert "lint: cppcheck is not installed: apt-get install cppcheck" in said


@pytest.mark.parametrize("source,variant", [
    ("hyp/dom/grant.c", "hyp"), ("guest/rt/start.c", "dom"), ("guest/programs/echo.c", "prog"),
    ("guest/machine/hosted/child.c", "host"), ("net/rp.c", "host"), ("splitdrv/netback.c", "dom"),
])
def test_flags_by_folder(source: str, variant: str) -> None:
    assert lint.variant_of(source) == variant
