# SPDX-License-Identifier: BSD-2-Clause
"""The hypervisor boots on every machine we promise, finds its CPUs, and runs one-file guests
as its first domain; each guest's header says what it proves.
"""

import datetime
import pathlib
import re
import subprocess
import time

import pytest

from osmo.memory import MailboxPage
from osmo.qemu import Qemu, Setup

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
HYPERVISOR = TOP / "build" / "hyp" / "osmosis"
GUESTS = TOP / "build" / "guests"
FIRMWARE = pathlib.Path("/usr/share/ovmf/OVMF.fd")
SEEDED = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
BATTERY = datetime.datetime(2032, 2, 29, 13, 14, 15, tzinfo=datetime.timezone.utc)
END = re.compile(r"^(finished with status \d+: .*|stopped)\r?\n", re.M)  # all of it: we read while it writes


def run(guest: str, seconds: float = 400, words: str = "", **changes: object) -> str:
    """Runs the guest as the first domain until the machine has ended; what the serial said."""
    options: dict[str, object] = {"clock": "real", "machine": "microvm",
                                  "modules": [(GUESTS / guest, words)], **changes}
    setup = Setup(kernel=HYPERVISOR, **options)  # type: ignore[arg-type]
    with Qemu(setup) as machine:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and machine.alive():
            if END.search(machine.serial()):
                break
            time.sleep(0.05)
        return machine.serial().replace("\r", "")


def passed(said: str) -> bool:
    return "Test result: SUCCESS" in said and "finished with status 0" in said


@pytest.mark.parametrize("machine", ["microvm", "pc", "q35"])
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_boots_and_finds_its_cpus(machine: str, cpus: int) -> None:
    """H01: multiboot 1; the MP table on microvm, the MADT elsewhere."""
    said = run("hello", machine=machine, cpus=cpus, words="some words")
    assert passed(said), said
    assert said.startswith("Osmosis: entered"), said
    assert re.search(rf"^{cpus} CPUs?$", said, re.M), said
    assert re.search(r"^Osmosis hypervisor: \d+ KiB of code", said, re.M), said
    assert "command line: some words" in said


def test_many_cpus() -> None:
    """There is no fixed limit below 64."""
    said = run("hello", machine="q35", cpus=64, memory_mib=512)
    assert passed(said) and "64 CPUs" in said, said


def test_boots_from_the_cd_that_make_makes() -> None:
    """H01: multiboot 2 from a GRUB CD, by BIOS; `make iso` has the control domain and a domain that
    greets, to the end of its plan."""
    subprocess.run(["make", "-s", "iso"], cwd=TOP, check=True)
    said = run("hello", machine="q35", cpus=2, iso=TOP / "build" / "osmosis.iso")
    assert "by multiboot 2" in said and "2 CPUs" in said, said
    assert "finished with status 0: the CD's demonstration is over" in said, said


@pytest.mark.skipif(not FIRMWARE.exists(), reason="Debian's package ovmf is not installed")
def test_boots_from_cd_by_uefi(tmp_path: pathlib.Path) -> None:
    """H01: there only multiboot 2 brings the ACPI root."""
    iso = tmp_path / "osmosis.iso"
    subprocess.run([TOP / "hyp" / "mkiso", iso, HYPERVISOR, "from=cd",
                    f"{GUESTS / 'hello'}=a word"], check=True)
    said = run("hello", machine="q35", cpus=2, iso=iso, memory_mib=512, firmware=FIRMWARE)
    assert passed(said), said
    assert "by multiboot 2" in said and "2 CPUs" in said and "from=cd" in said
    assert "command line: a word" in said


@pytest.mark.parametrize("guest", ["timer", "machine"])
@pytest.mark.parametrize("clock", ["real", "count", "event"])
def test_guest(guest: str, clock: str) -> None:
    """H02, H06, H13, H15: see the guests' headers; the wall clock is the battery-backed one, or a seeded run's."""
    said = run(guest, append=f"clock={clock}", clock="count" if clock == "count" else "real",
               extra=["-rtc", f"base={BATTERY:%Y-%m-%dT%H:%M:%S}"])
    assert passed(said), said
    if guest == "timer":
        wall = re.search(r"^wall (\d+)$", said, re.M)
        begun = BATTERY if clock == "real" else SEEDED
        assert wall and 0 <= int(wall[1]) - begun.timestamp() < 100, said


