# SPDX-License-Identifier: BSD-2-Clause
"""The arithmetic of a server's threads, disk and cache, by processes in a domain."""

import pathlib
import re
import shutil
import subprocess

import pytest

from osmo import paths, qemu

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILT = (paths.hypervisor().is_file() and all(paths.image(i).is_file() for i in ("control", "node"))
         and shutil.which(qemu.BINARY) is not None)
# Servers, microseconds of processor and disk, hits in a hundred; requests a second.
CASES = [(1, 2000, 8000, 0, 100), (2, 2000, 8000, 0, 125), (2, 2500, 8000, 75, 400), (4, 2500, 8000, 75, 400)]


@pytest.mark.slow
@pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
def test_what_a_second_server_and_a_cache_bring(tmp_path: pathlib.Path) -> None:
    """L20: 2 ms of processor and 8 of disk are 100 a second; two servers overlap them; a cache moves the
    bottleneck to the processor, and more servers do not."""
    lines = ", ".join(f'"+kernel bottleneck {n} {cpu} {disk} {hits}", "wait"' for n, cpu, disk, hits, _ in CASES)
    file = tmp_path / "one.toml"
    file.write_text(f'clock = "event"\nfor = "100s"\n[nodes.n]\nmemory = "16M"\nprograms = [{lines}]\n')
    subprocess.run([TOP / "harness" / "osmosis", "run", file, "--headless", "--out", tmp_path / "out"],
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    said = re.findall(r"(\d+) servers, (\d+) requests", (tmp_path / "out" / "console" / "n.log").read_text())
    assert [int(n) for n, _ in said] == [case[0] for case in CASES]
    for (_, got), case in zip(said, CASES):
        assert int(got) == pytest.approx(case[-1], rel=0.05)
