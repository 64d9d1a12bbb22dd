# SPDX-License-Identifier: BSD-2-Clause
"""H20: campaigns in the simulator: the worked clusters survive there, it judges a run as the
harness's own checks do, the same seed is the same run, what fails is found and made small, and what it
cannot play is refused with the way out.
"""

import json
import pathlib
import subprocess

import pytest

from osmo import bench_simulator, cluster, invariants, paths, simulate
from osmo.faults import Fault
from osmo.types import EVENTS

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = str(TOP / "harness" / "osmosis")
CLUSTERS, EXPERIMENTS = TOP / "harness" / "clusters", TOP / "harness" / "experiments"
PLAYED = [*(CLUSTERS / f"{name}.toml" for name in ("lossy", "partition", "restart", "ring", "skew")),
          *(EXPERIMENTS / f"{name}.toml" for name in ("measurement", "migration"))]

pytestmark = pytest.mark.skipif(not (paths.build() / "campaign").is_file(),
                                reason="the simulator is not built (`make`)")

SLOW_MEDIUM = """
for = "1500ms"
[media.net]
[nodes.server]
media = ["net"]
programs = ["+kernel =board switchboard global", "=counter counter-server", "announce counter"]
[nodes.client]
media = ["net"]
programs = ["+kernel with counter counter-client 20 5"]
[[faults]]
at = "30ms"
for = "20ms"
medium = "net"
do = "loss 0.1"
[[faults]]
at = "40ms"
medium = "net"
do = "delay 300ms"
[[faults]]
at = "50ms"
for = "20ms"
node = "client"
do = "pause"
[expect]
heal = "100ms"
"""


