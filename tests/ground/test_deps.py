# SPDX-License-Identifier: BSD-2-Clause
"""harness/deps: quick when nothing is missing, honest when something is; a first run waits for little."""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
DEPS = TOP / "harness" / "deps"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(DEPS), *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment}, timeout=60)


def fake_dpkg(tmp_path: pathlib.Path, absent: set[str]) -> str:
    """A PATH whose dpkg-query knows every package of the list but the absent ones."""
    names = [p for p in run("--list").stdout.split() if p not in absent]
    lines = "".join(f"echo '{name} installed'\n" for name in names)
    tool = tmp_path / "dpkg-query"
    tool.write_text("#!/bin/sh\n" + lines)
    tool.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def test_all_there_says_nothing(tmp_path: pathlib.Path) -> None:
    done = run("--check", PATH=fake_dpkg(tmp_path, set()))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_wanted_package_is_named_but_no_failure(tmp_path: pathlib.Path) -> None:
    done = run("--check", PATH=fake_dpkg(tmp_path, {"tshark"}), OSMOSIS_CACHE=str(tmp_path))
    assert done.returncode == 0 and "skipped: tshark" in done.stderr


def test_a_needed_package_is_a_failure_with_the_command(tmp_path: pathlib.Path) -> None:
    done = run("--check", PATH=fake_dpkg(tmp_path, {"libxen-dev"}), OSMOSIS_CACHE=str(tmp_path))
    assert done.returncode == 1 and "apt-get install libxen-dev" in done.stderr


def test_a_first_run_waits_for_what_it_needs_only(tmp_path: pathlib.Path) -> None:
    path = fake_dpkg(tmp_path, {"libxen-dev", "tshark"})
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    apt.chmod(0o755)
    for tool in ("sudo", "id"):
        (tmp_path / tool).write_text('#!/bin/sh\n[ "$1" = -u ] && echo 0 || exec "$@"\n')
        (tmp_path / tool).chmod(0o755)
    done = run("--needed", PATH=path, OSMOSIS_CACHE=str(tmp_path / "cache"))
    asked = (tmp_path / "asked").read_text()
    assert done.returncode == 1 and "libxen-dev" in asked and "tshark" not in asked + done.stderr


def test_what_the_harness_calls_is_in_the_list() -> None:
    packages = run("--list").stdout.split()
    assert len(packages) == len(set(packages))
    sys.path.insert(0, str(TOP / "harness"))
    from osmo import doctor
    assert {tool.package for tool in doctor.TOOLS} <= set(packages)
