# SPDX-License-Identifier: BSD-2-Clause
"""Campaigns and shrinking with runs played by a function: what fails is found and made small.

P33's engine; F01-F06 drawn from the seed.
"""

import contextlib
import dataclasses
import io
import json
import pathlib
import sys
import types
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmo import bench, cli, cluster, dump, experiment, progress, replay, run, shrink, smaller
from osmo.abi import Record
from osmo.cluster import Cluster
from osmo.errors import Problem
from osmo.result import Result

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

TOP = pathlib.Path(__file__).resolve().parents[2]
TEXT = """
for = "16s"
[media.net]
rate = "1M"
[nodes.a]
count = 3
media = ["net"]
programs = ["ring {number}"]
[random]
count = 12
kinds = ["loss 0.1", "delay 5ms", "cut", "duplicate 0.5", "pause"]
nodes = ["a1", "a2"]
[expect]
heal = "2s"
[expect.output]
a1 = "done"
"""
CLUSTER = cluster.parse(TEXT, "t.toml")


def fake_runner(culprits: set[str], least_ns: int = 0) -> smaller.Runner:
    """Fails iff all these kinds of fault are there and the run is long enough."""
    def runner(c: Cluster, options: run.Options) -> Result:
        faults = options.faults if options.faults is not None else c.all_faults(options.seed or 0)
        there = {f.do.split()[0] for f in faults}
        bad = culprits <= there and (options.for_ns or c.for_ns) >= least_ns
        verdict = {"loss": {"checked": 9, "broken": int(bad), "first": ["x"] * bad}}
        return Result(ok=not bad, invariants=verdict, error="invariant loss broken" if bad else "")
    return runner


@given(st.integers(0, 2**32), st.sets(st.integers(0, 40), max_size=5))
@settings(max_examples=60)
def test_ddmin_finds_exactly_the_culprits(seed: int, culprits: set[int]) -> None:
    small, probes = shrink.ddmin(range(41), lambda some: culprits <= set(some))
    assert set(small) == culprits and probes <= 200


def test_ddmin_minimum_is_one_minimal_where_there_are_several() -> None:
    def fails(some: Sequence[int]) -> bool:
        return sum(some) >= 10
    small, _ = shrink.ddmin([1, 2, 3, 4, 5, 6], fails)
    assert fails(small) and not any(fails([x for x in small if x != y]) for y in small)


def test_ddmin_keeps_to_its_budget() -> None:
    small, probes = shrink.ddmin(range(64), lambda some: {0, 31, 63} <= set(some), limit=7)
    assert probes <= 7 and {0, 31, 63} <= set(small)


def test_no_probe_is_made_twice() -> None:
    seen: list[tuple[int, ...]] = []

    def fails(some: Sequence[int]) -> bool:
        assert tuple(some) not in seen
        seen.append(tuple(some))
        return {3, 4} <= set(some)
    shrink.ddmin(range(20), fails)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_least_is_the_least(high: int, bound: int) -> None:
    bound = min(bound, high)
    assert shrink.least(high, lambda n: n >= bound) == bound


def test_a_failure_is_made_small() -> None:
    runner = fake_runner({"cut", "duplicate"}, least_ns=5 * 10**9)
    seed = next(s for s in range(1, 99) if not experiment.row(CLUSTER, run.Options(), s, runner).ok)
    row = experiment.row(CLUSTER, run.Options(), seed, runner)
    assert row.broken == ["loss"]
    told: list[str] = []
    small = smaller.shrink_failure(CLUSTER, run.Options(), seed, {"loss"}, runner, tell=told.append)
    assert len(told) == small.probes and told[0] == "run 1, 0 of 12 faults, 3 of 3 nodes"
    assert sorted(f.do.split()[0] for f in small.faults) == ["cut", "duplicate"]
    assert small.for_ns == 5 * 10**9 and small.from_faults == 12 and small.probes < 70


