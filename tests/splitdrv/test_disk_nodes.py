# SPDX-License-Identifier: BSD-2-Clause
"""DEMOS nodes with disks (H17, DS16): the file system's server on a file of the host, on a vbd in a
domain, on a virtio function of the bare machine; killed at odd moments, restarted on the same disk.

What is on the disk afterwards is looked at by build/demos-fs.
"""

import json
import pathlib
import re
import struct
import subprocess
from collections.abc import Iterable

import pytest

from osmo import abi, cluster, paths, run

BUILD = paths.build()
CLUSTERS = pathlib.Path(__file__).parents[2] / "harness" / "clusters"
BOOT = ("+disks =disk disk", "=buffers buffers make", "=directories directories", "=files files")


def hosted(disk: pathlib.Path, *lines: str) -> tuple[int, str]:
    options = [o for line in lines for o in ("--run", line)]
    done = subprocess.run([BUILD / "demos-node", "--disk", disk, *options], timeout=60, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def fsck(image: pathlib.Path) -> None:
    done = subprocess.run([BUILD / "demos-fs", "check", image], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and ": clean" in done.stdout, done.stdout + done.stderr


def tool(*words: object) -> tuple[int, str]:
    done = subprocess.run([BUILD / "demos-fs", *map(str, words)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def content(k: int) -> bytes:
    """What files-keep writes into file k."""
    return bytes((k * 7 + i * 3 + i // 256) & 255 for i in range(1 + k * 1237 % 6000))


def synced(text: str) -> int:
    return max((int(n) for n in re.findall(r"^synced (\d+)$", text, re.M)), default=0)


def check_files(image: pathlib.Path, count: int, folder: str = "") -> None:
    for k in range(1, count + 1):
        got = subprocess.run([BUILD / "demos-fs", "get", image, f"{folder}/f{k}"], capture_output=True,
                             check=True).stdout
        assert got == content(k), f"file {k}"


def test_hosted_on_a_file(tmp_path: pathlib.Path) -> None:
    """The server's own check, and files that a second run finds."""
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(4 << 20))
    status, text = hosted(disk, *BOOT, "+kernel files-check")
    assert status == 0 and text.endswith("Test result: SUCCESS\n"), text
    fsck(disk)
    assert hosted(disk, *BOOT, "files-keep 20")[0] == 0
    assert "found 20\n" in hosted(disk, *BOOT, "files-keep 21")[1]
    check_files(disk, 21)


def test_what_cannot_be_is_refused(tmp_path: pathlib.Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    status, text = hosted(disk, "+disks =disk disk 1")
    assert status != 0 and "this machine has no disk 1" in text
    status, text = hosted(disk, "=disk disk")
    assert status != 0 and 'no link "disks"' in text


def test_a_damaged_disk_is_not_called_clean(tmp_path: pathlib.Path) -> None:
    """DS16, H17: what two damages are is said in words, with status 1 until they are mended; then the disk is
    clean, and so are the bytes. What cannot be mended stays status 1."""
    disk, given = tmp_path / "disk", tmp_path / "given"
    given.write_bytes(bytes(i * 7 & 255 for i in range(3000)))
    assert tool("make", disk, "256K") == (0, "")
    for name in ("one", "two"):
        assert tool("put", disk, given, name) == (0, "")
    fsck(disk)
    image = bytearray(disk.read_bytes())
    blocks, journal, _, bitmap, table = struct.unpack_from(">5I", image, 12)  # guest/servers/fs/format.h
    image[journal * 512:journal * 512 + 512] = bytes(512)  # has the latest change of both right
    image[bitmap * 512 + (blocks - 1) // 8] |= 1 << (blocks - 1) % 8
    row = table * 512 + 3 * 128  # of the first file that was made
    first = struct.unpack_from(">I", image, row + 56)[0]
    image[bitmap * 512 + first // 8] &= ~(1 << first % 8)
    disk.write_bytes(image)
    words = f"block {first} of file 3 is marked free", f"block {blocks - 1} is held by nobody"
    for _ in range(2):  # looking changes nothing
        status, text = tool("check", disk)
        assert status == 1 and "2 problems, 0 mended" in text and all(w in text for w in words), text
    status, text = tool("check", disk, "--mend")
    assert status == 0 and "2 problems, 2 mended" in text and all(w in text for w in words), text
    fsck(disk)
    for name in ("one", "two"):
        assert tool("get", disk, name, tmp_path / "got") == (0, "")
        assert (tmp_path / "got").read_bytes() == given.read_bytes()
    image = bytearray(disk.read_bytes())
    image[journal * 512:journal * 512 + 512] = bytes(512)
    image[row + 23] += 1  # blocks held
    disk.write_bytes(image)
    for words_of_it in ((), ("--mend",), ()):
        status, text = tool("check", disk, *words_of_it)
        assert status == 1 and "file 3 says" in text and "1 problems, 0 mended" in text, text
    disk.write_bytes(bytes(len(image)))
    status, text = tool("check", disk)
    assert status == 1 and "not a DEMOS file system" in text, text


NODE = """
clock = "{clock}"
for = "400s"
until = "output n SUCCESS"
[nodes.n]
memory = "16M"
disk = {disk}
programs = ["+disks =disk disk", "=buffers buffers make", "=directories directories", "=files files",
    "files-keep {count}"]
{more}
"""


# A node that pages to a disk of its own, which begins to fail as the other's does; it has two MiB, all but
# a few pages, so that what it writes out it soon reads again.
PAGES = """
[nodes.pages]
memory = "6M"
disk = {{ size = "16M" }}
programs = ["+disks =disk disk", "=pager pager", "+kernel paging 3072", "wait", "hello begin", "wait",
    "large 2 4", "wait", "hello again"]
[[faults]]
disk = "pages-0"
after = "output pages begin"
do = "{do}"
"""


def check_pages(outcome: run.Outcome) -> None:
    """A page that is not what it was ends whose it is; nobody is given another, and the node goes on."""
    text = outcome.collector.text("pages")
    assert "ended by exception 7" in text and "words wrong" not in text and "hello, world again" in text, text


def play(tmp_path: pathlib.Path, plan: str = "", **words: object) -> run.Outcome:
    return play_text(tmp_path, NODE.format(**{"clock": "count", "count": 60, "more": "", **words}), plan)


def play_text(tmp_path: pathlib.Path, text: str, plan: str = "") -> run.Outcome:
    path = tmp_path / "node.toml"
    path.write_text(text)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    prepared = run.prepare(cluster.load(path), run.Options(), scratch)
    prepared.plan.text += plan
    if prepared.clock != "real":
        (scratch / "plan").write_text(prepared.plan.text)
    outcome = run.execute(prepared)
    run.save(outcome, tmp_path / "out")
    return outcome


VBD_BACK, VBD_FRONT = "/local/domain/{disks}/backend/vbd/{n}/51712/", "/local/domain/{n}/device/vbd/51712/"
EDGES = ("{back} 1", "{back} 2", "{front} 3", "{back} 4", "{front} 4")  # of a handshake, as one end writes them


def at_edges(moment: str, whom: str, edges: Iterable[str]) -> str:
    """Lines of a plan: from that moment on `whom` is built anew at each of these states of the handshake."""
    names = {"back": f"when store {VBD_BACK}state", "front": f"when store {VBD_FRONT}state"}
    return "".join(f"{moment} {edge.format(**names)} reboot {whom}\n" for edge in edges)


@pytest.mark.slow
def test_killed_at_odd_moments(tmp_path: pathlib.Path) -> None:
    """H17, F09, F11, F13, F24: seven lives on one disk, whose power fails when the node is dead and not yet built
    anew, so that what was not flushed is gone. Each finds all that the ones before it had synced. Then lives that
    end at each state of the front end's handshake."""
    ends = (170, 391, 553, 777, 938, 1161)
    faults = "".join(f'[[faults]]\nat = "{ms}ms"\nnode = "n"\ndo = "restart"\n' for ms in ends)
    faults += "".join(f'[[faults]]\nat = "{begins + 20}ms"\nfor = "{end + 8 - begins - 20}ms"\ndisk = "n-0"\n'
                      'do = "disk-powercut"\n' for begins, end in zip((0, *ends), ends))
    outcome = play(tmp_path, disk='{ size = "4M" }', count=150, more=faults,
                   plan=at_edges("at 1170ms", "n", EDGES))
    starts = sum(e.event == "start" and e.name == "n" for e in outcome.collector.events)
    assert starts == 1 + len(ends) + len(EDGES), outcome.collector.events
    text = outcome.collector.text("n")
    lives = re.split(r"^found (\d+)$", text, flags=re.M)
    found = [int(n) for n in lives[1::2]]
    assert len(found) >= 5 and "SUCCESS" in text, text[-2000:]
    assert outcome.collector.text("disks").count("power failed") == len(ends)
    rows = json.loads((tmp_path / "out" / "result.json").read_text())["faults"]
    assert sum(row["struck"] for row in rows if row["id"] == "F24") > 500  # writes that wait for a flush
    safe = 0
    for number, said in zip(found, lives[2::2]):
        assert safe <= number <= safe + 1, (safe, number)
        safe = max(safe, number, synced(said))
    image = tmp_path / "out" / "disks" / "n-0.img"
    fsck(image)
    check_files(image, 150)


@pytest.mark.slow
@pytest.mark.parametrize("do", ["disk-error 0.2", "disk-torn 0.3", "disk-full"])
def test_a_disk_that_fails(tmp_path: pathlib.Path, do: str) -> None:
    """F24, H20: what fails is said to the program; what it had synced is there, and the disk whole. Of pages
    none is given that is not what it was."""
    slow = 'at = "150ms"\nfor = "30ms"\ndo = "disk-delay 1ms"'
    bad = f'after = "output n synced 12"\ndo = "{do}"'
    outcome = play(tmp_path, disk='{ size = "4M" }', count=400,
                   more="".join(f'[[faults]]\ndisk = "n-0"\n{fault}\n' for fault in (slow, bad))
                   + PAGES.format(do=do))
    text = outcome.collector.text("n")
    assert "cannot be written" in text and synced(text) >= 12, text[-2000:]
    image = tmp_path / "out" / "disks" / "n-0.img"
    fsck(image)
    check_files(image, synced(text))
    rows = json.loads((tmp_path / "out" / "result.json").read_text())["faults"]
    check_pages(outcome)
    struck = {row["do"]: row["struck"] for row in rows if row["name"] == "n-0"}
    assert set(struck) == {do, "disk-delay 1ms"} and all(struck.values()), struck


@pytest.mark.slow
@pytest.mark.parametrize("do", ["disk-misdirected 0.3", "disk-stale 0.3", "disk-lost 0.3"])
def test_a_disk_that_lies(tmp_path: pathlib.Path, do: str) -> None:
    """F24: what is not what was written harms what is on that disk, and nothing else: the kernel stands.
    Of pages none is given that is not what it was."""
    outcome = play(tmp_path, disk='{ size = "4M" }', count=60,
                   more=f'[[faults]]\ndisk = "n-0"\nafter = "output n synced 12"\ndo = "{do}"\n'
                   + PAGES.format(do=do))
    told = json.loads((tmp_path / "out" / "result.json").read_text())
    check_pages(outcome)
    assert len(told["faults"]) == 2
    assert all(row["id"] == "F24" and row["struck"] > 0 for row in told["faults"]), told["faults"]
    assert told["invariants"]["isolation"]["broken"] == 0
    ended = outcome.collector.ended.get("n")
    assert ended is None or ended.reason == "poweroff", outcome.collector.text("n")[-2000:]


@pytest.mark.slow
def test_paging_on_a_disk(tmp_path: pathlib.Path) -> None:
    """H17, DV16, DV17: nodes without a disk page over the network to one whose disk is a vbd."""
    text = (CLUSTERS / "diskless.toml").read_text().replace('"=disk ramdisk 32"', '"+disks =disk disk"')
    outcome = play_text(tmp_path, text.replace('memory = "64M"', 'memory = "32M"\ndisk = { size = "32M" }'))
    for node in ("diskless1", "diskless2"):
        assert "large: 6 MiB, 1 rounds, 0 words wrong" in outcome.collector.text(node), node
    pages = (tmp_path / "out" / "disks" / "store-0.img").read_bytes()
    assert sum(any(pages[at:at + 4096]) for at in range(0, len(pages), 4096)) > 1000


@pytest.mark.slow
def test_the_disk_domain_comes_back(tmp_path: pathlib.Path) -> None:
    """H10, H11, F09: the driver domain dies twice while the node writes, and at each state of the handshake by
    which the next one takes over, and drives its device again; the node's requests are made again, and its
    programs notice nothing."""
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(4 << 20))
    edges = [*EDGES[:3], "{back} 2 {back} 4"]
    outcome = play(tmp_path, clock="real", disk='{ file = "disk.img", keep = true }', count=400,
                   plan='when output n "synced 40" reboot disks\nwhen output n "synced 150" reboot disks\n'
                   + at_edges('when output n "synced 200"', "disks", edges)
                   + 'when output n "synced 200" reboot disks\n')
    text = outcome.collector.text("n")
    assert "SUCCESS" in text and text.count("found") == 1, text[-2000:] + outcome.collector.text("disks")
    assert sum(e.event == "start" and e.name == "disks" for e in outcome.collector.events) == 4 + len(edges)
    fsck(disk)
    check_files(disk, 400)


@pytest.mark.slow
def test_lost_events(tmp_path: pathlib.Path) -> None:
    """H17, F10: events of requests are lost, then those of answers. Whoever waits tells again, and looks."""
    outcome = play(tmp_path, disk='{ size = "4M" }', count=60,
                   plan='when output n "synced 5" inject disks point=lose_upcall after=3 every=9\n'
                        'when output n "synced 20" inject n point=lose_upcall after=3 every=9\n'
                        'when output n "synced 40" inject n point=lose_upcall after=0\n')
    text = outcome.collector.text("n")
    assert "SUCCESS" in text, text[-2000:]
    lost = [r for r in abi.records((tmp_path / "out" / "trace").read_bytes()) if r.type == abi.Trace.INJECT]
    assert len(lost) > 5
    fsck(tmp_path / "out" / "disks" / "n-0.img")


@pytest.mark.slow
def test_natively_on_virtio(tmp_path: pathlib.Path) -> None:
    """The same image on the bare machine: its own virtio driver, found on PCI."""
    disk, bundle = tmp_path / "disk", tmp_path / "bundle"
    disk.write_bytes(bytes(4 << 20))
    options = [o for line in (*BOOT, "files-keep 60") for o in ("--run", line)]
    subprocess.run([BUILD / "demos-node", *options, "--pack", bundle], check=True)
    done = subprocess.run(
        ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", "-machine", "q35", "-m", "64M",
         "-cpu", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt", "-serial", "stdio", "-kernel", paths.image("node"),
         "-initrd", bundle, "-append", "id=1", "-drive", f"file={disk},if=none,id=d,format=raw",
         "-device", "virtio-blk-pci,drive=d"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False)
    assert "Test result: SUCCESS" in done.stdout, done.stdout[-2000:] + done.stderr
    fsck(disk)
    check_files(disk, 60)
