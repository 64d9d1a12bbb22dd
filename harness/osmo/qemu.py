# SPDX-License-Identifier: BSD-2-Clause
"""One QEMU: its command line, its life, and the certainty that it ends with us.

`argv` is a pure function of a Setup, so that a run can be repeated from its result file.
The flags that make a run repeat bit for bit belong together: leave one of icount, sleep,
seed or rtc out and two runs differ.
"""

import contextlib
import ctypes
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess

from osmo import paths
from osmo.errors import Problem
from osmo.memory import Ram
from osmo.qmp import Monitor
from osmo.scratch import Scratch

BINARY = "qemu-system-x86_64"
CPU = "qemu64,+svm,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt"  # frames are checked by the CRC32 instruction
MACHINES = {
    "q35": "q35",
    "pc": "pc",
    "microvm": "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=on",
}
PR_SET_PDEATHSIG = 1
KVM, NESTED = pathlib.Path("/dev/kvm"), pathlib.Path("/sys/module/kvm_amd/parameters/nested")
NMI_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class Drive:
    """A file that is a virtio-blk function of PCI's first bus, such as "5.0"."""

    file: pathlib.Path
    function: str
    readonly: bool = False


@dataclasses.dataclass
class Setup:
    """Everything a machine is started with."""

    kernel: pathlib.Path
    append: str = ""
    modules: list[tuple[pathlib.Path, str]] = dataclasses.field(default_factory=list)
    memory_mib: int = 256
    cpus: int = 1
    clock: str = "count"
    seed: int = 1
    shift: int = 3
    machine: str = "q35"
    kvm: bool = False
    cpu: str = CPU
    iso: pathlib.Path | None = None
    firmware: pathlib.Path | None = None
    snapshots: bool = False
    gdb_port: int | None = None
    second_serial: bool = False
    drives: list[Drive] = dataclasses.field(default_factory=list)
    extra: list[str] = dataclasses.field(default_factory=list)


def without_kvm() -> str:
    """Why this host's KVM gives a guest no SVM; empty if it does. /dev/kvm alone says nothing."""
    if not KVM.exists():
        return "no /dev/kvm"
    if not os.access(KVM, os.R_OK | os.W_OK):
        return "/dev/kvm is not this user's to open"
    if not NESTED.exists() or NESTED.read_text().strip() not in ("1", "Y"):
        return "/dev/kvm gives no SVM to guests"
    return ""


def module_argument(modules: list[tuple[pathlib.Path, str]]) -> str:
    """-initrd's list: `file words,file words`; a comma in a word is written twice."""
    return ",".join(f"{path.name.replace(',', ',,')} {words.replace(',', ',,')}".strip()
                    for path, words in modules)


def clock_flags(setup: Setup) -> list[str]:
    if setup.clock == "count":
        if setup.cpus != 1:
            raise Problem("clock `count` runs on one CPU", "say cpus = 1, or --clock real")
        if setup.kvm:
            raise Problem("clock `count` needs TCG, KVM has no instruction counter to run by",
                          "leave --kvm out, or say --clock real")
        return ["-accel", "tcg", "-icount", f"shift={setup.shift},sleep=off",
                "-seed", str(setup.seed & 0xFFFFFFFF),
                "-rtc", "base=2024-01-01T00:00:00,clock=vm"]
    if setup.kvm:
        return ["-accel", "kvm"]
    thread = "multi" if setup.cpus > 1 else "single"
    return ["-accel", f"tcg,thread={thread}", "-rtc", "base=2024-01-01T00:00:00,clock=vm"]


def _drive(number: int, drive: Drive) -> list[str]:
    name = f"drive{number}"
    mode = ",readonly=on" if drive.readonly else ",discard=unmap"
    return ["-drive", f"file={name},if=none,id={name},format=raw{mode}",
            "-device", f"virtio-blk-pci,drive={name},addr={drive.function},multifunction=on"]


