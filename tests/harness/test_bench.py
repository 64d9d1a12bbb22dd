# SPDX-License-Identifier: BSD-2-Clause
"""The performance rows' bookkeeping, and the regression gate on what runs natively (P7-P18)."""

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from osmo import (bench, bench_linux, bench_moves, bench_network, bench_xen, breakdown, cluster, doctor, goals,
                  paths, qemu)
from osmo.errors import Problem

FIELDS = ("id", "name", "where", "I", "X", "F", "C", "M", "n", "wall_ns", "goal", "peer")
TEXT = """booting
{"row": "P7", "name": "null kernel call", "value": 744.0, "unit": "ticks", "X": 0}
n1: {"row": "P26", "name": "overhead", "value": 40000, "unit": "bytes"}
{"row": "P8", "name": 3
{"row": 5, "value": 2}
"""


def test_rows_are_read_from_among_other_output() -> None:
    rows = bench.json_rows(TEXT, "native", shift=3)
    assert [(r.id, r.I, r.value, r.unit) for r in rows] == [("P7", 93.0, None, "I"),
                                                            ("P26", None, 40000, "bytes")]


def test_goals_are_judged_by_figure_and_switches() -> None:
    row = bench.Row("P1", "null hypercall", "osmosis", I=60, X=1)
    assert row.judged().met and row.judged().goal == 64
    assert not dataclasses.replace(row, X=2).judged().met
    assert not dataclasses.replace(row, I=65).judged().met
    assert dataclasses.replace(row, unit="I, core").judged().met is None


def test_the_table_has_goal_verdict_and_peer(capsys: pytest.CaptureFixture[str]) -> None:
    """P1 to P6, P24 to P26, P28: each has a goal and somebody to be compared with, and both are printed."""
    wanted = [goals.BY_ID[i] for i in ("P1", "P2", "P3", "P4", "P5", "P6", "P24", "P25", "P26", "P28")]
    rows = [bench.Row(g.id, g.name, "osmosis", value=(g.most or 0) + n % 2, unit=g.unit, X=g.X)
            for n, g in enumerate(wanted)]
    bench.print_table([row.judged() for row in rows])
    lines = capsys.readouterr().out.splitlines()[1:]
    for n, (goal, line) in enumerate(zip(wanted, lines, strict=True)):
        assert line.startswith(goal.id + " ") and line.endswith(f"  {goal.name}")
        assert f"  {goal.peer}  " in line and goal.peer and ("  MISSED  " if n % 2 else "  met  ") in line
        assert f"  {bench.show(goal.most)}  " in line


