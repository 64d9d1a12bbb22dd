# SPDX-License-Identifier: BSD-2-Clause
"""Nodes, vifs and the fabric's domain on Osmosis (H08, H09, H10, H11, F01, F09, P12, P14).

netping sends numbered messages through netfront, the fabric and back, and checks every byte of
what returns. Runs count instructions, so that they repeat; the figures are quoted, not asserted.
"""

import pathlib

import netping
import pytest

from osmo import cluster, collect, judge, run

pytestmark = pytest.mark.slow
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


def test_more_vifs_than_one_answer_of_the_store_names(tmp_path: pathlib.Path) -> None:
    """H09, P27: a driver domain that begins anew asks for its vifs, part by part where there are so many."""
    write = "at 900ms write /local/domain/{fabric}/backend/vif/%u/0/domain none\n"
    plan = "at 900ms reboot fabric\n" + "".join(write % domain for domain in range(60000, 60800))
    _, seen = play(tmp_path, "count=3000 size=500 stream=4", "ack-ether", 120, plan=plan)
    assert sum(e.event == "start" and e.name == "fabric" for e in seen.events) == 2
    assert not [e.fields for e in seen.events if e.event == "error"]


BACK, FRONT = "/local/domain/{fabric}/backend/vif/{n1}/0/", "/local/domain/{n1}/device/vif/0/"
# What each end says last before the fabric's domain dies: when it is there anew, and when the device goes.
OPENING = (f"when store {BACK}state 1", f"when store {BACK}state 2", f"when store {FRONT}state 1",
           f"when store {BACK}state 2 when store {FRONT}state 4",
           f"when store {BACK}state 2 when store {BACK}state 4")
CLOSING = (f"when store {BACK}state 5", f"when store {FRONT}state 6", f"when store {BACK}state 6")


def test_fabric_is_killed_and_comes_back(tmp_path: pathlib.Path) -> None:
    """H11, H10, F09: the driver domain dies in the middle of the traffic, with frames on the medium, and then at
    each state of the handshake by which its successor takes over; nothing is lost or doubled, no node restarts.
    In the end a vif has two event channels."""
    plan = "at 900ms when trace fabric 0x9100 1 any reboot fabric\n"
    for number, edge in enumerate((*OPENING, *CLOSING)):
        begins = f"at {1000 + 100 * number}ms"
        begin = "reboot fabric" if edge in OPENING else f"write {BACK}online 0"
        plan += f"{begins} {begin}\n{begins} {edge} reboot fabric\n"
    plan += "".join(f"at 2s read {FRONT}event-channel{ring}\n" for ring in ("-tx", "-rx"))
    _, seen = play(tmp_path, "count=3000 size=500 stream=4", "ack-ether", 120, plan=plan)
    lives = [e for e in seen.events if e.event == "start" and e.name == "fabric"]
    assert len(lives) == 2 + 2 * len(OPENING) + len(CLOSING), seen.events
    assert [e.name for e in seen.events if e.event == "start" and e.name != "fabric"] == ["n1", "n2"], seen.events
    assert min(seen.ended[n].ns for n in ("n1", "n2")) > 2 * 10**9, seen.events
    assert sum(e.event == "fired" for e in seen.events) == 1 + " ".join((*OPENING, *CLOSING)).count("when")
    tx, rx = (int(str(e.fields["value"])) for e in seen.events if "value" in e.fields)
    assert tx != rx and min(tx, rx) > 0