def argv(setup: Setup) -> list[str]:
    """The command line. Every file is named without a folder, in the machine's own: the guest
    sees these names, and they are to be the same in each run and on each host."""
    if setup.machine not in MACHINES:
        raise Problem(f"machine `{setup.machine}` is unknown", f"one of {', '.join(MACHINES)}")
    if setup.drives and setup.machine == "microvm":
        raise Problem("a microvm has no PCI, and kept disks are on it", "say --machine q35 or pc")
    line = [BINARY, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", f"{MACHINES[setup.machine]},memory-backend=ram",
            "-object", f"memory-backend-file,id=ram,size={setup.memory_mib}M,"
                       "mem-path=ram,share=on",
            "-m", f"{setup.memory_mib}M", "-smp", str(setup.cpus),
            "-cpu", "host" if setup.kvm else setup.cpu,
            "-serial", "file:serial"]
    line += clock_flags(setup)
    if setup.second_serial:
        line += ["-serial", "unix:command,server=on,wait=off"]
    if setup.firmware:
        line += ["-bios", setup.firmware.name]
    if setup.iso:
        line += ["-cdrom", setup.iso.name]
    else:
        line += ["-kernel", setup.kernel.name]
        if setup.append:
            line += ["-append", setup.append]
        if setup.modules:
            line += ["-initrd", module_argument(setup.modules)]
    if setup.snapshots:
        line += ["-drive", "if=none,id=snapshots,format=qcow2,file=snapshots"]
    for number, drive in enumerate(setup.drives):
        line += _drive(number, drive)
    if setup.gdb_port:
        line += ["-gdb", f"tcp:127.0.0.1:{setup.gdb_port}"]
    line += ["-qmp", "unix:monitor,server=on,wait=off"]
    return line + setup.extra


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Qemu:
    """A running machine; a context manager, so that no way out leaves it behind."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.scratch = Scratch()
        self.directory = self.scratch.path
        self.process: subprocess.Popen[bytes] | None = None
        self._monitor: Monitor | None = None
        self._ram: Ram | None = None

    def __enter__(self) -> "Qemu":
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        if not shutil.which(BINARY):
            raise Problem(f"{BINARY} is not installed", "run `make deps`")
        files = [self.setup.iso or self.setup.kernel, *(path for path, _ in self.setup.modules)]
        for path in files + ([self.setup.firmware] if self.setup.firmware else []):
            self._bring(paths.need(path))
        for number, drive in enumerate(self.setup.drives):
            (self.directory / f"drive{number}").symlink_to(paths.need(drive.file).resolve())
        try:
            with open(self.directory / "ram", "wb") as ram:
                ram.truncate(self.setup.memory_mib << 20)
        except OSError as error:
            raise Problem(f"a machine of {self.setup.memory_mib} MiB: {error.strerror}",
                          "give nodes and disks less memory, or overcommit = true") from None
        if self.setup.snapshots:
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2",
                            str(self.directory / "snapshots"), "4M"], check=True)
        self.argv = argv(self.setup)
        with open(self.directory / "stderr", "wb") as errors:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                cwd=self.directory, preexec_fn=_die_with_parent)

    def _bring(self, path: pathlib.Path) -> None:
        """Makes a file reachable by its bare name."""
        link = self.directory / path.name
        if link.exists() and link.resolve() != path.resolve():
            raise Problem(f"two files of one machine are called {path.name}", "name them apart")
        if not link.exists():
            link.symlink_to(path.resolve())

    @property
    def ram(self) -> Ram:
        if self._ram is None:
            self._ram = Ram(self.directory / "ram", self.setup.machine)
        return self._ram

    @property
    def monitor(self) -> Monitor:
        if self._monitor is None:
            self._monitor = Monitor(self.directory / "monitor")
        return self._monitor

    def serial(self) -> str:
        """What the serial port has said so far."""
        path = self.directory / "serial"
        return path.read_bytes().decode("utf-8", "replace") if path.exists() else ""

    def errors(self) -> str:
        return (self.directory / "stderr").read_text(errors="replace")

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def delayed(self) -> float:
        """Seconds that the host has kept it waiting for a processor: that of its threads that waited longest."""
        waits = [0]
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*") if self.process else ():
            with contextlib.suppress(OSError, ValueError, IndexError):
                waits.append(int((task / "schedstat").read_text().split()[1]))
        return max(waits) / 1e9

    def stop(self) -> None:
        self.monitor.command("stop")

    def resume(self) -> None:
        self.monitor.command("cont")

    def save(self, name: str) -> None:
        self._snapshot(f"savevm {name}")

    def load(self, name: str) -> None:
        """Restores RAM (the shared file too) and registers; the machine stays stopped."""
        self._snapshot(f"loadvm {name}")

    def _snapshot(self, line: str) -> None:
        said = self.monitor.human(line).strip()
        if said:
            raise Problem(f"QEMU could not {line}: {said}")

    def nmi(self) -> None:
        """Asks the hypervisor for its dump: the one signal a wedged machine still hears. A Problem if
        QEMU itself does not."""
        if self._monitor is None:
            self._monitor = Monitor(self.directory / "monitor", NMI_SECONDS)
        self._monitor.patience(NMI_SECONDS)
        self._monitor.command("inject-nmi")

    def inside(self) -> dict[str, str]:
        """What it takes to look into a machine that stands still: inside.py."""
        return {"ram": str(self.directory / "ram"), "machine": self.setup.machine,
                "hypervisor": f"{self.setup.kernel}.64", "registers": self.monitor.human("info registers -a")}

    def close(self) -> None:
        """Ends the machine if need be and removes its files; may be called twice."""
        if self._monitor:
            self._monitor.close()
            self._monitor = None
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._ram:
            self._ram.close()
            self._ram = None
        self.scratch.close()