@pytest.mark.parametrize(("guest", "clock"), [("hello", "real"), ("hello", "event"), ("machine", "real"),
                                              ("timer", "real")])
def test_richer_processor(guest: str, clock: str) -> None:
    """H02: all that the emulator can do at once, XSAVE, AVX, RDTSCP; what CPUID hides of it."""
    said = run(guest, cpu="max", words="all", append=f"clock={clock}")
    assert passed(said) and "XSAVE" in said, said


@pytest.mark.parametrize("cpus", [1, 2])
def test_second_virtual_cpu(cpus: int) -> None:
    """INIT, SIPI and real mode under nested paging, on one physical CPU and on two; a grant that both map and
    unmap at once, and the same handle (F22)."""
    said = run("smp", append="dom0_vcpus=2", cpus=cpus)
    assert passed(said), said


def test_triple_fault_is_reported() -> None:
    """A triple fault ends the domain with registers, where its tables lead, and its last exits; as on
    Xen, it is its way to reboot."""
    said = run("triple")
    assert "domain 0 crashed: triple fault" in said, said
    assert re.search(r"rip 0008:[0-9a-f]{16}", said) and "exit -0" in said, said
    assert re.search(r"^    [0-9a-f]{16} is (not )?mapped:( [0-9a-f]+)+$", said, re.M), said
    assert "finished with status 1: the control domain asked for a reboot" in said, said


@pytest.mark.parametrize("append,words", [
    ("clock=count", "clock=count needs QEMU's instruction counter"),
    ("clock=never", "clock=never is unknown: say real, count or event"),
    ("dom0_mem=lots", "dom0_mem=lots is no number"),
    ("dom0_mem=2G", "there is not so much memory as dom0_mem= asks for"),
])
def test_wrong_options_are_said_in_words(append: str, words: str) -> None:
    said = run("hello", append=append)
    assert f"PANIC on CPU 0: {words}" in said or words in said, said
    assert "call trace:" in said and re.search(r"[0-9a-f]{16} hyp_main\+0x", said), said


def test_no_svm_is_said_in_words() -> None:
    assert "no usable SVM with nested paging" in run("hello", cpu="qemu64,-svm")


def test_no_module_is_said_in_words() -> None:
    assert "the first one must be the control domain's ELF image" in run("hello", modules=[])


def test_not_an_elf_is_said_in_words(tmp_path: pathlib.Path) -> None:
    (tmp_path / "text").write_text("no program\n")
    assert "this is no ELF file" in run("hello", modules=[(tmp_path / "text", "")])


def test_null_hypercall_cost() -> None:
    """P1: 64 instructions, the caller's included, and one world switch; exactly repeatable."""
    said = [run("cost", append="clock=count", clock="count", shift=0) for _ in range(2)]
    figures = [re.search(r"P1 instructions ([\d.]+) switches ([\d.]+)", s) for s in said]
    assert figures[0] and figures[1], said
    assert figures[0].groups() == figures[1].groups()
    assert float(figures[0][1]) <= 64 and figures[0][2] == "1.000"


def test_endless_computing_is_named() -> None:
    """In discrete-event time a vCPU that never leaves ends the run, with an error in words."""
    said = run("spin", append="clock=event compute-limit=1")
    assert "finished with status 3: domain 0 vCPU 0 computes for ever" in said, said


def typed(machine: Qemu, directory: pathlib.Path, keys: bytes, until: str) -> str:
    """Types on the serial port, which says what it has to say to another file from then on."""
    (directory / "in").write_bytes(keys)
    out = directory / "out"
    machine.monitor.command("chardev-change", id="serial0", backend={
        "type": "file", "data": {"in": str(directory / "in"), "out": str(out)}})
    limit = time.monotonic() + 400
    while time.monotonic() < limit and until not in out.read_text(errors="replace"):
        time.sleep(0.05)
    return out.read_text(errors="replace")


