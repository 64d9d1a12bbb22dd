# SPDX-License-Identifier: BSD-2-Clause
"""The servers on nodes of Osmosis, as a user runs them."""

import pathlib
import re
import shutil
import subprocess

import pytest

from osmo import paths, qemu

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = TOP / "harness" / "osmosis"

BUILT = (paths.hypervisor().is_file() and all(paths.image(i).is_file() for i in ("control", "node", "fabric"))
         and shutil.which(qemu.BINARY) is not None)
pytestmark = [pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)"),
              pytest.mark.slow]


def consoles(file: pathlib.Path, out: pathlib.Path) -> dict[str, str]:
    done = subprocess.run([OSMOSIS, "run", file, "--clock", "count", "--json", "--out", out], timeout=500,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return {log.stem: log.read_text() for log in (out / "console").iterdir()}


def test_managed_machines(tmp_path: pathlib.Path) -> None:
    """DS10, DS11, DS15, L14, DK07: a crowd spreads over three nodes; one that is restarted enters again."""
    said = consoles(TOP / "harness" / "clusters" / "managed.toml", tmp_path)
    ended = re.search(r"crowd: 12 of 12 ended well, (\d+) of them made elsewhere", said["first"])
    assert ended and int(ended[1]) >= 3
    assert re.search(r"memory: machine 3 enters again, boot (\d+) after (?!\1)\d+", said["first"])
    assert "date: 20 times" in said["second"]


BUSY = """
for = "1s"
[media.net]
[nodes.busy]
media = ["net"]
programs = ["+kernel =board switchboard global", "=counter counter-server", "announce counter", "work", "work"]
[nodes.client]
media = ["net"]
programs = ["+kernel with counter counter-client 40 1"]
[expect.output]
client = "counter: 30 steps, all counted"
"""


def test_who_computes_hears_the_network(tmp_path: pathlib.Path) -> None:
    """DN01: a node that never rests is told of frames and serves them between its programs."""
    file = tmp_path / "busy.toml"
    file.write_text(BUSY)
    assert "all counted" in consoles(file, tmp_path / "out")["client"]


THRASH = """
clock = "count"
for = "1s"
[media.net]
[nodes.home]
media = ["net"]
programs = ["+kernel =board switchboard global", "+kernel tour counter counter-server 3 {pause} 1000"]
[nodes.client]
media = ["net"]
programs = ["+kernel with counter counter-client 100000 1"]
[nodes.other]
media = ["net"]
programs = ["+kernel with nothing hello"]
"""


def test_moving_often_costs_throughput(tmp_path: pathlib.Path) -> None:
    """DN04: steps of a caller in a second, by how long its server stays on a machine. A hint that has just been
    put right is wrong again."""
    steps, moves = [], []
    for pause in (2, 25, 400):
        file = tmp_path / f"{pause}.toml"
        file.write_text(THRASH.format(pause=pause))
        said = consoles(file, tmp_path / f"{pause}")
        moves.append(said["home"].count("tour: counter is on machine"))
        steps.append(int(re.findall(r"counter: (\d+) steps, all counted", said["client"])[-1]))
    print("stays 2, 25, 400 ms: moves", moves, "steps", steps)
    assert moves[0] > 2 * moves[1] > 4 * moves[2] > 0
    assert steps[0] < steps[1] < steps[2]
