# SPDX-License-Identifier: BSD-2-Clause
"""Z8000 nodes beside x86 nodes on Osmosis: messages both ways, with every invariant looked at.

H22: the server is a Z8000 program, its clients one of each kind, found by an x86 switchboard.
"""

import json
import pathlib
import shutil
import subprocess

import pytest

from osmo import paths, qemu, table1

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILT = (paths.hypervisor().is_file() and paths.image("z8000").is_file()
         and (paths.build() / "z8000" / "demos" / "trap.bin").is_file() and shutil.which(qemu.BINARY) is not None)
pytestmark = [pytest.mark.skipif(not BUILT, reason="no images, or no Z8000 assembler"), pytest.mark.slow]


def test_nodes_of_both_kinds_answer_each_other(tmp_path: pathlib.Path) -> None:
    """L44: emulated processors and virtual ones in one cluster. Both nodes' kernels write their trace: what
    one sent the other got, once, in order."""
    done = subprocess.run([TOP / "harness" / "osmosis", "run", TOP / "harness" / "clusters" / "mixed.toml",
                           "--json", "--seed", "7", "--clock", "event", "--out", tmp_path],
                          capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    result = json.loads(done.stdout)
    nodes = {node["name"]: node for node in result["nodes"]}
    assert all(result["invariants"][what]["checked"] > 20 and result["invariants"][what]["broken"] == 0
               for what in ("loss", "duplicate", "order", "one-copy", "isolation", "liveness"))
    # Each client's ten calls, and their way to the server by the switchboard.
    assert nodes["server"]["sent"] >= 20 and nodes["server"]["received"] >= 20
    assert nodes["client"]["sent"] >= 10 and nodes["x86"]["sent"] >= 10


def test_clocks_of_the_user_processor_are_node_time(tmp_path: pathlib.Path) -> None:
    """DV01: two million clocks take a second of the node's time, in whatever clock the cluster
    has; without the throttle hardly any."""
    file = tmp_path / "spin.toml"
    file.write_text('for = "3s"\n'
                    '[nodes.bound]\nmachine = "z8000"\nprograms = ["spin"]\n'
                    '[nodes.free]\nmachine = "z8000"\nprograms = ["spin"]\ncmdline = "throttle=0"\n')
    for clock in ("count", "event"):
        done = subprocess.run([TOP / "harness" / "osmosis", "run", file, "--json", "--clock", clock],
                              capture_output=True, text=True, check=False, timeout=500)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        ended = {node["name"]: node["ended_ns"] / 1e9 for node in json.loads(done.stdout)["nodes"]}
        assert 1.0 < ended["bound"] < 1.15 and ended["free"] < 0.5


def test_frames_pass_while_the_user_processor_computes(tmp_path: pathlib.Path) -> None:
    """DV10, DN18: a node between two others forwards a client's calls over a serial and a parallel line
    while eight programs compute for a second each; they take hardly longer than that."""
    file = tmp_path / "between.toml"
    file.write_text('for = "40s"\nclock = "count"\n[media.serial]\nkind = "serial"\n'
                    '[media.parallel]\nkind = "parallel"\n'
                    '[nodes.vax]\nmedia = ["serial"]\n'
                    'programs = ["+kernel switchboard global", "=counter counter-server", "announce counter"]\n'
                    '[nodes.between]\nmachine = "z8000"\nmedia = ["serial", "parallel"]\n'
                    f'programs = {json.dumps(["spin"] * 8)}\n'
                    '[nodes.far]\nmachine = "z8000"\nmedia = ["parallel"]\nprograms = ["client"]\n'
                    '[expect.output]\nfar = "client: counted to 10"\n')
    done = subprocess.run([TOP / "harness" / "osmosis", "run", file, "--json"],
                          capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    ended = {node["name"]: node["ended_ns"] for node in json.loads(done.stdout)["nodes"] if node["ended_ns"]}
    assert ended["far"] < ended["between"] < 8.8e9


def test_three_kinds_of_media_on_one_way(tmp_path: pathlib.Path) -> None:
    """DN09: each call goes by an acknowledging ether, a serial and a parallel line, and so does its answer."""
    done = subprocess.run([TOP / "harness" / "osmosis", "run", pathlib.Path(__file__).with_name("media.toml"),
                           "--json", "--seed", "5", "--clock", "event", "--out", tmp_path],
                          capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert all(kind["broken"] == 0 for kind in result["invariants"].values())
    capture = (tmp_path / "capture.pcapng").read_bytes()
    sizes = {medium["name"]: list(table1.frames(capture, medium["name"])) for medium in result["media"]}
    assert {medium["kind"] for medium in result["media"]} == {"ack-ether", "serial", "parallel"}
    assert all(len(frames) > 40 for frames in sizes.values()), "twenty calls and their answers on each"
    desk = next(node for node in result["nodes"] if node["name"] == "desk")
    # No faster than the slowest line lets its bytes pass, ten bits each, in the fuller direction.
    assert desk["ended_ns"] / 1e9 > sum(sizes["serial"]) / 2 * 10 / 19200
