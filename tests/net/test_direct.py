# SPDX-License-Identifier: BSD-2-Clause
"""Direct media: two nodes are front and back end of one ring, with no fabric between them (DN08, DN10, H09,
P12). What they carry, that frames are routed over them, and that either end may be built anew.
"""

import pathlib
import re

import pytest

from osmo import cluster, run
from osmo.errors import Problem

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PING = """
for = "60s"
[nodes.n1]
image = "netping"
media = ["wire"]
cmdline = ""
[nodes.n2]
image = "netping"
media = ["wire"]
cmdline = "peer=1 {words}"
[media.wire]
direct = true
[expect.exit]
n1 = "poweroff"
n2 = "poweroff"
"""
LINE = """
for = "5s"
[media.left]
direct = true
[media.right]
direct = true
[nodes.a]
media = ["left"]
programs = ["+names ring of 3 at 1 100"]
[nodes.b]
media = ["left", "right"]
programs = ["+names ring of 3 at 2 100"]
[nodes.c]
media = ["right"]
programs = ["+names ring of 3 at 3 100"]
[expect.output]
a = "ring: 3 machines, 100 rounds, 200 hops"
"""
RESTART = """
for = "5s"
[media.near]
direct = true
[media.far]
direct = true
[nodes.client1]
media = ["near"]
programs = ["+counter@server counter-client 100 5"]
[nodes.server]
media = ["near", "far"]
programs = ["+post:counter counter-server"]
[nodes.client2]
media = ["far"]
programs = ["+counter@server counter-client 100 5"]
[[faults]]
at = "300ms"
node = "client1"
do = "restart"
[[faults]]
at = "400ms"
node = "client2"
do = "restart"
[expect.output]
client1 = "counter: first 100, second 5050"
client2 = "counter: first 100, second 5050"
[expect.exit]
client1 = "poweroff"
client2 = "poweroff"
"""


def play(text: str, tmp_path: pathlib.Path) -> run.Outcome:
    prepared = run.prepare(cluster.parse(text, "direct.toml"), run.Options(clock="count"), tmp_path)
    assert "fabric" not in prepared.plan.modules
    outcome = run.execute(prepared)
    said = "\n".join(f"{n}: {outcome.collector.text(n)}" for n in outcome.collector.consoles)
    assert outcome.result.ok, f"{outcome.result.error}\n{said}"
    return outcome


@pytest.mark.parametrize("words", ["count=500 size=4", "count=30 size=60000", "count=1000 size=1000 stream=16"])
def test_round_trips(tmp_path: pathlib.Path, words: str) -> None:
    outcome = play(PING.format(words=words), tmp_path)
    found = re.search(r"(\d+) round trips .* (\d+) kicks, (\d+) exits, 0 wrong", outcome.collector.text("n2"))
    assert found, outcome.collector.text("n2")
    count, kicks = int(found[1]), int(found[2])
    # A kick is for a batch: never more than one for a message, far fewer in a stream.
    assert kicks <= count + 20 if "stream" not in words else kicks < count / 4


def test_frames_are_passed_on(tmp_path: pathlib.Path) -> None:
    """DN10: b is the back end of one and the front end of the other; a and c talk through it."""
    play(LINE, tmp_path)


def test_either_end_is_built_anew(tmp_path: pathlib.Path) -> None:
    """The server's node is the back end of one client's medium and the front end of the other's."""
    play(RESTART, tmp_path)


def test_no_strangers() -> None:
    with pytest.raises(Problem, match="is no DEMOS node"):
        cluster.parse(PING.format(words="").replace('image = "netping"', 'machine = "linux"', 1), "direct.toml")
