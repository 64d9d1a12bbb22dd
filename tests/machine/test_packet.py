# SPDX-License-Identifier: BSD-2-Clause
"""Hosted nodes on interfaces of the host (DN08): pairs of virtual ones in a network namespace of
the test's own. The node in a Linux domain is tests/interop/test_tools.py.
"""

import subprocess

import pytest

import places

PAIR = "ip link add {0}a type veth peer name {0}b\nip link set {0}a up\n"
# A node: its number, its interfaces, how many machines the ring has. The first has the switchboard.
NODE = "{node} --id {id} {ethers} {board} --run 'ring of {of} at {id} 40'"
BOARD = "--run '+kernel =board switchboard global'"


def inside(script: str, *pairs: str) -> subprocess.CompletedProcess[str]:
    """Runs it in a namespace with these pairs of interfaces, one end of each still down."""
    head = "set -e\n" + "".join(PAIR.format(pair) for pair in pairs) + "set +e\n"
    return subprocess.run(["unshare", "-rn", "sh", "-c", head + script], capture_output=True, text=True,
                          timeout=60, check=False)


@pytest.fixture(autouse=True)
def namespace() -> None:
    try:
        made = inside("", "x")
    except FileNotFoundError as why:
        pytest.skip(f"{why.filename} is not installed")
    if made.returncode:
        pytest.skip(f"no network namespace can be made here: {made.stderr.strip()}")


def node(number: int, of: int, *interfaces: str) -> str:
    ethers = " ".join(f"--ether {name}" for name in interfaces)
    return NODE.format(node=places.NODE, id=number, ethers=ethers, of=of,
                       board=BOARD if number == 1 else "")


def when_open(count: int) -> str:
    """Waits until so many packet sockets are open."""
    return f"while [ $(grep -c 88b5 /proc/net/packet) -lt {count} ]; do sleep 0.02; done\n"


@pytest.mark.parametrize("mtu", [1500, 9000])
def test_two_nodes_over_interfaces(mtu: int) -> None:
    """DN08: the token goes round; an interface that comes up only later is noticed."""
    done = inside(f"ip link set va mtu {mtu}; ip link set vb mtu {mtu}\n"
                  f"{node(2, 2, 'vb')} & other=$!\n{node(1, 2, 'va')} & first=$!\n{when_open(2)}"
                  "ip link set vb up; wait $first; status=$?; kill $other; exit $status", "v")
    assert done.returncode == 0 and "ring: 2 machines, 40 rounds, 40 hops" in done.stdout, done


def test_a_node_between_two_interfaces_passes_on() -> None:
    """DN08, DN18: the one in the middle is on both; the ends reach each other over it."""
    done = inside("ip link set vb up; ip link set wb up\n"
                  f"{node(2, 3, 'vb', 'wa')} & two=$!\n{node(3, 3, 'wb')} & three=$!\n"
                  f"{node(1, 3, 'va')}; status=$?; kill $two $three; exit $status", "v", "w")
    assert done.returncode == 0 and "ring: 3 machines, 40 rounds, 80 hops" in done.stdout, done


@pytest.mark.parametrize("interface, says", [
    ("nosuch", "No such device"), ("lo", "not supported"), ("n" * 40, "No such device"), ("small", "too long")])
def test_what_cannot_be_an_ether_is_said(interface: str, says: str) -> None:
    done = inside(f"ip link add small mtu 600 type veth\n{node(1, 2, interface)}")
    assert done.returncode == 2 and f"demos-node: {interface}: " in done.stderr and says in done.stderr, done