def test_bench_json_has_every_field_of_every_row(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    """What does not apply is null; a place that cannot be measured is missing, with its reason."""
    def nowhere() -> list[bench.Row]:
        raise Problem("no Xen here")

    said = ('{"row": "P4", "name": "grant map and unmap, single", "value": 400, "X": 2.0, "F": 1.0, "C": 64, '
            '"n": 7}\n'
            '{"row": "P20", "name": "migration: administrative messages", "unit": "M", "value": 9, "M": 9}')
    places = {"hypervisor": lambda: bench.json_rows(said, "osmosis"), "xen": nowhere}
    monkeypatch.setattr(bench, "PLACES", places)
    monkeypatch.setenv("OSMOSIS_BUILD", str(tmp_path))
    assert bench.command(argparse.Namespace(where=[*places], json=False, check=False, update=False)) == 1
    doc = json.loads((tmp_path / "bench.json").read_text())
    assert doc["machine"] == os.uname().machine and doc["qemu"] == doctor.qemu_version()
    assert doc["missing"] == {"xen": "no Xen here"}
    goal = goals.BY_ID["P4"]
    grant, moving = ({key: row[key] for key in FIELDS} for row in doc["rows"])
    assert grant == {"id": "P4", "name": goal.name, "where": "osmosis", "I": 400.0, "X": 2.0, "F": 1.0, "C": 64,
                     "M": None, "n": 7, "wall_ns": None, "goal": goal.most, "peer": goal.peer}
    assert moving["M"] == 9 and moving["I"] is moving["X"] is moving["n"] is None
    assert [row["met"] for row in doc["rows"]] == [True, True]
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == ["row", "P4", "P20"]
    assert shown.err.endswith("not measured: xen: no Xen here\n")
    assert bench.command(argparse.Namespace(where=["hypervisor"], json=False, check=False, update=False)) == 0


def test_the_papers_figure_is_missed_from_both_sides() -> None:
    goal = goals.BY_ID["P32"]
    assert [goals.met(goal, v, None) for v in (0.2, 0.95, 1.05, 1.5)] == [False, True, True, False]
    assert goals.met(goals.BY_ID["P33"], 600, None) and not goals.met(goals.BY_ID["P33"], 400, None)


def test_what_follows_from_two_rows_is_judged_too() -> None:
    """P11's second half, P19, P21: a ratio, a difference, and a figure by the byte have goals of their own."""
    name = {goal.id: goal.name for goal in goals.GOALS}
    rows = [bench.Row("P10", name["P10"], "osmosis", I=500), bench.Row("P11", name["P11"], "osmosis", I=900),
            bench.Row("P12", name["P12"], "osmosis", I=20000), bench.Row("P19", name["P19"], "osmosis", I=22000),
            bench.Row("P16", "memcpy of 1 MiB, per byte", "osmosis", I=0.25, unit="I/byte")]
    made = {row.id: row.judged() for row in bench.derived(rows)}
    assert (made["P11b"].value, made["P11b"].met) == (1.8, False)
    assert (made["P19b"].value, made["P19b"].met) == (976, False)
    (row,) = bench.json_rows('{"row": "P21", "name": "moving whole, per byte more", "value": 0.4}', "osmosis")
    assert row.judged().met is False and row.judged().goal == 0.30


def test_the_gate_lets_one_percent_pass_and_no_switch() -> None:
    row = bench.Row("P1", "x", "osmosis", I=100.0, X=1.0)
    reference = bench.counted([row])
    assert bench.regressions([row], reference) == []
    assert bench.regressions([dataclasses.replace(row, I=101.0)], reference) == []
    assert "I was 100.0, is 102.0" in bench.regressions([dataclasses.replace(row, I=102.0)], reference)[0]
    assert "X was 1.0, is 0.5" in bench.regressions([dataclasses.replace(row, X=0.5)], reference)[0]
    assert bench.regressions([dataclasses.replace(row, name="new")], reference) == []


def test_ratios_come_from_rows_measured_together() -> None:
    rows = [bench.Row("P7", "a", "native", I=50), bench.Row("P7", "a", "osmosis", I=50),
            bench.Row("P16", "memcpy of 1 MiB, per byte", "native", I=0.2),
            bench.Row("P16", "MOVEDATA of 1 MiB, copied, per byte", "native", I=0.3)]
    out = {(r.id, r.where): r.value for r in bench.derived(rows)}
    assert out == {("P16", "native"): 1.5, ("P29", "osmosis"): 1.0}


def test_three_calls_are_held_against_one() -> None:
    """DL08: what CALL saves, as a ratio."""
    rows = [bench.Row("P10", goals.BY_ID["P10"].name, "hosted", I=800, unit="I, core"),
            bench.Row("P10", bench.APART, "hosted", I=1600, unit="I, core")]
    assert [(r.id, r.value) for r in bench.derived(rows)] == [("DL08", 2.0)]


def test_time_is_by_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program takes to start is in both runs, and in none of the figure."""
    now = [0]

    def run(command: list[str], **_: object) -> None:
        now[0] += 1000000 + 50 * int(command[2])

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now[0])
    assert bench.wall_ns(paths.build() / "kernel-bench", "null", 2000) == 50


def test_goodput_is_the_share_of_what_the_medium_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    """DL22: bulk and messages beside each other, at each loss; the loss is the medium's."""
    played = []

    def play(text: str, _clock: str = "") -> dict[str, str]:
        played.append(text)
        row, value = ("P17", 1600) if "P17" in text else ("P14k", 1024 * 1600)
        return {"a": f'{{"row": "{row}", "name": "x", "value": {value}, "unit": "ticks"}}'}

    monkeypatch.setattr(bench_network, "play", play)
    rows = bench_network.goodput()
    assert [r.value for r in rows] == [0.5] * 2 * len(bench_network.LOSSES)
    for text, loss in zip(played, 2 * bench_network.LOSSES):
        made = cluster.parse(text, "x")
        assert [f.do for f in made.faults] == ([f"loss {loss / 100}"] if loss else [])


def test_pairs_and_hops_are_nodes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(text: str, _clock: str = "") -> dict[str, str]:
        made = cluster.parse(text, "x")
        value = {2: 1000, 3: 1500}.get(len(made.nodes), 2000)
        ids = ("P12", "P14")
        return {n.name: "\n".join(f'{{"row": "{i}", "name": "x", "value": {value}}}' for i in ids)
                for n in made.nodes}

    monkeypatch.setattr(bench_network, "play", play)
    assert [r.I for r in bench_network.hops()] == [250]
    assert [r.value for r in bench_network.pairs()] == [2e6, 16e6]
    monkeypatch.setattr(bench_network, "play", lambda text: {"a1": ""} | {f"a{i}": "" for i in range(17)})
    with pytest.raises(Problem, match="1 of 1 pairs"):
        bench_network.pairs()


def test_kicks_are_those_of_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both front ends and both back ends; what a run takes besides is not in the rows."""
    monkeypatch.setattr(bench_network, "sends", lambda window, count: {
        "n1": 100 + count // window, "n2": 200 + count // window, "fabric": 300 + 2 * count})
    assert [(r.value, r.name.split(": ")[1]) for r in bench_network.kicks()] == [
        (1.0, "who asks"), (1.0, "who answers"), (1.0, "back ends"),
        (0.0625, "who asks"), (0.0625, "who answers"), (1.0, "back ends")]


def test_a_window_is_measured_over_a_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """DN15: each window has a run whose network is told of it, over a medium of 5 ms."""
    def play(text: str, _clock: str = "") -> dict[str, str]:
        made = cluster.parse(text, "x")
        words = dict(word.split("=") for word in made.nodes[1].cmdline.split())
        assert made.media[0].latency == 5000000 and int(words["stream"]) > int(words["window"])
        return {"n2": f"{words['count']} round trips of 64 bytes, 2 in flight: {10**7 // int(words['window'])} ns"}

    monkeypatch.setattr(bench_network, "play", play)
    assert [r.value for r in bench_network.windows()] == [100.0 * w for w in bench_network.WINDOWS]


def test_a_round_trip_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """P12w: the least of several runs by the host's cycles, against its goal."""
    ticks = iter((300000.0, 250000.0, 900000.0, 260000.0, 500000.0))

    def play(text: str, clock: str) -> dict[str, str]:
        assert clock == cluster.parse(text, "x").clock == "real"
        return {"a": f'{{"row": "P12", "name": "x", "value": {next(ticks)}, "unit": "ticks"}}'}

    monkeypatch.setattr(bench_network, "play", play)
    (row,) = bench_network.cycles()
    assert (row.value, row.judged().met, row.I) == (250000, True, None)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(qemu.BINARY) or not paths.image("netflood").is_file(),
                    reason="not built, or QEMU is not installed")
