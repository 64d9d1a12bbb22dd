# SPDX-License-Identifier: BSD-2-Clause
"""The performance rows' bookkeeping, and the regression gate on what runs natively (P7-P18)."""

import dataclasses
import shutil

import pytest

from osmo import bench, goals, paths, qemu

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


def test_the_papers_figure_is_missed_from_both_sides() -> None:
    goal = goals.BY_ID["P32"]
    assert [goals.met(goal, v, None) for v in (0.2, 0.95, 1.05, 1.5)] == [False, True, True, False]
    assert goals.met(goals.BY_ID["P33"], 600, None) and not goals.met(goals.BY_ID["P33"], 400, None)


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


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(qemu.BINARY), reason="QEMU is not installed")
def test_the_nodes_image_counts_the_same_each_time_and_no_more_than_before() -> None:
    """P7-P11, P16, P18 on the bare machine: identical twice, and within the reference."""
    if not paths.image("node").is_file() or not (paths.build() / "bundles" / "bench").is_file():
        pytest.skip("the node's image or its bench bundle is not built")
    first, second = bench.native(), bench.native()
    assert first == second and len(first) >= 8
    assert bench.regressions(first, bench.read_reference()) == []
