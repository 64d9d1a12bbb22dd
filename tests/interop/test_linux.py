# SPDX-License-Identifier: BSD-2-Clause
"""Guests nobody here wrote, on Osmosis: Debian's Linux kernel as its package brings it, with
busybox, its own network front end, with one processor and with two; and Debian's GRUB for Xen.
"""

import hashlib
import os
import pathlib
import sys

import pytest

from osmo import abi, cluster, debian, initramfs, linux, run, vmlinux
from osmo.errors import Problem
from osmo.types import Net

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "control"))

import machine  # noqa: E402

LONG = os.environ.get("OSMOSIS_LONG") == "1"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("linux"), pytest.mark.timeout(3000 if LONG else 600)]
KERNEL_WORDS = "console=hvc0 quiet panic=-1"


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The boot modules `linux` and `linux-initrd`."""
    kernel = debian.kernel()
    if kernel is None:
        pytest.skip("no Debian Linux kernel (linux-image-amd64)")
    try:
        initramfs.busybox()
    except Problem as why:
        pytest.skip(str(why))
    folder = tmp_path_factory.mktemp("linux")
    (folder / "linux").symlink_to(vmlinux.extracted(kernel))
    (folder / "linux-initrd").write_bytes(linux.initrd())
    return [str(folder / "linux"), str(folder / "linux-initrd")]


def create(name: str, script: str, words: str = "mem=96M") -> str:
    """Lines of a plan: a Linux that runs this script, then powers itself off."""
    joined = script.replace(" ", "~")
    return (f'create {name} image=linux module=linux-initrd on_reboot=destroy {words} '
            f'cmdline="{KERNEL_WORDS} osmosis.number=1 osmosis.run={joined}"\nstart {name}\n')


def test_each_end_has_its_own_result(tmp_path: pathlib.Path, parts: list[str]) -> None:
    """H05, L45: Linux boots to a script; what the plan types on its console is read; powering
    off, rebooting and a crash of the kernel are told apart; it gives memory back when it is asked to."""
    total = "$(set -- $(cat /proc/meminfo);echo $2)"
    less = f"a={total};echo name?;read x;echo hello $x;until test {total} -lt $a;do sleep 1;done;echo less"
    plan = (create("off", less, "mem=128M")
            + 'when output off name? memory off 104M\nwhen output off name? input off "osmosis\\n"\n'
            + create("again", "reboot -f").replace("\nstart", "\nwhen exit off start")
            + create("crash", "echo c >/proc/sysrq-trigger").replace("\nstart", "\nwhen exit again start")
            + "when exit crash finish\nat 500s finish status=1\n")
    ended = machine.run(tmp_path, plan, parts, seconds=550, memory_mib=600, machine="q35")
    assert "\nhello osmosis" in ended.serial and "\nless" in ended.serial, ended.serial[-3000:]
    reasons = {str(e["name"]): e["reason"] for e in ended.events("exit")}
    assert reasons == {"off": "poweroff", "again": "reboot", "crash": "crash"}, ended.serial[-3000:]


@pytest.mark.parametrize(("cpus", "clock"), [(1, "count"), (2, "real")])
def test_two_processors_at_work(tmp_path: pathlib.Path, parts: list[str], cpus: int,
                                clock: str) -> None:
    """H05, H13: Linux starts its second processor by INIT and SIPI, on one of ours and on two;
    each does its share of work, and the machine powers off by both."""
    work = ("for c in 1 2;do (echo ran on $(taskset $c cut -d' ' -f39 /proc/self/stat);"
            "taskset $c sh -c 'seq 1 20000|md5sum')& done;wait")
    plan = create("two", work, "mem=96M vcpus=2") + "when exit two finish\nat 500s finish status=1\n"
    ended = machine.run(tmp_path, plan, parts, seconds=550, memory_mib=600, machine="q35",
                        cpus=cpus, clock=clock)
    said = ended.serial
    data = b"".join(b"%d\n" % n for n in range(1, 20001))
    assert "ran on 0" in said and "ran on 1" in said, said[-3000:]
    assert said.count(hashlib.md5(data).hexdigest()) == 2, said[-3000:]
    assert [e["reason"] for e in ended.events("exit")] == ["poweroff"], said[-3000:]


def test_two_talk_over_the_fabric(parts: list[str]) -> None:
    """H09, H10, L45: Linux's own xen-netfront on our back end and medium, by two event channels, one of them with
    two processors: ping, and a stream by TCP that arrives without a wrong byte (100 MB in the long
    run), though the medium flips bits: nobody has told it that what the medium damaged was validated
    (I4, F04). A host answers pings before somebody listens there: the client asks until it is let in."""
    last = 13_500_000 if LONG else 300_000
    data = b"".join(b"%d\n" % n for n in range(1, last + 1))
    text = f"""
