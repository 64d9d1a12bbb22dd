# SPDX-License-Identifier: BSD-2-Clause
"""Process managers with their policies, on hosted nodes: where processes are made, and moved to."""

import pathlib
import re
import time

import pytest

from nodes import Cluster, Shell

BOARD = "+kernel =board switchboard global"
FIRST = (BOARD, "+board =memory memory", "announce memory", "+kernel =member member")


def places(shell: Shell) -> list[int]:
    """On which machines a program that computes is."""
    return sorted(int(m) for m in re.findall(r"^ *(\d+):\d+ .* work$", shell.say("ps"), re.M))


def spread(shell: Shell, *numbers: int) -> None:
    lines = "".join(rf"(?=.*^ *{n}:\d+ [^\n]* work$)" for n in numbers)
    shell.until("ps", f"(?s){lines}.*")


def start(cluster: Cluster, *policy: str) -> Shell:
    """Three machines with managers of that policy each; the first has a shell."""
    manager = f"+kernel =manager manager {' '.join(policy)}"
    shell = cluster.shell(1, *FIRST, "=loads loads top", "=west loads west top", "=east loads east top", manager)
    for number in (2, 3):
        # the third machine's group is another one where there are groups
        cluster.start(number, manager.replace("west", "east" if number == 3 else "west"), "+kernel member")
    lines = "".join(rf"(?=.*^ *{n} +\d+ alive)" for n in (1, 2, 3))
    shell.until("nodes", f"(?s){lines}.*")
    shell.say("on any hello")  # makes the manager look who there is,
    time.sleep(0.3)
    shell.say("on any hello")  # and again when what it knows is old
    return shell


@pytest.mark.parametrize("policy", [
    ("peers", "fixed", "1", "push"), ("peers", "adaptive", "push"),
    ("top", "fixed", "1", "push"), ("west", "fixed", "1", "push")], ids="-".join)
def test_push(tmp_path: pathlib.Path, policy: tuple[str, ...]) -> None:
    """DS01, L14, L15, L16: the first process stays, those that find their machine busy go to the idle ones."""
    with Cluster(tmp_path) as cluster:
        shell = start(cluster, *policy)
        for job in range(1, 4):
            assert shell.say("on any work &") == f"[{job}] work\n"
        assert places(shell) == [1, 2, 3]
        for job in range(1, 4):  # they end where they are
            assert shell.say(f"kill {job}") == "work: killed\n"


@pytest.mark.parametrize("knows", ["peers", "top"])
def test_pull(tmp_path: pathlib.Path, knows: str) -> None:
    """L17: processes stay where they are made until idle machines ask for them; then they move."""
    with Cluster(tmp_path) as cluster:
        shell = start(cluster, knows, "stay", "pull")
        for _ in range(3):
            shell.say("on any work &")
        spread(shell, 1, 2, 3)
        assert shell.say("kill 2") == "work: killed\n"


@pytest.mark.parametrize("over", [("memory",), ("memory", "other")], ids="-".join)
def test_over_memory_managers(tmp_path: pathlib.Path, over: tuple[str, ...]) -> None:
    """DS13: the machines of two memory managers are one process manager's, or each has its own."""
    with Cluster(tmp_path) as cluster:
        policy = "+kernel =manager manager peers fixed 1 push"
        shell = cluster.shell(1, BOARD, "+board =memory memory a", "announce memory", "+board =other memory b",
                              "announce other", "+kernel =member member a",
                              f"{policy} over {' over '.join(over)}")
        cluster.start(2, f"{policy} over other", "+kernel member b")
        shell.until("on any@2 hello", "hello, world")
        time.sleep(0.5)  # longer than the manager goes without looking
        shell.say("on any hello")
        time.sleep(0.3)
        for job in (1, 2):
            assert shell.say("on any work &") == f"[{job}] work\n"
        assert places(shell) == [1] * (3 - len(over))  # the shell's own memory manager lists only its machine
        assert shell.say("kill 2") == "work: killed\n"


CORPUS = ("hello there", "ping 50", "counter-client 20 0", "mover", "ring 12 5", "tree 3", "hostile 3 500 1",
          "match")


def test_programs_say_the_same_on_one_node_and_on_three(tmp_path: pathlib.Path) -> None:
    """DP03: the same program files, byte for byte, alone and on machines that make their processes wherever a
    manager likes: the first one is kept busy, so none of them is made where the console is."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1)
        alone = [shell.say(program) for program in CORPUS]
    with Cluster(tmp_path) as cluster:
        shell = start(cluster, "peers", "fixed", "1", "push")
        shell.say("on 1 work &")
        shell.until("nodes", r"^ *1 +\d+ alive +[1-9]")
        assert [shell.say(f"on any {program}") for program in CORPUS] == alone
        # the ring's members last as long as their manager
        left = {m[1]: int(m[2]) for m in re.finditer(r"^ *(\d) +\d+ alive +\d+ +(\d+)", shell.say("nodes"), re.M)}
        assert min(left["2"], left["3"]) > 3, left
    assert "60 hops" in alone[4] and "15 processes" in alone[5] and "nobody else" in alone[6]


def test_placement(tmp_path: pathlib.Path) -> None:
    """L18, DS13: a client's own word where a process is to be, or not to be."""
    with Cluster(tmp_path) as cluster:
        shell = start(cluster, "peers", "stay", "push")
        assert shell.say("on any@3 work &") == "[1] work\n"
        assert places(shell) == [3]
        assert "work" in shell.say("on any@!1 work &")
        assert 1 not in places(shell) and len(places(shell)) == 2
        assert "E_DEAD" in shell.say("on any@9 work")
