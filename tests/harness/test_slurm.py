# SPDX-License-Identifier: BSD-2-Clause
"""Campaigns as array jobs of Slurm (issue: larger campaigns): every seed in one task, nothing that was said
is lost on the way, and tasks make one campaign again. Where Debian's slurm-wlm is installed, it runs a job.
"""

import contextlib
import getpass
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmo import experiment, paths, qemu, slurm

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = str(TOP / "harness" / "osmosis")
HELLO, MANY = (TOP / "harness" / "clusters" / f"{name}.toml" for name in ("hello", "many"))
BUILT = paths.hypervisor().is_file() and paths.image("node").is_file() and shutil.which(qemu.BINARY) is not None


def osmosis(*words: object, status: int = 0) -> str:
    done = subprocess.run([OSMOSIS, *map(str, words)], capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == status, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@given(st.sets(st.integers(0, 300), min_size=1))
def test_spans_are_what_seeds_reads(seeds: set[int]) -> None:
    assert experiment.seeds_of(slurm.spans(sorted(seeds))) == sorted(seeds)


@pytest.mark.parametrize("seeds,size", [("1..10", 3), ("1..4,9,11..12", 2), ("7", 5)])
def test_each_seed_is_in_one_task(tmp_path: pathlib.Path, seeds: str, size: int) -> None:
    """The script itself picks them, run by a shell with `exec` and the task's number as Slurm gives it; the
    other choices come along, in quotes where they need them."""
    out = tmp_path / "it's here"
    script = osmosis("experiment", MANY, "--seeds", seeds, "--slurm", size, "--out", out, "--for", "3s",
                     "--count", "n=2", "--no-shrink")
    tasks = int(re.search(r"--array=0-(\d+)$", script, re.M)[1]) + 1  # type: ignore[index]
    given: list[int] = []
    for task in range(tasks):
        said = script.replace("exec ", "printf '%s\\n' ")
        done = subprocess.run(["sh", "-s"], input=said, text=True, check=True, stdout=subprocess.PIPE,
                              env={**os.environ, "SLURM_ARRAY_TASK_ID": str(task)})
        words = done.stdout.splitlines()
        given += experiment.seeds_of(words[words.index("--seeds") + 1])
        assert words[words.index("--out") + 1] == f"{out}/{task}" and "--no-shrink" in words
        assert words[words.index("--for") + 1] == "3s" and words[words.index("--count") + 1] == "n=2"
    assert given == experiment.seeds_of(seeds)


def test_more_tasks_than_slurm_takes() -> None:
    assert "say --slurm 10 or more" in osmosis("experiment", HELLO, "--seeds", "1..10010", "--slurm", 5, status=2)


SMALL = {"faults": ["at 1s: medium net: loss 0.2"], "from": 3, "nodes": ["n"], "from_nodes": 1, "probes": 5,
         "for_ns": 10**9, "broken": ["order"]}


def finished(directory: pathlib.Path, seeds: list[int], **changes: object) -> None:
    """What a task leaves."""
    rows = [experiment.Row(s, s != 3, "" if s != 3 else "broken", ["loss"], [] if s != 3 else ["order"], {}, 1, 1)
            for s in seeds]
    directory.mkdir(parents=True)
    (directory / "campaign.json").write_text(json.dumps({
        "format": 1, "name": "hello", "git": "a" * 40, "wall_s": 2.0, "shrunk": {"3": SMALL} if 3 in seeds else {},
        "rows": [vars(row) for row in rows], **changes}))


def test_tasks_make_one_campaign(tmp_path: pathlib.Path) -> None:
    """Its status is that of the worst; what is missing, or another campaign's, is said."""
    finished(tmp_path / "0", [1, 2])
    assert "2 of 4 seeds are missing: 3..4" in osmosis("experiment", HELLO, "--seeds", "1..4", "--merge", "--out",
                                                       tmp_path, status=2)
    finished(tmp_path / "1", [3, 4])
    assert "4 runs, 1 failed, 60.0 a minute" in osmosis("experiment", HELLO, "--seeds", "1..4", "--merge",
                                                        "--out", tmp_path, status=1)
    whole = json.loads((tmp_path / "campaign.json").read_text())
    assert whole["failed"] == [3] and [r["seed"] for r in whole["rows"]] == [1, 2, 3, 4]
    assert whole["survival"]["loss"]["order"] == [3, 4] and "3" in whole["shrunk"]
    assert (tmp_path / "junit.xml").exists() and len(list(tmp_path.glob("*.html"))) == 1
    finished(tmp_path / "2", [9], git="b" * 40)
    words = ["experiment", HELLO, "--seeds", "1..4", "--merge", "--out", tmp_path]
    assert "different trees" in osmosis(*words, status=2)
    finished(tmp_path / "3", [10], name="lossy")
    assert "of lossy, not of hello" in osmosis(*words, status=2)
    finished(tmp_path / "4", [11], format=2)
    (tmp_path / "3" / "campaign.json").unlink()
    assert "has format 2, this command reads 1" in osmosis(*words, status=2)


CONF = """ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_ports() -> list[int]:
    with socket.socket() as a, socket.socket() as b:
        for s in (a, b):
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in (a, b)]


@pytest.fixture(name="one_machine")
def fixture_one_machine(tmp_path: pathlib.Path) -> Iterator[dict[str, str]]:
    """A Slurm of this machine alone, for this test: its environment."""
    folder = tmp_path / "slurm"
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    (folder / "slurm.conf").write_text(CONF.format(host=os.uname().nodename.split(".")[0], folder=folder,
                                                   user=getpass.getuser(), ports=free_ports()))
    env = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    with contextlib.ExitStack() as daemons:
        for name in ("slurmctld", "slurmd"):
            daemon = subprocess.Popen([shutil.which(name, path=SBIN) or name, "-D"], env=env,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            daemons.callback(daemon.wait)
            daemons.callback(daemon.terminate)
        until = time.monotonic() + 60
        while "idle" not in subprocess.run(["sinfo", "-h", "-o", "%T"], env=env, capture_output=True, text=True,
                                           check=False).stdout:
            if time.monotonic() > until:
                pytest.skip("the Slurm of this machine does not come up")
            time.sleep(0.5)
        yield env


SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin"
SLURM = all(shutil.which(name, path=SBIN) for name in ("slurmctld", "slurmd", "sbatch"))


@pytest.mark.slow
@pytest.mark.skipif(not BUILT or not SLURM, reason="no Slurm is installed (slurm-wlm)")
def test_slurm_runs_it(tmp_path: pathlib.Path, one_machine: dict[str, str]) -> None:
    """A real one, of one machine: two tasks, then one campaign."""
    words = ["experiment", HELLO, "--seeds", "1..2", "--out", tmp_path / "all"]
    (tmp_path / "job").write_text(osmosis(*words, "--slurm", 1))
    subprocess.run(["sbatch", "--wait", "job"], cwd=tmp_path, check=True, timeout=500, env=one_machine)
    assert "2 runs, 0 failed" in osmosis(*words, "--merge")
