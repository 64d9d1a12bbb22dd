# SPDX-License-Identifier: BSD-2-Clause
"""DEMOS nodes that talk to each other through the fabric on Osmosis, as a user runs them.

What must hold is checked twice: by the harness's invariants and, for order, loss and
duplicates of each pair, from the trace alone here (DL12, DN10, DN12, H17, H18; F01-F03, F06,
F11-F13); captures hold what became of each frame (DN06); the same seed, the same run (H20).
"""

import collections
import json
import pathlib
import re
import shutil
import subprocess
from typing import Any

import pytest

from osmo import abi, paths, qemu
from osmo.types import Kernel, Net, cause

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = str(TOP / "harness" / "osmosis")
CLUSTERS = TOP / "harness" / "clusters"
LUA = TOP / "harness" / "wireshark" / "demos.lua"

BUILT = (paths.hypervisor().is_file() and all(paths.image(i).is_file() for i in ("control", "node", "fabric"))
         and shutil.which(qemu.BINARY) is not None)
pytestmark = [pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)"),
              pytest.mark.slow]

Runs = dict[str, tuple[pathlib.Path, dict[str, Any]]]


def osmosis(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([OSMOSIS, *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=500)
    assert done.returncode == status, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.fixture(scope="module", name="runs")
def fixture_runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    runs: Runs = {}
    for name in ("ring", "lossy", "partition", "restart"):
        out = tmp_path_factory.mktemp(name)
        said = osmosis("run", CLUSTERS / f"{name}.toml", "--json", "--out", out).stdout
        runs[name] = out, json.loads(said)
    return runs


def records(out: pathlib.Path) -> list[abi.Record]:
    return sorted(abi.records((out / "trace").read_bytes()), key=lambda r: r.ns)


@pytest.mark.parametrize("name", ["ring", "lossy", "partition", "restart"])
def test_invariants_were_checked_and_held(runs: Runs, name: str) -> None:
    result = runs[name][1]
    assert result["ok"], result["error"]
    for invariant in ("loss", "duplicate", "order", "liveness"):
        verdict = result["invariants"][invariant]
        assert verdict["checked"] > 200 and not verdict["broken"], (invariant, verdict)


@pytest.mark.parametrize("name", ["ring", "lossy", "partition"])
def test_each_pair_of_processes_is_served_in_order_and_once(runs: Runs, name: str) -> None:
    """Machine and serial name a process here, as no node starts twice and none moves."""
    out = runs[name][0]
    numbers = {e["domid"]: n["number"] for e in map(json.loads, (out / "events.jsonl").open())
               for n in runs[name][1]["nodes"] if e.get("event") == "start" and e["name"] == n["name"]}
    got = collections.defaultdict(list)
    sent = collections.defaultdict(set)
    for r in records(out):
        here = numbers.get(r.domid, 0) << 32 | r.who
        if r.type == Kernel.SEND and r.b:
            sent[here, r.a].add(r.b)
        elif r.type == Kernel.RECEIVE and r.b:
            got[r.a, here].append(r.b)
    across = {pair: had for pair, had in got.items() if pair[0] >> 32 != pair[1] >> 32}
    assert len(across) >= 3 and sum(map(len, across.values())) > 150
    for pair, had in across.items():
        assert had == sorted(set(had)), pair
        assert set(had) <= sent[pair], pair


# A cause without a name is the fabric's own refusal: that frame never came onto a medium.
def test_the_faults_struck_when_they_should(runs: Runs) -> None:
    for name, words in (("lossy", {"loss", "duplicate", "reorder"}), ("partition", {"partition", "cut"})):
        out, result = runs[name]
        struck = collections.defaultdict(list)
        for f in result["faults"]:
            if f["target"] == "medium":
                struck[f["do"].split()[0]].append(f)
        assert set(struck) == words and all(f["struck"] > 0 for found in struck.values() for f in found)
        for r in records(out):
            if r.type in (Net.MEDIUM_DROP, Net.MEDIUM_FAULT) and not cause(r.b).isdigit():
                assert any(f["at_ns"] <= r.ns <= f["at_ns"] + f["for_ns"] + 10**7 for f in struck[cause(r.b)])


def test_a_node_that_starts_anew_is_served_again(runs: Runs) -> None:
    out, result = runs["restart"]
    assert {n["name"]: n["starts"] for n in result["nodes"]} == {"server": 1, "client1": 2, "client2": 1,
                                                                 "client3": 1}
    assert "first" not in (out / "console" / "client2.log").read_text()


def test_a_server_moves_round_all_nodes_while_it_is_called(tmp_path: pathlib.Path) -> None:
    """DL12, L19: no call is lost or doubled, whoever has the server; two of the nodes have no disk."""
    said = osmosis("run", CLUSTERS / "demo.toml", "--clock", "count", "--for", "8s", "--json", "--out", tmp_path)
    result = json.loads(said.stdout)
    tour = (tmp_path / "console" / "home.log").read_text().splitlines()
    moves = [int(line.split()[5].strip(",")) for line in tour if line.startswith("tour: counter is on")]
    assert len(tour) == len(moves) >= 20 and moves == [(i + 1) % 5 + 1 for i in range(len(moves))]
    assert result["invariants"]["one-copy"]["checked"] > 1000 and result["ok"]
    for name in ("client1", "client2", "diskless1", "diskless2"):
        log = (tmp_path / "console" / f"{name}.log").read_text().splitlines()
        told = [re.fullmatch(r"counter: (\d+) steps, all counted; a call \d+ us, (\d+) late, at most \d+ us", line)
                for line in log]
        assert [int(s[1]) for s in told if s] == [10 * i for i in range(1, len(log) + 1)] and len(log) >= 5
        assert sum(int(s[2]) for s in told if s) > 0  # some met a move


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", ["lossy", "partition"])
def test_the_capture_says_what_became_of_frames(runs: Runs, name: str) -> None:
    """As many drops in the capture's comments as in the trace, by cause; every frame at the trace's time, to the
    nanosecond."""
    out = runs[name][0]
    done = subprocess.run(["tshark", "-X", f"lua_script:{LUA}", "-r", str(out / "capture.pcapng"), "-T",
                           "fields", "-E", "separator=;", "-e", "demos.src", "-e", "demos.crc_good", "-e",
                           "frame.comment", "-e", "frame.interface_name", "-e", "frame.time_epoch"],
                          capture_output=True, text=True, check=True, timeout=120)
    rows = [line.split(";") for line in done.stdout.splitlines()]
    assert len(rows) > 400 and {row[0] for row in rows} == {str(n["number"]) for n in runs[name][1]["nodes"]}
    assert all(row[1] in ("1", "True") and row[3] == "net" for row in rows)
    sent = [f"{r.ns // 10**9}.{r.ns % 10**9:09}" for r in records(out) if r.type == Net.MEDIUM_SEND]
    assert [row[4] for row in rows] == sent
    traced = collections.Counter(cause(r.b) for r in records(out)
                                 if r.type == Net.MEDIUM_DROP and not cause(r.b).isdigit())
    assert traced
    for why, count in traced.items():
        assert sum(row[2].count(f"dropped: {why}") for row in rows) == count


def test_replay_says_identical(runs: Runs) -> None:
    assert "identical" in osmosis("replay", runs["lossy"][0]).stdout


def test_a_campaign_prints_what_survived(runs: Runs, tmp_path: pathlib.Path) -> None:
    """By two machines side by side, each kept warm; what a seed gives there it gives in a run of its own."""
    said = osmosis("experiment", CLUSTERS / "lossy.toml", "--seeds", "1..3", "--jobs", "2", "--out", tmp_path)
    table = [line.split() for line in said.stdout.splitlines() if line.startswith(("any", "loss"))]
    assert [row[0] for row in table] == ["any", "loss"] and all(cell == "3/3" for cell in table[0][1:])
    digests = {row["seed"]: row for row in json.loads((tmp_path / "campaign.json").read_text())["rows"]}
    assert sorted(digests) == [1, 2, 3]
    alone = runs["lossy"][1]
    given = digests[alone["seed"]]["digests"]
    assert set(given) == {"trace", "console", "capture", "results"}
    assert given == {name: alone["digests"][name] for name in given}


@pytest.mark.parametrize("command", ["run", "experiment"])
def test_results_with_no_place_are_refused_before_the_run(tmp_path: pathlib.Path, command: str) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        done = osmosis(command, CLUSTERS / "ring.toml", "--out", out, status=2)
        assert "a file is in the way" in done.stderr and "machines" not in done.stdout
    assert (tmp_path / "file").read_text() == "mine"
