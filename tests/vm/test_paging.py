# SPDX-License-Identifier: BSD-2-Clause
"""Paging as users run it: nodes without a disk page to one that has one, hosted and in domains."""

import json
import pathlib
import re
import shutil
import subprocess
from typing import Any

import pytest

from osmo import bench, bench_run, cluster, paths, qemu

TOP = pathlib.Path(__file__).resolve().parents[2]
NODE = TOP / "build" / "demos-node"
STORE = ("+kernel switchboard global", "=disk ramdisk 48", "=pager pager", "announce pager")
BUILT = (paths.hypervisor().is_file() and all(paths.image(i).is_file() for i in ("control", "node", "fabric"))
         and shutil.which(qemu.BINARY) is not None)


def start(ether: pathlib.Path, number: int, memory: int, *lines: str) -> subprocess.Popen[str]:
    """A hosted node with so many MiB."""
    options = [o for line in lines for o in ("--run", line)]
    return subprocess.Popen([NODE, "--net", ether, "--id", str(number), "--memory", str(memory), *options],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def state(text: str) -> dict[str, int]:
    """What `paging state` printed."""
    lines = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}


@pytest.mark.parametrize("policy", ["queues", "fifo", "sample"])
def test_larger_than_the_node(tmp_path: pathlib.Path, policy: str) -> None:
    """DV16, L10, U52: a node of 4 MiB runs a program of 12, its pager and disk on another."""
    store = start(tmp_path, 1, 96, *STORE)
    try:
        node = start(tmp_path, 2, 4, f"+kernel with pager paging 8192 {policy}", "wait", "large 12 1", "wait",
                     "+kernel paging state")
        text, _ = node.communicate(timeout=120)
    finally:
        store.kill()
        store.communicate()
    assert node.returncode == 0 and "large: 12 MiB, 1 rounds, 0 words wrong\n" in text, text
    done = state(text)
    assert done["frames"] == 1024 and done["writes"] > 2048 and done["filled"] == done["requests"] > 2048


def test_room_at_the_pager(tmp_path: pathlib.Path) -> None:
    """DV16, F24: no more pages than it was given room for: who does not fit ends, not the node."""
    store = start(tmp_path, 1, 96, *STORE)
    try:
        node = start(tmp_path, 2, 4, "+kernel with pager paging 64", "wait", "large 6 1", "wait",
                     "hello still here")
        text, _ = node.communicate(timeout=60)
    finally:
        store.kill()
        store.communicate()
    assert "ended by exception 7" in text and "hello, world still here" in text, text


@pytest.mark.slow
@pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
def test_diskless_domains(tmp_path: pathlib.Path) -> None:
    """DV16, DV17: two domains of 4 MiB run 6 MiB each, from one pager on a third."""
    done = subprocess.run([TOP / "harness" / "osmosis", "run", TOP / "harness" / "clusters" / "diskless.toml",
                           "--json", "--out", tmp_path / "run"], capture_output=True, text=True, check=False)
    said: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0 and said["ok"], done.stdout + done.stderr
    for node in ("diskless1", "diskless2"):
        text = (tmp_path / "run" / "console" / f"{node}.log").read_text()
        assert "large: 6 MiB, 1 rounds, 0 words wrong" in text
    assert state((tmp_path / "run" / "console" / "diskless2.log").read_text())["requests"] > 1000


OWN = ("+disks =disk disk", "=pager pager", "+kernel paging 8192", "wait")


def test_its_own_disk(tmp_path: pathlib.Path) -> None:
    """L10, U52: a node pages to the disk it has: three times its memory."""
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(32 << 20))
    options = [o for line in (*OWN, "large 18 1") for o in ("--run", line)]
    done = subprocess.run([NODE, "--memory", "6", "--disk", disk, *options], timeout=60, capture_output=True,
                          stdin=subprocess.DEVNULL, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "large: 18 MiB, 1 rounds, 0 words wrong\n")


