# SPDX-License-Identifier: BSD-2-Clause
"""Direct media: two nodes are front and back end of one ring, with no fabric between them (DN08, DN10, H09,
P12). What they carry, that frames are routed over them, and that either end may be built anew.
"""

import pathlib

import netping
import pytest

from osmo import cluster, run
from osmo.errors import Problem

pytestmark = pytest.mark.slow
CHAIN = """
for = "5s"
[media.left]
direct = true
[media.right]
direct = true
[nodes.a]
media = ["left"]
programs = [{}]
[nodes.b]
media = ["left", "right"]
programs = [{}]
[nodes.c]
media = ["right"]
programs = [{}]
"""
BOARD = '"+kernel =board switchboard global", '
RING = '"ring of 3 at {} 100"'
LINE = CHAIN.format(BOARD + RING.format(1), RING.format(2), RING.format(3)) + """
[expect.output]
a = "ring: 3 machines, 100 rounds, 200 hops"
"""
CLIENT = '"+kernel with counter counter-client 100 5"'
RESTART = CHAIN.format(CLIENT, BOARD + '"=counter counter-server", "announce counter"', CLIENT) + """
[[faults]]
at = "300ms"
node = "a"
do = "restart"
[[faults]]
at = "400ms"
node = "c"
do = "restart"
[expect]
output = {a = "counter: first 100, second 5050", c = "counter: first 100, second 5050"}
exit = {a = "poweroff", c = "poweroff"}
"""


def play(text: str, tmp_path: pathlib.Path) -> run.Outcome:
    prepared = run.prepare(cluster.parse(text, "direct.toml"), run.Options(clock="count"), tmp_path)
    assert "fabric" not in prepared.plan.modules
    outcome = run.execute(prepared)
    said = "\n".join(f"{n}: {outcome.collector.text(n)}" for n in outcome.collector.consoles)
    assert outcome.result.ok, f"{outcome.result.error}\n{said}"
    return outcome


@pytest.mark.parametrize("words", netping.WORDS)
def test_round_trips(tmp_path: pathlib.Path, words: str) -> None:
    outcome = play(netping.text(words, "direct = true"), tmp_path)
    netping.kicks_are_for_batches(outcome.collector.text("n2"), words)


def test_frames_are_passed_on(tmp_path: pathlib.Path) -> None:
    """DN10: b is the back end of one and the front end of the other; a and c talk through it."""
    play(LINE, tmp_path)


def test_either_end_is_built_anew(tmp_path: pathlib.Path) -> None:
    """The server's node is the back end of one client's medium and the front end of the other's."""
    play(RESTART, tmp_path)


def test_no_strangers() -> None:
    mixed = netping.text("", "direct = true").replace('image = "netping"', 'machine = "linux"', 1)
    with pytest.raises(Problem, match="is no DEMOS node"):
        cluster.parse(mixed, "direct.toml")