def test_packets_come_through_the_fabric_whole_and_in_order() -> None:
    """P36: 20,000 packets of 64 bytes as fast as the rings take them; none is lost, counts as before."""
    assert bench.regressions(bench_network.packets(), bench.read_reference()) == []


def test_a_row_on_xen_is_the_middle_one_of_several_guests() -> None:
    rounds = [[bench.Row("P7", "a", "xen", I=58.0), bench.Row("P10", "b", "xen", I=i)]
              for i in (700.0, 660.0, 661.0)]
    assert [r.I for r in bench_xen.middle(rounds)] == [58.0, 661.0]
    assert bench.counted(rounds[0]) == {}


def test_the_same_nodes_on_xen_are_held_against_ours_without_what_the_emulator_adds() -> None:
    """P30: what Xen decodes is counted in a log of both nodes and the fabric, and taken away."""
    guest, ring3 = breakdown.GUEST, breakdown.GUEST | breakdown.RING
    node = breakdown.Image("node", [0x100], [("rt_wait", "guest/rt/life.c")], {0x100, 0x104, 0x106},
                           {0x100: "mov", 0x104: "hlt", 0x106: "ret"})
    fabric = breakdown.Image("fabric", [0x100, 0x105], [("rt_vmcall", "guest/rt/entry.S"), ("go", "x.c")],
                             {0x100, 0x103, 0x105}, {0x100: "vmmcall", 0x103: "ret", 0x105: "nop"})
    program = breakdown.Image("netbench", [0x10], [("main", "")], {0x10, 0x11}, {0x10: "mov", 0x11: "syscall"})
    turn = [(0x10, ring3), (0x11, ring3), (0x100, guest), (0x104, guest), (0x50, 0), (0x106, guest), (0x51, 3),
            (0x105, guest), (0x100, guest), (0x50, 0), (0x103, guest), (0x105, guest), (0x50, 0)]
    log = b"".join(b"Trace 0: 0x7f0 [0000000000000000/%016x/%08x/ff020201] \n" % step for step in turn * 4)
    decoded = bench_xen.exits(log, [node, fabric], program)
    assert decoded == 2.0 and node.function(0x106)[0] == "rt_wait" and fabric.function(0x103)[0] == "rt_vmcall"
    name = goals.BY_ID["P12"].name
    raw, exits, bare = bench_xen.corrected(bench.Row("P12", name, "xen", I=50000.0), decoded)
    assert (raw.I, exits.value, bare.value) == (50000.0, 2.0, 50000 - 2 * bench_xen.DECODING)
    rows = [raw, exits, bare, bench.Row("P12", name, "osmosis", I=4039.4)]
    (ratio,) = [r.judged() for r in bench.derived(rows) if r.id == "P30"]
    assert (ratio.value, ratio.goal, ratio.met) == (0.1, 0.15, True) and name in ratio.name
    with pytest.raises(Problem, match="no exit"):
        bench_xen.corrected(raw, 0.0)


