# SPDX-License-Identifier: BSD-2-Clause
"""Nodes on bare machines (H11): the image without a hypervisor drives virtio-net functions, so that machines
on one network are one DEMOS system, among themselves and with the domains of another.
"""

import pathlib
import subprocess

import pytest

from osmo import paths, qemu
from wires import wires

TOP = pathlib.Path(__file__).resolve().parents[2]
NODE = paths.build() / "demos-node"
BARE = ["-nodefaults", "-display", "none", "-no-reboot", "-m", "64M", "-cpu", "qemu64", "-serial", "stdio",
        "-kernel", str(paths.image("node"))]
RING = "ring of {of} at {at} 40"
CLUSTER = """
clock = "real"
for = "100s"
until = "exit a"
[media.net]
outside = "{way}"
[nodes.a]
media = ["net"]
programs = ["+kernel =board switchboard global", "ring of 2 at {{number}} 40"]
"""


def start(tmp_path: pathlib.Path, number: int, ends: list[str], *programs: str,
          machine: str = "q35") -> "subprocess.Popen[str]":
    bundle = tmp_path / f"bundle{number}"
    options = [o for line in programs for o in ("--run", line)]
    subprocess.run([NODE, *options, "--pack", bundle], check=True)
    devices = []
    for k, end in enumerate(ends):
        devices += ["-netdev", f"socket,id=n{k},{end}", "-device",
                    f"virtio-net-pci,netdev=n{k},mac=52:54:00:00:{number:02x}:{k:02x},romfile="]
    return subprocess.Popen(
        [qemu.BINARY, *BARE, "-machine", machine, "-append", f"id={number}", "-initrd", bundle, *devices],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def said_by(first: "subprocess.Popen[str]", others: "list[subprocess.Popen[str]]") -> str:
    """The others serve until they are ended."""
    try:
        return first.communicate(timeout=500)[0]
    finally:
        for one in (first, *others):
            one.kill()
            one.communicate()


@pytest.mark.slow
def test_a_machine_between_two(tmp_path: pathlib.Path) -> None:
    """H11, DN15: three bare machines in a row, of two kinds; the one in the middle has a device for each side and
    passes on what is not for it."""
    left, right = wires(2)
    others = [start(tmp_path, 2, [left[1], right[0]], RING.format(of=3, at=2), machine="pc"),
              start(tmp_path, 3, [right[1]], RING.format(of=3, at=3))]
    first = start(tmp_path, 1, [left[0]], "+kernel =board switchboard global", RING.format(of=3, at=1))
    text = said_by(first, others)
    assert "ring: 3 machines, 40 rounds" in text, text


@pytest.mark.slow
def test_a_machine_beside_domains(tmp_path: pathlib.Path) -> None:
    """H11, H18: a bare machine's node and one in a domain of another machine, whose fabric leads outside."""
    ours, theirs = wires(1)[0]
    path = tmp_path / "cluster.toml"
    path.write_text(CLUSTER.format(way=ours))
    command = [str(TOP / "harness" / "osmosis"), "run", str(path), "--headless", "--out", str(tmp_path / "out")]
    cluster = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = said_by(cluster, [start(tmp_path, 2, [theirs], RING.format(of=2, at=2))])
    assert "ring: 2 machines, 40 rounds, 40 hops" in text and cluster.returncode == 0, text


@pytest.mark.slow
def test_what_is_no_network(tmp_path: pathlib.Path) -> None:
    """A device that sends no messages for interrupts is named, and the node goes on without it."""
    bundle = tmp_path / "bundle"
    subprocess.run([NODE, "--run", "hello there", "--pack", bundle], check=True)
    done = subprocess.run(
        [qemu.BINARY, *BARE, "-machine", "q35", "-initrd", bundle, "-device",
         "virtio-net-pci,vectors=0,romfile=,addr=4.0"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert "network at function 4.0: it sends no messages" in done.stdout and "hello, world there" in done.stdout
