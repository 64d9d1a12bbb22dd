# SPDX-License-Identifier: BSD-2-Clause
"""Many nodes on one box: the plan that looks at what they hold, the table, and real runs (H18, P27)."""

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree as xml

import pytest

from osmo import abi, cluster, faults, judge, many, paths, plan, qemu, run
from osmo.collect import Collector, Ended, Event
from osmo.errors import Problem
from osmo.session import Ending
from osmo.types import Net

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = str(TOP / "harness" / "osmosis")

BUILT = (paths.hypervisor().is_file() and all(paths.image(i).is_file() for i in ("control", "node", "fabric"))
         and shutil.which(qemu.BINARY) is not None)
built = pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")

ROWS = [many.Density(nodes=n, own=600 << 10, kept=64 << 10, machine=(100 << 20) + n * (700 << 10),
                     fabric=1 << 20, create=900000, ready_ns=10**8, hop_ns=150000, wall_s=1.0) for n in (2, 8, 32)]


@built
def test_all_nodes_share_one_bundle_and_set_nothing_aside() -> None:
    """However many there are; the boot list says their number, which the file does not."""
    made = plan.compile_cluster(cluster.load(many.FILE, {"n": 40}), [])
    created = [line for line in made.text.splitlines() if line.startswith("create n")]
    assert len(created) == 40 and all("overcommit=yes" in line for line in created)
    bundles = [data for name, data in made.modules.items() if name.startswith("bundle")]
    assert [b"ring of 40 at here" in bytes(data) for data in bundles] == [False, True]
    for name in (b"init", b"ring"):  # in pages of their own, which a node need not copy
        at = bytes(bundles[1]).find(b"\x7fELF", bytes(bundles[1]).find(name + b"\0"))
        assert at > 0 and at % 4096 == 0
    assert len({line.split("module=")[1] for line in created}) == 1


@pytest.mark.parametrize("given", [{"m": 3}, {"n1": 3}])
def test_a_count_of_nobody_is_refused(given: dict[str, int]) -> None:
    with pytest.raises(Problem, match=r"there is no \[nodes.*known: board, n"):
        cluster.load(many.FILE, given)


@pytest.mark.parametrize("words", [["n"], ["n=0"], ["n=x"], ["=3"], ["n=-1"], ["n=2", "n=3"]])
def test_counts_that_are_none(words: list[str]) -> None:
    with pytest.raises(Problem, match="--count|there is no"):
        cluster.load(many.FILE, run.counts_of(words))


def test_memory_that_is_not_set_aside_needs_a_smaller_machine() -> None:
    c = cluster.load(many.FILE, {"n": 512})
    tight = dataclasses.replace(c, nodes=[dataclasses.replace(n, overcommit=False) for n in c.nodes])
    assert cluster.machine_memory(tight) - cluster.machine_memory(c) >= 512 * 3


def test_the_plan_looks_before_it_ends() -> None:
    text = many.looked_at("start n1\nwhen exit n1 finish status=0\nat 9s finish\n", 8)
    lines = text.splitlines()
    assert [line.split()[-1] for line in lines if "counters" in line] == ["n2", "n4", "n8", "fabric", "all"]
    assert lines[-2:] == ["when exit n1 finish status=0", "at 9s finish"]
    with pytest.raises(Problem, match="does not end with n1"):
        many.looked_at("start n1\nat 9s finish\n", 8)


def test_one_more_node_is_the_difference_of_two_runs(tmp_path: pathlib.Path) -> None:
    rows = many.compared(ROWS)
    assert [r.more for r in rows] == [None, 700 << 10, 700 << 10]
    table = many.text_table(rows)
    assert table[2].split()[:4] == ["8", "600", "64", "700"] and len({len(line) for line in table}) == 1
    many.draw(rows, tmp_path / "many.svg")
    words = "".join(xml.parse(tmp_path / "many.svg").getroot().itertext())
    for said in ("microseconds a hop", "kept by the hypervisor", "one more, all in all", "a message was round all",
                 "32"):
        assert said in words, said


@pytest.mark.parametrize("text", ["", "1", "a", "2,,3", "0,8", "8,10000"])
def test_numbers_of_nodes(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="whole number from 2 to 9999"):
        many.numbers(text)
    assert many.numbers("64,2,8,8") == [2, 8, 64]


@pytest.mark.parametrize("failure", [Problem("32 nodes: no room"), KeyboardInterrupt()])
def test_what_was_measured_before_a_failure_is_kept(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch,
                                                    capsys: pytest.CaptureFixture[str],
                                                    failure: BaseException) -> None:
    """The sizes come in order, the largest take minutes: one that fails, or a Ctrl-C, loses none before it."""
    def measured(_: pathlib.Path, nodes: int) -> many.Density:
        if nodes == 32:
            raise failure
        return next(row for row in ROWS if row.nodes == nodes)
    monkeypatch.setattr(many, "measure", measured)
    with pytest.raises(type(failure)):
        many.command(argparse.Namespace(nodes=[2, 8, 32], out=tmp_path, json=False))
    assert [row["nodes"] for row in json.loads((tmp_path / "many.json").read_text())["rows"]] == [2, 8]
    shown = capsys.readouterr().out
    assert shown == (tmp_path / "many.txt").read_text()
    assert max(map(len, shown.splitlines())) < 80


