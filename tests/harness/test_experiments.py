# SPDX-License-Identifier: BSD-2-Clause
"""DG01: the three experiments that are shipped, over process migration, reliable computing and distributed
measurement, each a campaign with random faults by a rate: every invariant outlives them, seed for seed.
"""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from osmo import cluster, experiment, paths, qemu

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = str(TOP / "harness" / "osmosis")
SEEDS = {"reliable": "6,12,51"}  # in which a node is paused while it is, and an interface unplugged twice
SHIPPED = sorted((TOP / "harness" / "experiments").glob("*.toml"))

BUILT = (paths.hypervisor().is_file() and all(paths.image(i).is_file() for i in ("control", "node", "fabric"))
         and shutil.which(qemu.BINARY) is not None)


def test_there_are_three() -> None:
    assert [path.stem for path in SHIPPED] == ["measurement", "migration", "reliable"]


@pytest.mark.slow
@pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_what_is_shipped_survives(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    seeds = SEEDS.get(path.stem, "1..2")
    done = subprocess.run([OSMOSIS, "experiment", str(path), "--seeds", seeds, "--jobs", "1", "--out",
                           str(tmp_path)], capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    campaign = json.loads((tmp_path / "campaign.json").read_text())
    assert campaign["runs"] == len(experiment.seeds_of(seeds))
    assert not campaign["failed"] and not campaign["timeouts"]
    loaded = cluster.load(path)
    kinds = {fault.do.split()[0] for seed in experiment.seeds_of(seeds) for fault in loaded.all_faults(seed)}
    assert len(kinds) >= 3 and kinds <= set(campaign["survival"])
    assert all(held == runs for row in campaign["survival"].values() for held, runs in row.values())


@pytest.mark.slow
@pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
def test_interfaces_that_come_and_go_all_the_time(tmp_path: pathlib.Path) -> None:
    """F07, H10: unplugged while it lends, plugged in again before it looks, its pages not let go of yet: a vif
    comes back each time.
    """
    text = (TOP / "harness" / "experiments" / "reliable.toml").read_text()
    for was, new in ((r'every = "\d+ms"', 'every = "20ms"'), (r'for = "250ms"', 'for = "120ms"'),
                     (r'\["server", "client1", "client2", "client3"\]', '["client1", "client2", "client3"]'),
                     (r"kinds = \[.*?\n\]", 'kinds = ["pause", "unplug 0", "unplug 0", "unplug 0"]')):
        text, count = re.subn(was, new, text, flags=re.DOTALL)
        assert count == 1, was
    (tmp_path / "plugs.toml").write_text(text)
    done = subprocess.run([OSMOSIS, "experiment", str(tmp_path / "plugs.toml"), "--seeds", "16..18", "--jobs",
                           "1", "--out", str(tmp_path / "out")],
                          capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
