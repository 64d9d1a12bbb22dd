# SPDX-License-Identifier: BSD-2-Clause
"""Nodes, vifs and the fabric's domain on Osmosis (H08, H09, H10, H11, F01, F09, P12, P14).

netping sends numbered messages through netfront, the fabric and back, and checks every byte of
what returns. Runs count instructions, so that they repeat; the figures are quoted, not asserted.
"""

import pathlib
import re

import pytest

from osmo import cluster, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
NODES = """
for = "{seconds}s"
[nodes.n1]
image = "netping"
media = ["wire"]
cmdline = "{linger}"
[nodes.n2]
image = "netping"
media = ["wire"]
cmdline = "peer=1 {words}"
[media.wire]
kind = "{kind}"
[expect.exit]
n1 = "poweroff"
n2 = "poweroff"
"""
LOSS = '[[faults]]\nat = "1ms"\nmedium = "wire"\ndo = "loss 0.2"\n'
DONE = re.compile(r"(\d+) round trips of (\d+) bytes, (\d+) in flight: (\d+) ns, \d+ ticks each, "
                  r"(\d+) kicks, (\d+) exits, 0 wrong")


def play(tmp_path: pathlib.Path, words: str, kind: str = "ether", seconds: int = 60, more: str = "",
         plan: str = "", linger: str = "") -> re.Match[str]:
    path = tmp_path / "ping.toml"
    path.write_text(NODES.format(words=words, kind=kind, seconds=seconds, linger=linger) + more)
    prepared = run.prepare(cluster.load(path), run.Options(clock="count"), tmp_path)
    prepared.plan.text += plan
    (tmp_path / "plan").write_text(prepared.plan.text)
    outcome = run.execute(prepared)
    said = "\n".join(f"{n}: {outcome.collector.text(n)}" for n in outcome.collector.consoles)
    found = DONE.search(said)
    assert found and said.count("netping: done") == 2, said
    return found


@pytest.mark.parametrize("words", ["count=500 size=4", "count=50 size=60000", "count=1000 size=1000 stream=16"])
def test_round_trips(tmp_path: pathlib.Path, words: str) -> None:
    found = play(tmp_path, words)
    count, kicks = int(found[1]), int(found[5])
    # A kick is for a batch: never more than one for a message, far fewer in a stream.
    assert kicks <= count + 20 if "stream" not in words else kicks < count / 4


@pytest.mark.parametrize("kind", ["ack-ether", "parallel"])
def test_loss(tmp_path: pathlib.Path, kind: str) -> None:
    play(tmp_path, "count=60 size=200 stream=4", kind, 300, LOSS, linger="linger=20000")


def test_fabric_is_killed_and_comes_back(tmp_path: pathlib.Path) -> None:
    """H11: the driver domain dies in the middle of the traffic; nothing is lost, no node restarts."""
    again = "".join(f"at 2s device vif n{n} 0 backend=fabric mac=02:05:00:00:00:0{n} back.medium=wire "
                    f"back.port=n{n}\n" for n in (1, 2))
    play(tmp_path, "count=3000 size=500 stream=4", "ack-ether", 120, plan=f"at 1s reboot fabric\n{again}")
