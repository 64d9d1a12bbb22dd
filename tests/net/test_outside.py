# SPDX-License-Identifier: BSD-2-Clause
"""Media that lead outside (H11, H18): two machines, each with a cluster of its own, are one network. What
cannot be is said with its remedy; what can becomes lines of the plan.
"""

import pathlib
import subprocess

import pytest

from osmo import cluster, outside, plan
from osmo.errors import Problem
from wires import wires

TOP = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = """
clock = "real"
for = "100s"
until = "exit {name}"
first = {first}
[media.net]
outside = "{way}"
[nodes.{name}]
media = ["net"]
programs = [{board}"ring of 2 at {{number}} 40"]
"""
BOARD = '"+kernel =board switchboard global", '


def text(**words: object) -> str:
    given = {"name": "a", "first": 1, "way": "listen=127.0.0.1:4000", **words}
    return CLUSTER.format(board=BOARD if given["first"] == 1 else "", **given)


@pytest.mark.parametrize("change, says", [
    ({"way": "tap0"}, "say listen=HOST:PORT"),
    ({"way": "listen=:4000,id=x"}, "say listen=HOST:PORT"),
    ({"way": "mcast=230.0.0.1:4000\"\ndirect = true\nrecorder=\"x"}, "leave out direct"),
    ({"way": "udp=127.0.0.1:4000"}, "say listen=HOST:PORT"),
    ({"first": 0}, "out of its range"),
    ({"first": 10000}, ""),
    ({"first": 10001}, "numbers up to"),
])
def test_what_cannot_be_is_said(change: dict[str, object], says: str) -> None:
    if not says:
        cluster.parse(text(**change), "x")
        return
    with pytest.raises(Problem) as problem:
        cluster.parse(text(**change), "x")
    assert says in f"{problem.value}"


def test_the_fabric_is_given_the_device() -> None:
    made = cluster.parse(text(first=7), "x")
    lines = plan.compile_cluster(made, []).text.splitlines()
    assert made.nodes[0].number == 7 and "loss" not in (made.expect.invariants or ["loss"])
    assert any(line.startswith("create fabric ") and line.endswith(" pci=6.0") for line in lines)
    assert 'write /osmosis/outside/0 "6-0 net outside"' in lines
    words = outside.arguments(made, "real", "q35")
    assert "socket,id=outside0,listen=127.0.0.1:4000" in words
    for clock, machine, remedy in (("count", "q35", "--clock real"), ("real", "microvm", "--machine q35")):
        with pytest.raises(Problem, match=remedy):
            outside.arguments(made, clock, machine)


@pytest.mark.slow
def test_two_machines_are_one_network(tmp_path: pathlib.Path) -> None:
    """A token goes round two nodes, each in a QEMU of its own."""
    runs = []
    for (first, name), end in zip(((1, "a"), (2, "b")), wires(1)[0]):
        path = tmp_path / f"{name}.toml"
        path.write_text(text(name=name, first=first, way=end))
        command = [str(TOP / "harness" / "osmosis"), "run", str(path), "--headless", "--out", str(tmp_path / name)]
        runs.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    try:
        said = runs[0].communicate(timeout=500)[0]
    finally:
        for one in runs:  # the second serves until it is ended
            one.terminate()
            one.communicate(timeout=60)
    assert "ring: 2 machines, 40 rounds, 40 hops" in said and runs[0].returncode == 0, said