def test_a_fabric_that_crashed_is_said() -> None:
    """It is none of the cluster's nodes; only a fault may end it."""
    two, collector = cluster.load(many.FILE, {"n": 2}), Collector()
    collector.consoles["fabric"] = bytearray(b"fabric: ready\nPANIC: no memory\n")
    collector.ended = {"fabric": Ended("crash", 5), "n1": Ended("crash", 6), "disks": Ended("poweroff", 7)}
    assert judge.servers(two, collector, []) == ["fabric, which serves the nodes, crashed: PANIC: no memory"]
    hit = faults.Fault("crash", "node", "fabric", 1)
    assert judge.servers(two, collector, [hit]) == []


def test_a_trace_with_holes_is_not_judged() -> None:
    """Records that a ring had no room for are counted; what they would have shown is not guessed."""
    two, collector = dataclasses.replace(cluster.load(many.FILE, {"n": 2}), trace=True), Collector()
    whole = judge.judge(two, collector, Ending("done"), [], 1, "event")
    collector.events = [Event(5, "finish", "", {"trace_lost": 3})]
    holes = judge.judge(two, collector, Ending("done"), [], 1, "event")
    assert whole.invariants and not whole.trace_lost
    assert holes.trace_lost == 3 and not holes.invariants


@built
@pytest.mark.slow
def test_what_one_more_node_costs(tmp_path: pathlib.Path) -> None:
    """P27: the message goes round them all, and a node has a tenth of what it was promised."""
    done = subprocess.run([OSMOSIS, "many", "--nodes", "2,8,32", "--json", "--out", str(tmp_path)],
                          capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    few, more, most = json.loads(done.stdout)["rows"]
    assert json.loads((tmp_path / "many.json").read_text()) == json.loads(done.stdout)
    for row in few, more, most:
        assert 100 << 10 < row["own"] < 340 << 10 and 0 < row["kept"] <= 64 << 10 and row["hop_ns"] > 0
    assert all(few["own"] < row["more"] <= 384 << 10 for row in (more, most))
    assert (tmp_path / "many.svg").exists() and "one more" in (tmp_path / "many.txt").read_text()


@built
@pytest.mark.slow
def test_a_run_of_another_size_is_replayed_with_that_size(tmp_path: pathlib.Path) -> None:
    """--count goes with the result; the run is had again bit for bit."""
    for words in (["run", many.FILE, "--count", "n=5", "--json", "--out", tmp_path], ["replay", tmp_path]):
        done = subprocess.run([OSMOSIS, *map(str, words)], capture_output=True, text=True, check=False,
                              timeout=500)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "identical" in done.stdout
    assert [n["name"] for n in json.loads((tmp_path / "result.json").read_text())["nodes"]] == [
        "board", *(f"n{i}" for i in range(1, 6))]


@built
@pytest.mark.slow
def test_who_comes_up_does_not_wake_them_all(tmp_path: pathlib.Path) -> None:
    """P27: of frames to several, but for the announcements, each is heard by those who have to do with its sender:
    not as many as the square of the nodes."""
    text, nodes = many.FILE.read_text().replace("trace = false", ""), 24
    (tmp_path / "traced.toml").write_text(text)
    words = ["run", tmp_path / "traced.toml", "--count", f"n={nodes}", "--json", "--out", tmp_path / "out"]
    done = subprocess.run([OSMOSIS, *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    records = abi.records((tmp_path / "out" / "trace").read_bytes())
    heard = collections.Counter(r.a for r in records if r.type == Net.MEDIUM_DELIVER)
    assert sum(r.type == Net.MEDIUM_SEND for r in records) > 10 * nodes  # they talked
    assert 1 <= sum(times > 3 for times in heard.values()) <= 8
    assert max(heard.values()) > nodes // 2


@built
@pytest.mark.slow
@pytest.mark.skipif("OSMOSIS_LONG" not in os.environ, reason="minutes: OSMOSIS_LONG=1")
@pytest.mark.timeout(3600)
def test_a_thousand_nodes(tmp_path: pathlib.Path) -> None:
    """H18, P27: more than usual quotas of the store, or a fabric of fixed memory, would let one back end serve."""
    done = subprocess.run([OSMOSIS, "run", str(many.FILE), "--count", "n=1000", "--json", "--out", str(tmp_path)],
                          capture_output=True, text=True, check=False, timeout=3500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
