# SPDX-License-Identifier: BSD-2-Clause
"""A DEMOS node inside an unmodified Linux domain (H11, L45): one more node of the cluster, on Linux's
own network front end; what Linux's programs say reaches DEMOS, and the other way round.
"""

import pathlib
import tempfile

import pytest

from osmo import cluster, debian, initramfs, linux, plan, run
from osmo.errors import Problem

CLUSTERS = pathlib.Path(__file__).resolve().parents[2] / "harness" / "clusters"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("linux")]
RING = "ring of 2 at {number} 40"
PLAN = """
[media.lan]
[nodes]
tools = {machine = "linux", media = ["lan"], programs = ["hello"]}
plain = {machine = "linux", media = ["lan"]}
"""


@pytest.fixture(autouse=True)
def there() -> None:
    if debian.kernel() is None:
        pytest.skip("no Debian Linux kernel (linux-image-amd64)")
    try:
        initramfs.busybox()
    except Problem as why:
        pytest.skip(str(why))


def execute(made: cluster.Cluster) -> run.Outcome:
    with tempfile.TemporaryDirectory() as scratch:
        return run.execute(run.prepare(made, run.Options(), pathlib.Path(scratch)))


def test_tools_of_linux_talk_to_demos() -> None:
    """L45: busybox's programs, by a pipe, and the DEMOS file system of another domain; a process in the
    Linux domain and one in the other call each other."""
    text = (CLUSTERS / "tools.toml").read_text()
    for old, new in (('    "announce files",\n', f'    "announce files",\n    "{RING}",\n'),
                     ('["+kernel with files shell"', f'["{RING}", "+kernel with files shell"'),
                     ("|demos|", "|demos|tee~/dev/console|")):
        assert old in text
        text = text.replace(old, new)
    outcome = execute(cluster.parse(text, "tools"))
    said = outcome.collector.text("tools")
    assert outcome.result.ok and "read back: Linux" in said, (outcome.result.error, said[-2000:])
    assert "ring: 2 machines, 40 rounds, 40 hops" in said, said[-2000:]


def test_media_keep_to_linuxs_frames() -> None:
    compiled = plan.compile_cluster(cluster.parse(PLAN, "x"), [])
    assert f'"name=lan kind=ether block={linux.BLOCK}"' in compiled.text
    assert {"tools-initrd", "linux-initrd"} <= set(compiled.modules)
    for wrong in ("block = 1000", "block = 9000", "direct = true"):
        with pytest.raises(Problem):
            cluster.parse(PLAN.replace("[media.lan]", f"[media.lan]\n{wrong}"), "x")
