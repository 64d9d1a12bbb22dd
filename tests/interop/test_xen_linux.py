# SPDX-License-Identifier: BSD-2-Clause
"""The Linux, initrd and scripts' words that tests/interop/test_linux.py, test_disks.py and
test_tools.py run on Osmosis, on real Xen 4.17: three machines at once, looked at from several sides.
"""

import hashlib
import os
import pathlib
import re
from collections.abc import Iterator

import pytest

from osmo import plan, xen

import test_disks as disks
import test_xen_nodes as nodes

LONG = os.environ.get("OSMOSIS_LONG") == "1"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen"), pytest.mark.timeout(2400 if LONG else 1000)]
LAST = 13_500_000 if LONG else 80_000  # the long run moves 100 MB
KEPT = 80_000
WORK = ("nc -l -p 1000 | md5sum; for c in 1 2; do (echo ran on $(taskset $c cut -d' ' -f39 /proc/self/stat); "
        "taskset $c sh -c 'seq 1 20000 | md5sum') & done; wait; echo c >/proc/sysrq-trigger")
SEND = (f"echo name?; read x; echo hello $x; mount -t ext4 /dev/xvda /mnt; seq {KEPT} >/mnt/numbers; umount /mnt; "
        f"until ping -c 1 -w 1 10.5.0.8; do :; done; until seq {LAST} | nc 10.5.0.8 1000; do :; done; reboot -f")


def numbers(last: int) -> bytes:
    return b"".join(b"%d\n" % n for n in range(1, last + 1))


def guest(name: str, number: int, script: str, extra: tuple[str, ...] = (), vcpus: int = 1) -> xen.Guest:
    line = f"{plan.LINUX_CMDLINE} osmosis.number={number} osmosis.run={disks.words(script)}"
    return xen.Guest(name, "linux", 96, line, "linux-initrd", vcpus, f"02:05:00:00:00:{number:02x}", list(extra))


@pytest.fixture(scope="module")
def ended(testbed: xen.Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, xen.Outcome]]:
    """How the three ended, by name: two by scripts of ours, and the one of a worked cluster that has a
    DEMOS node in it, which talks to another domain."""
    if "linux" not in testbed.have:
        pytest.skip("no Debian Linux kernel (linux-image-amd64)")
    scratch = tmp_path_factory.mktemp("xen")
    disks.ext4(scratch / "image", 1 << 20)  # too small for a journal: each byte has to cross a slow line
    testbed.put("ext4.img", (scratch / "image").read_bytes())
    disk = "disk=['script=block-osmosis,vdev=xvda,access=rw,target=/guests/ext4.img']"
    made = nodes.taken(testbed, (nodes.CLUSTERS / "tools.toml").read_text(), scratch)
    mine = [guest("server", 8, WORK, vcpus=2), guest("client", 9, SEND, (disk,))]
    try:
        for one in mine:
            testbed.create(one)
        nodes.started(testbed, scratch, "store", "tools")
        testbed.wait("client", 300, "name?", period=2)
        testbed.shell.run("echo xen > $(xenstore-read /local/domain/$(xl domid client)/console/tty)")
        most = 2000 if LONG else 300
        found = {name: testbed.wait(name, most, period=2) for name in ("client", "server", "tools")}
        if any(outcome.reason is None for outcome in found.values()):
            print(testbed.shell.run("xl vcpu-list; sleep 2; xl vcpu-list; xl dmesg | tail -n 20")[1])
            print(testbed.console("store")[-2000:])
        yield found
    finally:
        for one in mine:
            testbed.destroy(one.name)
        nodes.destroyed(testbed, made)


def test_each_end_has_its_own_result(ended: dict[str, xen.Outcome]) -> None:
    """H05, L45: what is typed on its console is read; power-off, reboot and crash are told apart."""
    assert "\nhello xen" in ended["client"].console, ended["client"].console[-2000:]
    assert {name: outcome.reason for name, outcome in ended.items()} == {
        "client": "reboot", "server": "crash", "tools": "poweroff"}, ended


def test_two_processors_at_work(ended: dict[str, xen.Outcome]) -> None:
    said = ended["server"].console
    assert "ran on 0" in said and "ran on 1" in said, said[-2000:]
    assert said.count(hashlib.md5(numbers(20000)).hexdigest()) == 2, said[-2000:]


def test_two_talk_over_the_bridge(ended: dict[str, xen.Outcome]) -> None:
    """H09: a ping, and a stream by TCP without a wrong byte."""
    assert "1 packets received" in ended["client"].console, ended["client"].console[-2000:]
    assert hashlib.md5(numbers(LAST)).hexdigest() in ended["server"].console, ended["server"].console[-2000:]


def test_a_disk_of_linuxs_blkback(ended: dict[str, xen.Outcome], testbed: xen.Testbed,
                                  tmp_path: pathlib.Path) -> None:
    """H17: what its xen-blkfront wrote is in the image, and e2fsck finds nothing to mend."""
    assert ended["client"].reason == "reboot"
    image = tmp_path / "image"
    image.write_bytes(testbed.get("/guests/ext4.img"))
    assert disks.check(image, "-fn").returncode == 0
    assert disks.content(image, "numbers") == numbers(KEPT)


def test_tools_of_linux_talk_to_demos(ended: dict[str, xen.Outcome]) -> None:
    """L45: a DEMOS node inside a Linux domain and one of its own, on Linux's bridge: busybox's programs
    and the DEMOS file system of the other."""
    assert re.search("^read back: Linux", ended["tools"].console, re.M), ended["tools"].console[-2000:]
