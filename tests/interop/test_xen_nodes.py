# SPDX-License-Identifier: BSD-2-Clause
"""DEMOS nodes on real Xen 4.17 with what a host that runs Xen brings: Linux's net and block back ends,
its bridge, its toolstack. Nothing of ours runs there but the nodes.
"""

import pathlib
import re
import time

import pytest

from osmo import cli, cluster, xen

import test_disk_nodes as files

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen"), pytest.mark.timeout(400)]
CLUSTERS = pathlib.Path(__file__).resolve().parents[2] / "harness" / "clusters"
RING = """
[media.lan]
[nodes.n]
count = 2
media = ["lan"]
cpus = 2
programs = ["ring of {count} at {number} 300"]
[nodes.board]
media = ["lan"]
programs = ["+kernel switchboard global"]
[nodes.shell]
programs = ["+kernel shell"]
"""
NEW = r"^(?!{}\n)\d+\n"  # another domain's number
DISK = """
[nodes.n]
disk = { size = "1M" }
programs = ["+disks =disk disk", "=buffers buffers make", "=directories directories", "=files files",
    "files-keep NUMBER"]
"""


def taken(bed: xen.Testbed, text: str, scratch: pathlib.Path) -> cluster.Cluster:
    """The cluster's files, as `osmosis xl` makes them, in dom0."""
    (scratch / "x.toml").write_text(text)
    assert cli.main(["xl", str(scratch / "x.toml"), "--out", str(scratch / "out"), "--at", "/guests"]) == 0
    for path in (scratch / "out").iterdir():
        if path.name not in bed.have and path.suffix != ".cfg":
            bed.put(path.name, path.read_bytes())
    return cluster.load(scratch / "x.toml")


def started(bed: xen.Testbed, scratch: pathlib.Path, *names: str) -> None:
    for name in names:
        text = (scratch / "out" / f"{name}.cfg").read_text()
        # Its file would be served by QEMU in dom0, which the test bed has not; and each reading of
        # the TSC would be a trap, because the emulator offers no invariant one.
        bed.create_as(name, text.replace("format=raw,", "script=block-osmosis,") + 'tsc_mode = "native"\n')


def destroyed(bed: xen.Testbed, made: cluster.Cluster) -> None:
    for node in made.nodes:
        bed.destroy(node.name)


def eventually(bed: xen.Testbed, command: str, wanted: str, seconds: float = 30) -> str:
    """What the command says once it says what is wanted, or at last."""
    deadline = time.monotonic() + seconds
    while True:
        _, said = bed.shell.run(command)
        if re.search(wanted, said) or time.monotonic() > deadline:
            return said
        time.sleep(0.2)


def test_a_cluster_moves_to_xen(testbed: xen.Testbed, tmp_path: pathlib.Path) -> None:
    """H09, H10, L44, L45: a worked cluster of x86 and Z8000 nodes, these emulated, says over Linux's netback
    and bridge what it says here over our fabric."""
    text = (CLUSTERS / "mixed.toml").read_text()
    made = taken(testbed, text, tmp_path)
    try:
        started(testbed, tmp_path, *(node.name for node in made.nodes))
        for name, words in made.expect.output.items():
            assert words in testbed.wait(name, 60, words).console, testbed.console(name)
    finally:
        destroyed(testbed, made)


def test_large_messages_over_linuxs_bridge(testbed: xen.Testbed) -> None:
    """H09: messages of many frames, none larger than Linux's interfaces pass on."""
    try:
        for number, words in ((1, ""), (2, "peer=1 count=20 size=60000")):
            testbed.create(xen.Guest(f"n{number}", "netping", 32, f"id={number} {words}",
                                     mac=f"02:05:00:00:00:{number:02x}"))
        said = testbed.wait("n2", 90).console
        assert "blocks of 1514" in said and "0 wrong" in said and "done" in said, said
    finally:
        testbed.destroy("n1")
        testbed.destroy("n2")


def test_files_on_linuxs_blkback(testbed: xen.Testbed, tmp_path: pathlib.Path) -> None:
    """H17: a node's file system on a loop device of Linux, by its xen-blkback. A second domain finds
    all that the first, destroyed, had synced; the image is whole, byte by byte."""
    try:
        run_disk(testbed, tmp_path / "first", 100, "synced 20\n")  # 125 would fill the disk
        testbed.destroy("n")
        before = files.synced(testbed.console("n"))
        assert before >= 20, testbed.console("n")
        said = run_disk(testbed, tmp_path / "second", before + 5, "SUCCESS")
    finally:
        testbed.destroy("n")
    found = re.search(r"^found (\d+)$", said, re.M)
    assert found and before <= int(found[1]) <= before + 1 and "SUCCESS" in said, said[-1000:]
    image = tmp_path / "image"
    image.write_bytes(testbed.get("/guests/n-0.img"))
    files.fsck(image)
    files.check_files(image, before + 5)


def run_disk(bed: xen.Testbed, scratch: pathlib.Path, number: int, mark: str) -> str:
    scratch.mkdir()
    taken(bed, DISK.replace("NUMBER", str(number)), scratch)
    started(bed, scratch, "n")
    return bed.wait("n", 60, mark).console


def test_what_a_toolstack_asks(testbed: xen.Testbed, tmp_path: pathlib.Path) -> None:
    """L45: `xl` pauses and types, nodes of two vCPUs pass a token over Linux's bridge, `xl` takes a network
    device away, takes memory and gives it back, reboots and shuts down."""
    made = taken(testbed, RING, tmp_path)
    try:
        started(testbed, tmp_path, "board", "n1", "n2", "shell")
        assert "n1 " in eventually(testbed, "xl vcpu-list n1", r" 1 +- ")
        assert " --p--" in testbed.shell.run("xl pause shell; xl list shell; xl unpause shell")[1]
        tty = testbed.shell.run("xenstore-read /local/domain/$(xl domid shell)/console/tty")[1].strip()
        testbed.shell.run(f"echo help > {tty}")
        assert "busy" in eventually(testbed, "cat /var/log/xen/console/guest-shell.log", "how busy")
        assert "300 rounds, 300 hops" in testbed.wait("n1", 60, "hops").console, testbed.console("n1")
        assert not re.search("^ *vif =", testbed.shell.run(
            "xl network-detach n2 0; xenstore-ls /local/domain/$(xl domid n2)/device")[1], re.M)
        for mib in (6, 8):
            testbed.shell.run(f"xl mem-set board {mib}")
            assert f"has {mib << 10} KiB now" in testbed.wait("board", 20, f"has {mib << 10} KiB").console
        old = testbed.shell.run("xl domid board; xl reboot board")[1].split()[0]
        assert re.search(NEW.format(old), eventually(testbed, "xl domid board", NEW.format(old))), "it is gone"
        testbed.shell.run("xl shutdown -w shell")
        assert testbed.reason("shell") == "poweroff"
    finally:
        destroyed(testbed, made)
