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

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen")]
CLUSTERS = pathlib.Path(__file__).resolve().parents[2] / "harness" / "clusters"
RING = """
[media.lan]
[nodes.n]
count = 2
media = ["lan"]
cpus = 2
programs = ["ring of {count} at {number} 3000"]
[nodes.board]
media = ["lan"]
programs = ["+kernel switchboard global"]
[nodes.shell]
disk = { size = "1M" }
programs = ["+disks =disk disk", "=buffers buffers make", "=directories directories", "=files files",
    "+kernel shell"]
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


def eventually(bed: xen.Testbed, command: str, wanted: str, seconds: float = 100) -> str:
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
            assert words in testbed.wait(name, 150, words).console, testbed.console(name)
    finally:
        destroyed(testbed, made)


def test_large_messages_over_linuxs_bridge(testbed: xen.Testbed) -> None:
    """H09: messages of many frames, none larger than Linux's interfaces pass on."""
    try:
        for number, words in ((1, ""), (2, "peer=1 count=20 size=60000")):
            testbed.create(xen.Guest(f"n{number}", "netping", 32, f"id={number} {words}",
                                     mac=f"02:05:00:00:00:{number:02x}"))
        said = testbed.wait("n2", 150).console
        assert "blocks of 1514" in said and "0 wrong" in said and "done" in said, said
    finally:
        testbed.destroy("n1")
        testbed.destroy("n2")


def test_files_on_linuxs_blkback(testbed: xen.Testbed, tmp_path: pathlib.Path) -> None:
    """H17: a node's file system on a loop device of Linux, by its xen-blkback. A second domain finds
    all that the first, destroyed, had synced; the image is whole, byte by byte."""
    try:
        run_disk(testbed, tmp_path / "first", 100, "synced 20\n")  # 125 would fill the disk
        testbed.shell.run("xl pause n")  # until its console's log has all that it said
        said = ""
        while (console := testbed.console("n")) != said:
            said = console
            time.sleep(0.5)
        testbed.destroy("n")
        before = files.synced(said)
        assert before >= 20, said
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
    return bed.wait("n", 150, mark).console


def typed(bed: xen.Testbed, name: str, line: str, answer: str) -> str:
    """A line on a domain's console, and the console's log once it has the answer, or at last."""
    tty = bed.shell.run(f"xenstore-read /local/domain/$(xl domid {name})/console/tty")[1].strip()
    bed.shell.run(f"echo '{line}' > {tty}")
    return eventually(bed, f"cat /var/log/xen/console/guest-{name}.log", answer)


def moved(bed: xen.Testbed, name: str) -> str:
    """By `xl migrate` to this same host, where it has a new domain; the log of that one's console."""
    log = f"/var/log/xen/console/guest-{name}--incoming.log"
    status, said = bed.shell.run(f"rm -f {log}; xl migrate -s '' {name} 'xl migrate-receive' 2>&1")
    assert status == 0 and "Migration successful" in said, said
    return f"cat {log}"


def saved_and_restored(bed: xen.Testbed, name: str) -> None:
    """What a node has in memory and on its disk it has again after `xl save` and `xl restore`; a second time
    it comes from the past, as the store says between `restore -p` and `unpause`. Nothing was written meanwhile."""
    file, log = f"/guests/{name}.save", f"/var/log/xen/console/guest-{name}.log"
    assert "spoken words" in typed(bed, name, "put file spoken words\ncat file", "spoken words")
    status, said = bed.shell.run(f"xl save {name} {file} 2>&1")
    assert status == 0 and bed.shell.run(f"xl domid {name}")[0] != 0, said
    for past, begins in (("", "node: goes on in another domain"), ("past", "node: comes from the past")):
        bed.shell.run(f"xl destroy {name}; rm {log}")
        status, said = bed.shell.run(
            f"xl restore -p {file} </dev/null 2>&1 && "
            f"xenstore-write /local/domain/$(xl domid {name})/data/restored '{past}' && xl unpause {name}")
        assert status == 0, said
        assert begins in eventually(bed, f"cat {log}", begins)
        assert "spoken words" in typed(bed, name, "cat file", "spoken words")


def test_what_a_toolstack_asks(testbed: xen.Testbed, tmp_path: pathlib.Path) -> None:
    """L45: `xl` pauses and types, nodes of two vCPUs pass a token over Linux's bridge, `xl` takes a network
    device away, takes memory and gives it back, reboots and shuts down. H21: it moves one of those that pass the
    token to another domain, saves a node with a disk, and restores it."""
    made = taken(testbed, RING, tmp_path)
    try:
        started(testbed, tmp_path, "board", "shell", "n1", "n2")
        testbed.shell.run("xl pause n2")  # or the token's way might be over
        log = moved(testbed, "n1")
        assert "node: goes on in another domain" in eventually(testbed, log, "goes on")
        testbed.shell.run("xl unpause n2")
        assert "n1 " in eventually(testbed, "xl vcpu-list n1", r" 1 +- ")
        assert " --p--" in testbed.shell.run("xl pause shell; xl list shell; xl unpause shell")[1]
        assert "busy" in typed(testbed, "shell", "help", "how busy")
        assert "3000 rounds, 3000 hops" in eventually(testbed, log, "hops", 150)
        saved_and_restored(testbed, "shell")
        assert not re.search("^ *vif =", testbed.shell.run(
            "xl network-detach n2 0; xenstore-ls /local/domain/$(xl domid n2)/device")[1], re.M)
        for mib in (6, 8):
            testbed.shell.run(f"xl mem-set board {mib}")
            assert f"has {mib << 10} KiB now" in testbed.wait("board", 100, f"has {mib << 10} KiB").console
        old = testbed.shell.run("xl domid board; xl reboot board")[1].split()[0]
        assert re.search(NEW.format(old), eventually(testbed, "xl domid board", NEW.format(old))), "it is gone"
        testbed.shell.run("xl shutdown -w shell")
        assert testbed.reason("shell") == "poweroff"
    finally:
        destroyed(testbed, made)