def experiment(path: pathlib.Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([OSMOSIS, "experiment", str(path), "--where", "simulator", *words],
                          capture_output=True, text=True, check=False, timeout=500)


@pytest.mark.parametrize("path", PLAYED, ids=lambda p: p.stem)
def test_what_survives_in_a_machine_survives_here(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = experiment(path, "--seeds", "1..8", "--jobs", "1", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    campaign = json.loads((tmp_path / "campaign.json").read_text())
    assert campaign["runs"] == 8 and not campaign["failed"]
    kinds = {f.do.split()[0] for seed in range(1, 9) for f in cluster.load(path).all_faults(seed)}
    assert kinds <= set(campaign["survival"])
    assert all(held == runs for row in campaign["survival"].values() for held, runs in row.values())
    if kinds:
        assert len({row["digests"]["trace"] for row in campaign["rows"]}) == 8
    assert (tmp_path / "report.html").is_file() and (tmp_path / "junit.xml").is_file()


@pytest.mark.parametrize("path", PLAYED, ids=lambda p: p.stem)
def test_it_judges_as_the_harness_does(path: pathlib.Path) -> None:
    """Its ledger in C and the harness's in Python say the same of the same records, check for check."""
    loaded = cluster.load(path)
    with simulate.Simulator(loaded) as simulator:
        faults = loaded.all_faults(1)
        one, case = simulator.traced(1, faults, loaded.for_ns)
        verdicts = invariants.check(case)
        assert one.ok and one.messages == len(case.ledger.messages)
        for name, verdict in verdicts.items():
            if name != "leak":  # which no record tells
                assert (verdict.checked, verdict.broken) == (one.checked[name], one.broken[name]), name
        assert simulator.one(1, faults, loaded.for_ns).digest == one.digest


def test_faults_wait_for_what_happens() -> None:
    """A record of a node's trace, a node's end, what a console shows: each fault strikes at once, and both
    judges count from there how long the network was disturbed."""
    text = (CLUSTERS / "moment.toml").read_text()
    loaded = cluster.parse(text.replace('node = "fabric"\ndo = "restart"', 'medium = "net"\ndo = "stall 90ms"'))
    more = [Fault("restart", "node", "host1", None, None, "exit client1"),
            Fault("crash", "node", "host2", None, None, "output client1 counter: first 150")]
    with simulate.Simulator(loaded) as simulator:
        for faults in (loaded.all_faults(1), loaded.all_faults(1) + more):
            one, case = simulator.traced(1, faults, loaded.for_ns)
            found = invariants.check(case)
            assert {n: (v.checked, v.broken) for n, v in found.items() if n != "leak"} == {
                n: (one.checked[n], one.broken[n]) for n in one.broken if n != "leak"}
            ends = {life.node: (life.end_ns, life.reason) for life in reversed(case.history.lives) if life.end_ns}
            sends = [s.record.ns for s in case.history.steps
                     if s.node == "client2" and s.record.type == EVENTS["kernel.send"]]
            assert ends["client2"] == (sends[39] + 1, "restarted")
            if faults[-1] not in more:
                assert one.ok, one.why
                calm = case.calm_ns
        assert ends["host1"] == (ends["client1"][0] + 1, "restarted") and ends["host2"][1] == "destroyed"
    assert 0 < calm < loaded.for_ns


def test_both_judges_find_what_is_broken(tmp_path: pathlib.Path) -> None:
    loaded = cluster.parse(SLOW_MEDIUM)
    with simulate.Simulator(loaded) as simulator:
        one, case = simulator.traced(3, loaded.all_faults(3), loaded.for_ns)
    verdicts = invariants.check(case)
    assert one.broken["liveness"] and one.why
    assert {n: v.broken for n, v in verdicts.items() if n != "leak"} == {
        n: b for n, b in one.broken.items() if n != "leak"}


def test_the_same_seed_is_the_same_run(tmp_path: pathlib.Path) -> None:
    """Whatever ran before it and however many run beside it."""
    path = EXPERIMENTS / "migration.toml"
    digests = []
    for number, words in enumerate((["1..8", "--jobs", "1"], ["5..8,1..4", "--jobs", "2"])):
        out = tmp_path / str(number)
        assert experiment(path, "--seeds", *words, "--out", str(out)).returncode == 0
        digests.append({r["seed"]: r["digests"] for r in json.loads((out / "campaign.json").read_text())["rows"]})
    assert digests[0] == digests[1] and len(digests[0]) == 8


def test_a_thousand_nodes(tmp_path: pathlib.Path) -> None:
    """They find each other all at once, and one message goes round all of them three times; nothing is lost."""
    done = experiment(CLUSTERS / "many.toml", "--count", "n=1000", "--seeds", "1", "--out", str(tmp_path))
    (row,) = json.loads((tmp_path / "campaign.json").read_text())["rows"]
    assert done.returncode == 0 and row["ok"] and not row["broken"], done.stdout[-2000:] + done.stderr[-2000:]


def test_what_fails_is_found_and_made_small(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "slow.toml"
    path.write_text(SLOW_MEDIUM)
    done = experiment(path, "--seeds", "5..6", "--jobs", "1", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    campaign = json.loads((tmp_path / "out" / "campaign.json").read_text())
    assert campaign["failed"] == [5, 6] and campaign["survival"]["delay"]["liveness"] == [0, 2]
    assert campaign["survival"]["delay"]["order"] == [2, 2]
    small = campaign["shrunk"]["5"]
    assert small["from"] == 3 and len(small["faults"]) == 1 and "delay 300ms" in small["faults"][0]
    again = experiment(tmp_path / "out" / "seed-5.toml", "--seeds", "5", "--no-shrink")
    assert again.returncode == 1 and "liveness" in again.stdout


def test_consoles_say_what_programs_say() -> None:
    """The scripts' last lines are the programs', which the files expect of both."""
    loaded = cluster.load(CLUSTERS / "ring.toml")
    with simulate.Simulator(loaded) as simulator:
        assert simulator.one(1, [], loaded.for_ns).ok
        assert simulator.consoles()["n1"] == "ring: 3 machines, 100 rounds, 200 hops\n"


@pytest.mark.parametrize("change, why", [
    (('["net"]\nprograms = ["+kernel with', '["net"]\nmachine = "z8000"\nprograms = ["+kernel with'),
     "no DEMOS node of machine x86"),
    (("counter-client 20 5", "hello"), "no script plays that program"),
    (('at = "40ms"', 'after = "output server a\\tb"'), "a fault after"),
    (('at = "40ms"', 'after = "store /a b"'), "a fault after 'store /a b'"),
    (('do = "pause"', 'do = "slow 20%"'), "`slow 20%` of node client"),
    (("[nodes.server]", '[random]\ncount = 0\nnodes = ["server"]\nkinds = ["slow 20%"]\n[nodes.server]'),
     "`slow 20%` of random.kinds"),  # before the first seed that draws it
    (("[media.net]", "first = 3\n[media.net]"), "another machine than 1"),
    (("[nodes.server]", '[nodes.server]\ndisk = { size = "1M" }'), "the disks of nodes.server"),
], ids=["machine", "program", "after", "store", "fault", "drawn", "first", "disk"])
def test_what_it_cannot_play_is_refused(change: tuple[str, str], why: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "other.toml"
    text = SLOW_MEDIUM.replace(*change) if "first" not in change[1] else "first = 3\n" + SLOW_MEDIUM
    path.write_text(text)
    done = experiment(path, "--seeds", "1")
    assert done.returncode == 2 and why in done.stderr, done.stderr
    assert "leave out --where simulator" in done.stderr and str(path) in done.stderr


def test_the_benchs_experiment_is_of_a_thousand_messages() -> None:
    """P34's row: what is counted there is this, and it holds."""
    loaded = cluster.parse(bench_simulator.UNIT)
    assert len(loaded.nodes) == 4
    with simulate.Simulator(loaded) as simulator:
        one = simulator.one(1, loaded.all_faults(1), loaded.for_ns)
    assert one.ok and 1000 <= one.messages < 1020 and one.virtual_ns == loaded.for_ns


def test_its_time_is_its_own() -> None:
    done = experiment(CLUSTERS / "ring.toml", "--seeds", "1", "--clock", "count")
    assert done.returncode == 2 and "a time of its own" in done.stderr