def test_a_wedged_cpu_is_seen_by_its_neighbour() -> None:
    """H24: the watchdog. A debugger lets only the first of two CPUs go on; it ends the machine in words, with what
    registers there are, the call trace and the last records."""
    setup = Setup(kernel=HYPERVISOR, append="watchdog=2", clock="real", machine="q35", cpus=2,
                  modules=[(GUESTS / "spin", "")])
    with Qemu(setup) as machine:
        limit = time.monotonic() + 400
        while time.monotonic() < limit and "spinning" not in machine.serial():
            time.sleep(0.05)
        door = machine.directory / "gdb"
        machine.monitor.command("human-monitor-command", **{
            "command-line": f"gdbserver unix:{door},server=on,wait=off"})
        with subprocess.Popen(["gdb", "-nx", "-batch", "-ex", f"target remote {door}", "-ex",
                               "set scheduler-locking on", "-ex", "thread 1", "-ex", "continue"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as gdb:
            while time.monotonic() < limit and not END.search(machine.serial()):
                time.sleep(0.05)
            gdb.kill()
        said = machine.serial().replace("\r", "")
    assert "PANIC on CPU 0: watchdog: CPU 1 has not turned for 2 seconds" in said, said[-3000:]
    assert re.search(r"^  rsp [0-9a-f]{16} rbp [0-9a-f]{16} cr2", said, re.M), said[-3000:]
    assert "watch_tick+0x" in said, said[-3000:]
    assert "last trace records" in said


def test_low_memory_is_zeroed() -> None:
    """H02: what a loader left below 640 KiB is gone when the first domain runs; what is ours there is not."""
    places = (0x1000, 0x5008, 0x20000, 0x7fff8, 0x9e000)
    dirt = [word for at in places
            for word in ("-device", f"loader,addr={at:#x},data=0x1badb002deadbeef,data-len=8")]
    setup = Setup(kernel=HYPERVISOR, clock="real", machine="microvm", modules=[(GUESTS / "spin", "")], extra=dirt)
    with Qemu(setup) as machine:
        limit = time.monotonic() + 400
        while time.monotonic() < limit and "spinning" not in machine.serial():
            time.sleep(0.02)
        assert {at: machine.ram.read(at, 8) for at in places} == {at: bytes(8) for at in places}, machine.serial()
        assert MailboxPage.find(machine.ram)


def test_nmi_brings_last_words(tmp_path: pathlib.Path) -> None:
    """H24: typed on the serial port, ctrl-a and a key show what goes on; and a wedged machine still says
    where it is: registers, symbols, what the guest did."""
    setup = Setup(kernel=HYPERVISOR, clock="real", machine="q35", modules=[(GUESTS / "spin", "")])
    with Qemu(setup) as machine:
        limit = time.monotonic() + 400
        while time.monotonic() < limit and "spinning" not in machine.serial():
            time.sleep(0.05)
        said = typed(machine, tmp_path, b"dd\x01h\x01m\x01d", "domain 0: live")
        machine.nmi()
        while time.monotonic() < limit and not END.search(said):
            time.sleep(0.05)
            said = (tmp_path / "out").read_text(errors="replace")
    assert said.count("domain 0: live") == 1, "only what follows ctrl-a is a key"
    assert "key d: domains and vCPUs" in said and re.search(r"^memory: \d+ of \d+ frames free", said, re.M), said
    assert "PANIC on CPU 0: exception 2 (NMI)" in said, said
    assert "svm_enter+0x" in said and "for domain 0 vCPU 0 at rip" in said, said
    for name in ("rip", "rflags", "rsp", "cr2", "rax", "r8 ", "r15"):
        assert re.search(rf"^  .*\b{name} [0-9a-f]{{8,16}}\b", said, re.M), (name, said)
    assert "last trace records" in said, said