SIX = """
for = "16s"
until = "exit d"
[media.net]
[media.other]
[media.pair]
direct = true
[nodes.b]
media = ["net"]
programs = ["board {number}"]
[nodes.c]
count = 2
media = ["net", "other"]
programs = ["client {count} of {nodes}", "+kernel ./near/far.bin 1/2"]
[nodes.d]
media = ["net", "pair"]
[nodes.e]
media = ["net", "pair"]
[nodes.f]
media = ["other"]
[[faults]]
at = "1s"
medium = "net"
do = "cut c2>b"
[[faults]]
at = "2s"
medium = "net"
do = "loss 0.5"
[expect.output]
b = "no"
c2 = "done"
"""


def play(needed: set[str], dependent: set[str]) -> smaller.Runner:
    """c2 fails by its cut if `needed` are there; without `dependent` it always does; with a pair that is torn
    apart, the run ends badly."""
    def runner(c: Cluster, options: run.Options) -> Result:
        names = {n.name for n in c.nodes}
        cut = any(f.do.startswith("cut") for f in options.faults or [])
        bad = (cut and needed <= names) or not dependent <= names
        out = Result(ok=not bad, expected=[{"node": "c2", "output": "done", "ok": not bad}])
        return out
    return runner


@pytest.mark.parametrize(("needed", "dependent", "left"), [
    (set(), {"b"}, ["b", "c2"]), ({"e"}, {"b"}, ["b", "c2", "d", "e"]),
    ({"c1", "f"}, set(), ["b", "c1", "c2", "f"]),
    ({"b", "c1", "d", "e", "f"}, set(), ["b", "c1", "c2", "d", "e", "f"])])
def test_nodes_that_do_not_matter_are_left_out(needed: set[str], dependent: set[str], left: list[str]) -> None:
    """Those that faults name stay, so do both ends of a pair, and a node whose want alone would fail the run."""
    six = cluster.parse(SIX, "/x/t.toml")
    small = smaller.shrink_failure(six, run.Options(), 1, {"expected"}, play(needed, dependent))
    assert [n.name for n in small.cluster.nodes] == left and small.from_nodes == 6
    assert [n.number for n in small.cluster.nodes] == list(range(1, len(left) + 1))
    assert [f.do for f in small.faults] == ["cut c2>b"] and small.probes < 80
    assert small.cluster.until == ("exit d" if "d" in left else "")
    assert small.cluster.expect.output == {"b": "no", "c2": "done"}
    client = small.cluster.node("c2")
    if len(left) < 6:
        assert client.programs == [f"client {1 + ('c1' in left)} of {{nodes}}", "+kernel /x/near/far.bin 1/2"]
    again = cluster.parse(dump.cluster_text(small.cluster, small.faults, 1, small.for_ns), "/y/t.toml")
    assert again.faults == small.faults
    assert [n.media for n in again.nodes] == [n.media for n in small.cluster.nodes]
    assert again.until == small.cluster.until and again.nodes[-1].name == left[-1]


def test_a_failure_without_faults_keeps_whose_it_is() -> None:
    """Nothing but the nodes is to blame: who is expected in vain must be the same in what is left."""
    def runner(c: Cluster, options: run.Options) -> Result:
        names = {n.name for n in c.nodes}
        vain = {"c2"} | ({"b"} if "f" not in names else set())
        return Result(ok=False, expected=[{"node": n, "output": "x", "ok": False} for n in vain & names])
    six = cluster.parse(SIX, "/x/t.toml")
    small = smaller.shrink_failure(six, run.Options(), 1, {"expected"}, runner)
    assert small.faults == [] and {n.name for n in small.cluster.nodes} in ({"c2"}, {"c2", "f"})


