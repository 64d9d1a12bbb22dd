# SPDX-License-Identifier: BSD-2-Clause
"""Nodes, vifs and the fabric's domain on Osmosis (H08, H09, H10, H11, F01, F09, P12, P14).

netping sends numbered messages through netfront, the fabric and back, and checks every byte of
what returns. Runs count instructions, so that they repeat; the figures are quoted, not asserted.
"""

import pathlib

import netping
import pytest

from osmo import cluster, collect, judge, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
BUFFERS = 32 + 64 + 2  # of a vif, to send from and to receive into, and its rings: each mapped and unmapped once
LOSS = '[[faults]]\nat = "1ms"\nmedium = "wire"\ndo = "loss 0.2"\n'


def play(tmp_path: pathlib.Path, words: str, kind: str = "ether", seconds: int = 60, more: str = "",
         plan: str = "", linger: str = "") -> tuple[str, collect.Collector]:
    path = tmp_path / "ping.toml"
    path.write_text(netping.text(words, f'kind = "{kind}"', seconds, linger) + more)
    prepared = run.prepare(cluster.load(path), run.Options(clock="count"), tmp_path)
    prepared.plan.text += plan
    (tmp_path / "plan").write_text(prepared.plan.text)
    outcome = run.execute(prepared)
    said = "\n".join(f"{n}: {outcome.collector.text(n)}" for n in outcome.collector.consoles)
    assert netping.DONE.search(said) and said.count("netping: done") == 2, said
    assert outcome.result.ok, (outcome.result.reason, outcome.result.expected, outcome.result.invariants)
    return said, outcome.collector


@pytest.mark.parametrize("words", netping.WORDS)
def test_round_trips(tmp_path: pathlib.Path, words: str) -> None:
    """And what was lent once costs the back end no operation on grants any more."""
    said, seen = play(tmp_path, words)
    used = {one["name"]: one for one in judge.used(seen)}
    netping.kicks_are_for_batches(said, words, {name: one["sends"] for name, one in used.items()})
    assert used["fabric"]["grants"] < 4 * BUFFERS, used


def test_buffers_are_copied_where_they_are_not_lent(tmp_path: pathlib.Path) -> None:
    """As other people's front ends have it: an operation for each frame of who does not offer his buffers, both
    ways, and the same bytes."""
    _, seen = play(tmp_path, "count=200 size=1000 persistent=0")
    used = {one["name"]: one for one in judge.used(seen)}
    assert 400 <= used["fabric"]["grants"] < 400 + 4 * BUFFERS, used


@pytest.mark.parametrize("kind", ["ack-ether", "parallel"])
def test_loss(tmp_path: pathlib.Path, kind: str) -> None:
    play(tmp_path, "count=60 size=200 stream=4", kind, 300, LOSS, linger="linger=20000")


def test_fabric_is_killed_and_comes_back(tmp_path: pathlib.Path) -> None:
    """H11: the driver domain dies in the middle of the traffic; nothing is lost, no node restarts."""
    again = "".join(f"at 2s device vif n{n} 0 backend=fabric mac=02:05:00:00:00:0{n} back.medium=wire "
                    f"back.port=n{n}\n" for n in (1, 2))
    plan = f"at 1s reboot fabric\n{again}"
    _, seen = play(tmp_path, "count=3000 size=500 stream=4", "ack-ether", 120, plan=plan)
    assert seen.text("fabric").count("fabric: ready") == 2, seen.text("fabric")
    begun = sorted(e.name for e in seen.events if e.event == "start")
    assert begun == ["fabric", "fabric", "n1", "n2"], seen.events
    fell = next(e.ns for e in seen.events if e.event == "destroyed" and e.name == "fabric")
    assert 10**9 <= fell < 2 * 10**9 < min(seen.ended[n].ns for n in ("n1", "n2")), seen.events
