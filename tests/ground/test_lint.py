# SPDX-License-Identifier: BSD-2-Clause
"""`make lint` is clean, and notices what is not."""

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
    if not lint.available(job):
        pytest.skip("shellcheck is not installed")
    _, good, said = lint.run(job)
    assert not good and "SC" in said


@pytest.mark.parametrize("source,variant", [
    ("hyp/dom/grant.c", "hyp"), ("guest/rt/start.c", "dom"), ("guest/programs/echo.c", "prog"),
    ("guest/machine/hosted/child.c", "host"), ("net/rp.c", "host"), ("splitdrv/netback.c", "dom"),
])
def test_flags_by_folder(source: str, variant: str) -> None:
    assert lint.variant_of(source) == variant