def test_what_was_made_small_is_a_cluster_file_that_runs_the_same() -> None:
    faults = cluster.draw(CLUSTER, 3)[:2]
    text = dump.cluster_text(CLUSTER, faults, 3, 7 * 10**9, "why\nso")
    again = cluster.parse(text, "t.toml")
    assert again.all_faults(99) == sorted(faults, key=lambda f: (f.at_ns or 0, f.target, f.name, f.do))
    assert [n.name for n in again.nodes] == ["a1", "a2", "a3"] and again.seed == 3
    assert again.nodes[1].programs == ["ring 2"] and again.nodes[1].number == 2
    assert again.for_ns == 7 * 10**9 and again.expect == CLUSTER.expect and again.media == CLUSTER.media


@pytest.mark.parametrize("file", sorted((TOP / "harness").glob("*/*.toml")), ids=lambda file: file.stem)
def test_every_worked_file_can_be_written_out_again(file: pathlib.Path) -> None:
    made = cluster.load(file)
    again = cluster.parse(dump.cluster_text(made, made.faults, 1, made.for_ns), str(file))
    assert again.faults == made.faults and again.expect == made.expect and again.media == made.media
    assert [(n.name, n.number, n.media, n.memory) for n in again.nodes] == \
        [(n.name, n.number, n.media, n.memory) for n in made.nodes]


def test_a_run_that_got_stuck_is_saved_as_it_was(tmp_path: pathlib.Path) -> None:
    """Beside what is made small, one of each kind; what is saved has the seed's own faults."""
    def row(seed: int, error: str, broken: list[str], timeout: bool) -> experiment.Row:
        return experiment.Row(seed, False, error, [], broken, {}, 1, 1, timeout)
    rows = [row(3, "wedged: no sign of life\nmore", ["ending"], True), row(5, "deadline", ["ending"], True),
            row(6, "invariant loss broken", ["loss"], False)]
    made = experiment.shrink_all(CLUSTER, run.Options(), rows, tmp_path, fake_runner(set()))
    assert set(made) == {"3", "6"} and made["3"]["probes"] == 0 and made["6"]["probes"] > 0
    text = (tmp_path / "seed-3.toml").read_text()
    assert text.startswith("# Seed 3 of t.toml, as it was: wedged: no sign of life.\n")
    again = cluster.parse(text, "t.toml")
    assert again.all_faults(0) == CLUSTER.all_faults(3) and again.for_ns == CLUSTER.for_ns and again.seed == 3


@pytest.mark.parametrize("asked,file,had", [("count", "real", "count"), ("simulator", "real", "count"),
                                            ("simulator", "event", "event"), ("event", "count", "event")])
def test_what_is_saved_goes_by_the_clock_that_it_failed_by(tmp_path: pathlib.Path, asked: str, file: str,
                                                           had: str) -> None:
    """And by as many processors: by the clock of a file that says `real` nothing is had again."""
    row = experiment.Row(6, False, "invariant loss broken", [], ["loss"], {}, 1, 1)
    made = dataclasses.replace(CLUSTER, clock=file, cpus=2)
    experiment.shrink_all(made, run.Options(clock=asked, cpus=1), [row], tmp_path, fake_runner(set()))
    again = cluster.load(tmp_path / "seed-6.toml")
    assert (again.clock, again.cpus) == (had, 1)
    assert experiment.seeded(made) == ("count" if file == "real" else file)


