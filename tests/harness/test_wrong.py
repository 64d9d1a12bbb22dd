# SPDX-License-Identifier: BSD-2-Clause
"""H20: invariants broken on purpose in whole runs, by a node whose kernel is wrong (guests/wrong.c): that is what
a run is found to be, to the message, and nothing else."""

import json
import pathlib
import shutil
import subprocess
from typing import Any

import pytest

from osmo import abi, paths, qemu

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = str(TOP / "harness" / "osmosis")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    not paths.image("test-wrong").is_file() or shutil.which(qemu.BINARY) is None, reason="not built (`make`)")]

ALTERS = """
for = "1300ms"
[media.net]
[nodes.server]
image = "test-wrong"
cmdline = "alters=1"
media = ["net"]
programs = ["+kernel =board switchboard global", "=counter counter-server", "announce counter"]
[nodes.client]
count = 6
media = ["net"]
programs = ["+kernel with counter counter-client 100 10"]
[expect]
heal = "300ms"
"""
KEEPS = """
for = "800ms"
[media.net]
[nodes.home]
image = "test-wrong"
cmdline = "keeps=WRONG"
media = ["net"]
programs = ["+kernel switchboard global", "+kernel tour counter counter-server 2 50 1"]
[nodes.client]
count = 2
media = ["net"]
programs = ["+kernel with counter counter-client 60 5", "+kernel with counter counter-client 30 7"]
"""


def run(folder: pathlib.Path, text: str) -> tuple[dict[str, int], dict[str, Any]]:
    """How often each invariant was broken, and the result."""
    (folder / "c.toml").write_text(text)
    done = subprocess.run([OSMOSIS, "run", str(folder / "c.toml"), "--clock", "count", "--json"],
                          capture_output=True, text=True, check=False, timeout=500)
    out = json.loads(done.stdout)
    assert done.returncode == out["exit"] == (not out["ok"])
    return {name: verdict["broken"] for name, verdict in out["invariants"].items()}, out


def test_messages_that_a_kernel_alters_are_found(tmp_path: pathlib.Path) -> None:
    """The 20th of one client is lost, another's comes twice, a third's again behind later ones, one more from a
    process that is not there, and a fifth's 600 ms late. The sixth client is served as it should be."""
    found, out = run(tmp_path, ALTERS)
    assert found == {"loss": 1, "duplicate": 2, "order": 1, "one-copy": 0, "isolation": 2, "leak": 0,
                     "liveness": 2}
    first = {name: verdict["first"][0] for name, verdict in out["invariants"].items() if verdict["first"]}
    for name, words in (("loss", "from client1/"), ("duplicate", "from client2/"), ("order", "of 4/"),
                        ("isolation", "of 5/999, which nobody sent"), ("liveness", "had not arrived by")):
        assert words in first[name], first
    assert sorted(line.split()[1] for line in out["error"].splitlines()) == sorted(first)
    assert out["broken_ns"] and not any("client6" in words for words in out["error"].splitlines())


@pytest.mark.parametrize("wrong", [0, 1])
def test_a_process_that_lives_twice_is_found(tmp_path: pathlib.Path, wrong: int) -> None:
    """It has moved to a node with a process of the same serial, which is no breach; but it goes on at home."""
    found, out = run(tmp_path, KEEPS.replace("WRONG", str(wrong)))
    assert out["ok"] == (not wrong), out["error"]
    assert (found["one-copy"] > 10) == bool(wrong), out["error"]


def test_a_node_of_another_tree_is_not_read(tmp_path: pathlib.Path) -> None:
    """What its records were to it is not known: it is told of, once, and nothing is judged by them."""
    found, out = run(tmp_path, 'for = "100ms"\n[nodes.old]\nimage = "test-wrong"\ncmdline = "older=1"\n'
                               'programs = ["+kernel switchboard global"]\n')
    assert out["error"] == (f"node old: its trace is of version {abi.VERSION - 1}, not {abi.VERSION}: "
                            "build image and control alike"), out["error"]
    assert not any(found.values()) and out["nodes"][0]["sent"] == 0
