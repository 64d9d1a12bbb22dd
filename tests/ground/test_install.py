# SPDX-License-Identifier: BSD-2-Clause
"""An installed copy is whole: the command runs from there, and finds what was installed."""

import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]


def test_an_installed_copy_runs(tmp_path: pathlib.Path) -> None:
    subprocess.run([str(TOP / "harness" / "install-tree"), str(tmp_path)], check=True, capture_output=True)
    command = tmp_path / "bin" / "osmosis"
    said = subprocess.run([str(command), "check", str(tmp_path / "lib/osmosis/harness/clusters/hello.toml")],
                          capture_output=True, text=True, check=True, cwd="/")
    assert said.stdout.startswith("hello: 1 node")
    found = subprocess.run([str(command), "doctor", "--json"], capture_output=True, text=True, check=False)
    assert str(tmp_path) in found.stdout