@pytest.mark.slow
@pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
def test_the_bare_machine(tmp_path: pathlib.Path) -> None:
    """DV19, L10: 18 MiB where 6 are free, to its own virtio disk; another process runs meanwhile."""
    disk, bundle = tmp_path / "disk", tmp_path / "bundle"
    disk.write_bytes(bytes(32 << 20))
    options = [o for line in (*OWN, "large 18 1", "hello meanwhile") for o in ("--run", line)]
    subprocess.run([NODE, *options, "--pack", bundle], check=True)
    done = subprocess.run(
        [qemu.BINARY, "-nodefaults", "-display", "none", "-no-reboot", "-machine", "q35", "-m", "10M", "-cpu",
         "qemu64", "-serial", "stdio", "-kernel", paths.image("node"), "-initrd", bundle, "-drive",
         f"file={disk},if=none,id=d,format=raw", "-device", "virtio-blk-pci,drive=d"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150, check=False)
    lines = done.stdout.replace("\r", "").splitlines()
    assert lines[-2:] == ["hello, world meanwhile", "large: 18 MiB, 1 rounds, 0 words wrong"], done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
def test_others_compute_while_a_page_comes() -> None:
    """DV19: one program that always waits for pages has two thirds of a processor that restarts, as any
    number have of one that is held; two and four have nearly all of it, since their waits are others' time."""
    text = (paths.TOP / "harness" / "bench" / "overlap.toml").read_text()
    outcome = bench_run.played(cluster.parse(text, "overlap"), "overlap")
    one, two, four = (row.value for row in bench.json_rows(outcome.collector.text("diskless"), "osmosis"))
    assert one and two and four
    assert 0.60 < one < 0.75 and two > one + 0.10 and 0.90 < four <= 1


@pytest.mark.parametrize("memory", [64, 4])
def test_copy_on_reference(tmp_path: pathlib.Path, memory: int) -> None:
    """U58: a process of 4 MiB moves without its memory, to a node that has room for it and to one
    that has not; every word is right, there and back home; nothing is left when it has ended."""
    host = start(tmp_path, 2, memory, "movebench host")
    try:
        node = start(tmp_path, 1, 64, "+kernel =luggage luggage", "+kernel +machine movebench 2 check 1")
        text, _ = node.communicate(timeout=60)
    finally:
        host.kill()
        host.communicate()
    lines = [[int(word) for word in re.findall(r"\d+", line)] for line in text.splitlines()]
    assert node.returncode == 0 and len(lines) == 3, text
    there, home, after = lines
    assert there[0] == home[0] == 1 and after[0] == 0
    assert there[1] >= 1024 and (there[2] > 1024 if memory == 4 else there[2] == 0)
    assert home[1] >= there[1] + 1024 and home[2] >= 1024  # what it had changed was fetched from here again


@pytest.mark.parametrize("apart", [True, False])
def test_shared_memory(tmp_path: pathlib.Path, apart: bool) -> None:
    """U40, U56, U55, L11: two processes, on machines of their own or one with the keeper, exclude each other by
    loads and stores of memory they share."""
    keeper = ("+kernel switchboard global", "=shared shared", "announce shared")
    first, second = ("+kernel with shared together 0 40", "+kernel with shared together 1 40")
    nodes = [start(tmp_path, 1, 16, *keeper, *([] if apart else [first])),
             start(tmp_path, 2, 16, second, "movebench host"),
             *([start(tmp_path, 3, 16, first, "movebench host")] if apart else [])]
    try:
        for node in nodes[1:] if apart else nodes:
            assert node.stdout and node.stdout.readline() == "together: 80\n"
    finally:
        for node in nodes:
            node.kill()
            node.communicate()


KEEPERS = """
trace = false
for = "10s"
[media.ether]
[nodes.store]
memory = "48M"
media = ["ether"]
programs = ["+kernel switchboard global", "=disk ramdisk 4", "=buffers buffers make", "=directories directories",
    "=files files", "announce files"]
[nodes.user]
memory = "16M"
media = ["ether"]
bundle = ["meter", "vault"]
programs = ["+kernel with files keepers-check"]
[expect.exit]
store = "running"
user = "poweroff"
[expect.output]
user = "Test result: SUCCESS"
"""


@pytest.mark.slow
@pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
def test_keepers_in_a_domain(tmp_path: pathlib.Path) -> None:
    """DV14, U22: the keepers that count and encrypt, in a domain; the file is on another."""
    (tmp_path / "keepers.toml").write_text(KEEPERS)
    done = subprocess.run([TOP / "harness" / "osmosis", "run", tmp_path / "keepers.toml", "--json", "--clock",
                           "count", "--out", tmp_path / "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and json.loads(done.stdout)["ok"], done.stdout + done.stderr