@pytest.mark.parametrize("failed,ends", [(0, KeyboardInterrupt), (3, None)])
def test_a_campaign_that_ends_before_its_end(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, failed: int,
                                             ends: type[BaseException] | None,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    """By a Ctrl-C or its failures: what was run is concluded, and that it is not all is said."""
    def some(_cluster: object, _options: object, seeds: Sequence[int], _jobs: int,
             progress: Callable[[experiment.Row], None], _stop: int | None) -> list[experiment.Row]:
        rows = [experiment.Row(s, s > failed, "" if s > failed else "wedged", [], [], {}, 1, 1) for s in seeds[:3]]
        for row in reversed(rows):
            progress(row)
        if ends:
            raise ends
        return rows
    monkeypatch.setattr(experiment, "campaign", some)
    (tmp_path / "c.toml").write_text(TEXT)
    given = cli.build_parser("experiment").parse_args(
        ["experiment", str(tmp_path / "c.toml"), "--seeds", "1..9", "--no-shrink", "--out", str(tmp_path / "out")])
    with pytest.raises(ends) if ends else contextlib.nullcontext():
        experiment.command(given)
    saved = json.loads((tmp_path / "out" / "campaign.json").read_text())
    assert [row["seed"] for row in saved["rows"]] == [1, 2, 3] and saved["asked"] == 9
    assert f"3 of 9 runs, {failed} failed" in capsys.readouterr().out
    assert "3 of 9 seeds" in (tmp_path / "out" / "report.html").read_text()


def test_another_failure_is_not_taken_for_this_one() -> None:
    out = Result(ok=False, invariants={"order": {"checked": 1, "broken": 1, "first": []}})
    assert not smaller.same_failure(out, {"loss"}) and smaller.same_failure(out, {"order"})
    assert smaller.same_failure(Result(ok=False), {"ending"})


class Screen(io.StringIO):
    """A terminal that keeps what it was given."""

    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_and_nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of each place of a benchmark."""
    screen, pipe = Screen(), io.StringIO()
    monkeypatch.setattr(progress, "PERIOD", 10**6)
    for out in (screen, pipe):
        with progress.Progress(out) as told:
            told.say("one")
            told.say("two, too soon")
            told.next = 0.0
            told.say("three " * 100)
    assert screen.getvalue().startswith("\r\x1b[Kone\r\x1b[Kthree ") and screen.getvalue().endswith("\r\x1b[K")
    assert "\n" not in screen.getvalue() and "two" not in screen.getvalue() and len(screen.getvalue()) < 250
    assert pipe.getvalue() == ""
    at = types.SimpleNamespace(page=types.SimpleNamespace(get=lambda: types.SimpleNamespace(now_ns=5 * 10**8)))
    for for_ns, words in ((2 * 10**9, "x: 500 ms of 2s, 25 %"), (None, "x: 500 ms of virtual time")):
        with progress.Progress(Screen()) as told:
            told.run("x", at, for_ns)  # type: ignore[arg-type]
            assert told.out.getvalue().endswith(words)  # type: ignore[attr-defined]
    monkeypatch.setattr(bench, "PLACES", {"a": lambda: [bench.Row("P1", "x", "a")] * 3, "b": lambda: []})
    monkeypatch.setattr("sys.stderr", screen := Screen())
    assert len(bench.measure(["a", "b"])[0]) == 3
    assert "a, 1 of 2 places, 0 rows so far" in screen.getvalue()
    assert "b, 2 of 2 places, 3 rows so far" in screen.getvalue()


def test_survival_counts_each_kind() -> None:
    runner = fake_runner({"cut"})
    rows = [experiment.row(CLUSTER, run.Options(), s, runner) for s in range(30)]
    table = experiment.survival(rows, ["loss"])
    assert table["any"]["loss"][1] == 30 and table["cut"]["loss"][0] == 0


@pytest.mark.parametrize("text,seeds", [("7", [7]), ("1..3", [1, 2, 3]), ("1..2,9", [1, 2, 9])])
def test_seeds(text: str, seeds: list[int]) -> None:
    assert experiment.seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "3..1", "1.."])
def test_no_seeds(text: str) -> None:
    with pytest.raises(Problem, match="no range"):
        experiment.seeds_of(text)


def test_the_first_difference_of_two_traces() -> None:
    def record(ns: int, b: int) -> bytes:
        return Record(ns, 0x8000, 3, 1, 2, b).pack()
    old = record(1, 1) + record(2, 2) + record(3, 3)
    assert replay.first_difference(old, old) == "no record differs"
    assert replay.first_difference(old, record(1, 1) + record(2, 9)).startswith("record 1: was [2 ns")
    assert replay.first_difference(old, old[:64]).startswith("record 2 is missing")
    assert replay.first_difference(old[:64], old).startswith("record 2 is new")
    assert replay.first_line("a\nb", "a\nc") == "line 2: was 'b', is 'c'"