def test_linux_says_its_own_time() -> None:
    said = "linux: node 2 is up\nuptime 3.25 1.00\n64 bytes\nuptime 5.75 1.00\n"
    assert bench_linux.times(said, 2) == [3.25e9, 5.75e9]
    with pytest.raises(Problem):
        bench_linux.times(said, 1)
    client = bench_linux.node("client", bench_linux.SEND, "lan")
    node = cluster.parse(bench_linux.CLUSTER % 300 + client, "x").nodes[0]
    assert " " not in node.cmdline and node.machine == "linux"


@pytest.mark.skipif(not (paths.build() / "kernel-bench").is_file(), reason="kernel-bench is not built")
def test_what_processes_links_and_messages_take() -> None:
    """L09: bytes of the kernel's memory; a link is its slot, a message its header, links and body."""
    sizes = {row.name: row.value or 0.0 for row in bench.memory()}
    assert 72 <= sizes["a link"] <= 2 * 72  # a table grows twofold
    assert 0 < sizes["of these the thread"] < sizes["a process with a thread and a region"] < 4096
    empty, full = (sizes[f"a queued message, {n} bytes"] for n in (0, 1024))
    assert 100 < empty < 400 and 1024 <= full - empty <= 1200


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(qemu.BINARY) or not paths.image("node").is_file(),
                    reason="not built, or QEMU is not installed")
def test_a_move_is_nine_messages() -> None:
    """P20: of at most 108 bytes together, whatever runs beside them on the way between two domains."""
    told = bench_moves.moved(64)
    assert told.steps == 7 * bench_moves.RUNS  # and the request with its answer
    assert told.step_bytes / bench_moves.RUNS + bench_moves.ADMIN_OUTSIDE <= 108
    assert told.wire_bytes > 3 * 65536 and bench.json_rows(told.text, "moves")[0].I
    larger = bench_moves.moved(1024)  # more than all buffers between the two hold
    assert larger.steps == told.steps and larger.step_bytes == told.step_bytes
    more = (larger.wire_bytes - told.wire_bytes) / (960 * 1024 * bench_moves.RUNS)
    assert 1.0 < more <= 1.05


def test_linux_here_is_held_against_linux_there() -> None:
    rows = [bench.Row("linux", "boot to shell", where, value=value)
            for where, value in (("osmosis", 3.0), ("xen", 6.0))]
    assert [(r.name, r.value) for r in bench.derived(rows)] == [("boot to shell, against Xen", 0.5)]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(qemu.BINARY), reason="QEMU is not installed")
def test_the_nodes_image_counts_the_same_each_time_and_no_more_than_before() -> None:
    """P7-P11, P16, P18 on the bare machine: identical twice, and within the reference."""
    if not paths.image("node").is_file() or not (paths.build() / "bundles" / "bench").is_file():
        pytest.skip("the node's image or its bench bundle is not built")
    first, second = bench.native(), bench.native()
    assert first == second and len(first) >= 8
    assert bench.regressions(first, bench.read_reference()) == []


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(qemu.BINARY), reason="QEMU is not installed")
def test_where_the_instructions_of_a_row_go() -> None:
    """`osmosis path P7`, `make path OP=P10`: the log adds up to the row, by function, bar what the loop around it
    takes."""
    if not paths.image("node").is_file() or not (paths.build() / "programs" / "bench").is_file():
        pytest.skip("the node's image or its bench program is not built")
    found = breakdown.native("bench", "P7")
    before = bench.read_reference()["native/P7/null kernel call"]["I"]
    assert before and before <= found.total <= before + 5
    assert found.functions["node: node_call"] > 5 and found.functions["node: x86_syscall"] > 20
    said = subprocess.run(["make", "-s", "path", "OP=P10"], cwd=paths.TOP, capture_output=True, text=True,
                          check=True).stdout.splitlines()
    total = float(said[0].split()[0].replace(",", ""))
    before = bench.read_reference()["native/P10/round trip between two processes, 0 bytes"]["I"]
    assert before and before <= total <= before + 5
    parts = {line.split(None, 1)[1]: float(line.split()[0].replace(",", "")) for line in said[1:]}
    assert abs(sum(parts.values()) - total) < 2 and parts["node: node_call"] > 5