for = "{2000 if LONG else 500}s"
until = "exit server"
[media.lan]
rate = "100M"
[[faults]]
at = "1ms"
medium = "lan"
do = "corrupt 0.01"
[nodes.server]
machine = "linux"
memory = "96M"
cpus = 2
media = ["lan"]
cmdline = "osmosis.run=nc~-l~-p~1000~|~md5sum"
[nodes.client]
machine = "linux"
memory = "96M"
media = ["lan"]
cmdline = "osmosis.run=until~ping~-c~1~-w~1~10.5.0.1;do~:;done;until~seq~{last}|nc~10.5.0.1~1000;do~:;done"
"""
    ports = "".join('when output client "1 packets received" read '
                    f"/local/domain/{{client}}/device/vif/0/event-channel{ring}\n" for ring in ("-tx", "-rx"))
    outcome = execute(text, ports)
    tx, rx = (int(str(e.fields["value"])) for e in outcome.collector.events if "value" in e.fields)
    assert tx != rx and min(tx, rx) > 0
    server, client = (outcome.collector.text(n) for n in ("server", "client"))
    assert "1 packets received" in client, client[-2000:]
    assert hashlib.md5(data).hexdigest() in server, (server[-2000:], client[-2000:])
    assert outcome.result.ok, outcome.result.error
    flipped = sum(r.type == Net.MEDIUM_FAULT for r in abi.records(bytes(outcome.collector.trace)))
    assert flipped > 5


def execute(text: str, plan: str) -> run.Outcome:
    import tempfile
    with tempfile.TemporaryDirectory() as scratch:
        prepared = run.prepare(cluster.parse(text), run.Options(), pathlib.Path(scratch))
        prepared.plan.text += plan
        return run.execute(prepared)


def test_grub_takes_commands(tmp_path: pathlib.Path) -> None:
    """H05: Debian's i386-xen_pvh GRUB comes to its prompt by our start information, store,
    console and timer; what is typed is answered; its `halt` is a power-off."""
    image = debian.find("usr/lib/grub-xen/grub-i386-xen_pvh.bin")
    if image is None:
        pytest.skip("grub-xen-host is not installed")
    plan = (f"create g image={image.name} mem=64M start=yes\n"
            'when output g grub> input g "lsmmap\\r"\n'
            'when output g "base_addr = 0x100000" input g "halt\\r"\n'
            "when exit g finish\nat 40s finish status=1\n")
    ended = machine.run(tmp_path, plan, [str(image)], seconds=150, machine="q35")
    (death,) = ended.events("exit")
    assert death["reason"] == "poweroff", ended.serial[-3000:]


def test_paravirtual_grub_in_xens_shim(tmp_path: pathlib.Path) -> None:
    """H05, H07: Xen's own PV shim, a hypervisor that is a PVH guest, starts here on two processors and runs
    Debian's paravirtual GRUB, whose console, store and end go through both; what is typed is answered."""
    shim = debian.find("usr/lib/xen-4.17/boot/xen-shim")
    grub = debian.find("usr/lib/grub-xen/grub-x86_64-xen.bin")
    if shim is None or grub is None:
        pytest.skip("xen-utils-4.17 or grub-xen-host is not installed")
    plan = (f'create g image={shim.name} module={grub.name} mem=128M vcpus=2 '
            'cmdline="pv-shim console=xen,pv" start=yes\n'
            'when output g grub> input g "echo $grub_cpu+$grub_platform\\r"\n'
            'when output g "x86_64+xen" input g "halt\\r"\n'
            "when exit g finish\nat 80s finish status=1\n")
    ended = machine.run(tmp_path, plan, [str(shim), str(grub)], seconds=200, machine="q35")
    (death,) = ended.events("exit")
    assert death["reason"] == "poweroff", ended.serial[-3000:]
