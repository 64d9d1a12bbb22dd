# SPDX-License-Identifier: BSD-2-Clause
"""Real Xen as a test bed: Debian's Xen 4.17, a minimal dom0, and guests by `xl create`.

One machine serves many checks: a shell of dom0 listens on a virtio port, so that guests come
and go without another boot. (A second serial port would do, if Xen's dom0 did not lose what
comes faster than its FIFO.) Xen's own console, and port 0xE9, is the serial port.
"""

import argparse
import base64
import binascii
import dataclasses
import hashlib
import json
import pathlib
import re
import socket
import time

from osmo import debian, elf, initramfs, paths, vmlinux
from osmo.cpio import Archive
from osmo.errors import Problem
from osmo.qemu import Qemu, Setup

# MONITOR gives #GP in Xen's idle loop under QEMU; SMAP and SMEP kill dom0 early.
CPU = "EPYC,+svm,+npt,-smap,-smep,-monitor"
XEN_LINE = "console=com1 com1=115200,8n1 cpuidle=0 sched=credit dom0_mem=900M dom0_max_vcpus=1 " \
           "guest_loglvl=all loglvl=error"
DOM0_LINE = "console=hvc0 quiet loglevel=3 mitigations=off"
MODULES = ["xen-privcmd", "xenfs", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-netback",
           "bridge", "virtio_pci", "virtio_console"]
PROGRAMS = ("xl", "xenstored", "xenconsoled", "xen-init-dom0")
BIN = "usr/lib/xen-4.17/bin"

INIT = """
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t xenfs xen /proc/xen
mkdir -p /var/run/xen /var/run/xenstored /var/lib/xen /var/lib/xenstored /var/log/xen/console /var/lock
ln -s /usr/lib/xen-4.17 /usr/lib/xen
X=/usr/lib/xen-4.17/bin
$X/xenstored --pid-file /var/run/xenstored.pid
$X/xen-init-dom0
$X/xenconsoled --log=guest --log-dir=/var/log/xen/console
ip link set lo up
brctl addbr xenbr0
ip link set xenbr0 up
export PATH=$PATH:$X
while [ ! -e /dev/vport0p1 ]; do sleep 0.1; done
exec 3<>/dev/vport0p1
echo READY >&3
# Through a pipe: a shell on a terminal would prompt and edit.
cat <&3 | sh >&3 2>&1
"""
# xl calls this instead of the package's scripts, which want bash and iproute.
VIF_SCRIPT = """#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/lib/xen-4.17/bin
case $1 in
online)
    ip link set $vif up
    brctl addif xenbr0 $vif
    xenstore-write $XENBUS_PATH/hotplug-status connected ;;
offline)
    brctl delif xenbr0 $vif ;;
esac
"""
REASONS = ("poweroff", "reboot", "suspend", "crash", "watchdog", "soft reset")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a guest went: its console, and why it ended (None: it still ran at the limit)."""

    console: str
    reason: str | None


@dataclasses.dataclass
class Guest:
    """One PVH guest for `xl create`."""

    name: str
    kernel: str
    memory_mib: int = 32
    cmdline: str = ""
    ramdisk: str = ""
    vcpus: int = 1
    mac: str = ""
    extra: list[str] = dataclasses.field(default_factory=list)

    def config(self) -> str:
        lines = [f'name="{self.name}"', 'type="pvh"', f'kernel="/guests/{self.kernel}"',
                 f"memory={self.memory_mib}", f"vcpus={self.vcpus}", 'tsc_mode="native"',
                 'on_poweroff="preserve"', 'on_reboot="preserve"', 'on_crash="preserve"']
        if self.cmdline:
            lines.append(f'cmdline="{self.cmdline}"')
        if self.ramdisk:
            lines.append(f'ramdisk="/guests/{self.ramdisk}"')
        if self.mac:
            lines.append(f"vif=['mac={self.mac},bridge=xenbr0,script=/etc/xen/scripts/vif-osmosis']")
        return "\n".join([*lines, *self.extra]) + "\n"


def missing() -> str:
    """Why there can be no test bed here, in words; empty if there can."""
    if debian.kernel() is None:
        return "no Debian Linux kernel (linux-image-amd64)"
    if debian.xen() is None:
        return "no Xen (xen-hypervisor-4.17-amd64)"
    for program in PROGRAMS:
        if debian.find(f"{BIN}/{program}") is None:
            return f"no {program} (xen-utils-4.17)"
    if debian.find("usr/bin/xenstore-write") is None:
        return "no xenstore-write (xenstore-utils)"
    return ""


def dom0() -> Archive:
    """The control domain's user space."""
    archive = initramfs.base(INIT, MODULES)
    programs = []
    for program in PROGRAMS:
        path = debian.find(f"{BIN}/{program}")
        if path is None:
            raise Problem(f"{program} is not here", "run `make deps` (xen-utils-4.17)")
        initramfs.add_program(archive, path, f"{BIN}/{program}")
        programs.append(path)
    for name in ("xenstore-write", "xenstore-read", "xenstore-ls", "xenstore-chmod"):
        path = debian.find(f"usr/bin/{name}")
        if path is None:
            raise Problem(f"{name} is not here", "run `make deps` (xenstore-utils)")
        initramfs.add_program(archive, path, f"usr/bin/{name}")
        programs.append(path)
    folders = [root / f for root in debian.roots() for f in
               ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/xen-4.17/lib/x86_64-linux-gnu")]
    libraries = elf.closure(programs, folders)
    # glibc loads this one by name when a thread is cancelled; no program names it.
    libraries["libgcc_s.so.1"] = elf.library("libgcc_s.so.1", folders)
    for name, path in libraries.items():
        initramfs.add_program(archive, path, name if name.startswith("/") else f"lib/{name}")
    archive.file("etc/xen/xl.conf", b'autoballoon="off"\nrun_hotplug_scripts=1\n')
    archive.program("etc/xen/scripts/vif-osmosis", VIF_SCRIPT.encode())
    return archive


# QEMU's flags for the port that the shell listens on.
COMMAND_PORT = ["-device", "virtio-serial-pci",
                "-chardev", "socket,id=command,path=command,server=on,wait=off",
                "-device", "virtserialport,chardev=command"]


class Shell:
    """dom0's shell on the virtio port: one command, its output, its status."""

    def __init__(self, path: pathlib.Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.pending = b""
        self.count = 0

    def until(self, mark: bytes, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        while mark not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Problem(f"dom0 did not answer within {seconds} s", where="xen")
            self.socket.settimeout(left)
            try:
                got = self.socket.recv(65536)
            except TimeoutError:
                continue
            if not got:
                raise Problem("the Xen machine ended", where="xen")
            self.pending += got
        before, _, self.pending = self.pending.partition(mark)
        return before

    def run(self, command: str, seconds: float = 120) -> tuple[int, str]:
        self.count += 1
        mark = f"<END{self.count}="
        # The shell prints the mark in two pieces, so that an echo could not be taken for it.
        self.socket.sendall(f"{command}\nprintf '%s%s>\\n' '<END{self.count}' \"=$?\"\n".encode())
        text = self.until(mark.encode(), seconds)
        status = self.until(b">\n", 30)
        return int(status), text.decode("utf-8", "replace")

    def close(self) -> None:
        self.socket.close()


class Testbed:
    """A booted Xen. `images` (name to bytes) are there from the start, in /guests. With the
    clock `count`, instructions are its clock, as they are for counted rows elsewhere."""

    def __init__(self, images: dict[str, bytes], memory_mib: int = 1536, seconds: float = 180,
                 clock: str = "real") -> None:
        self.directory = paths.cache() / "xen"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.have = set(images)
        self.qemu = Qemu(self._setup(images, memory_mib, clock))
        self.qemu.setup.extra = COMMAND_PORT
        self.seconds = seconds

    def _setup(self, images: dict[str, bytes], memory_mib: int, clock: str) -> Setup:
        kernel, hypervisor = debian.kernel(), debian.xen()
        if kernel is None or hypervisor is None:
            raise Problem(missing(), "run `make deps`")
        archive = dom0()
        for name, data in images.items():
            archive.program(f"guests/{name}", data)
        archive.directory("guests")
        xen = self._stored("xen", vmlinux.gunzipped(hypervisor))
        initrd = self._stored("initrd", archive.pack())
        return Setup(kernel=xen, append=XEN_LINE, modules=[(kernel, DOM0_LINE), (initrd, "")],
                     memory_mib=memory_mib, clock=clock, shift=0, machine="q35", cpu=CPU)

    def _stored(self, name: str, data: bytes) -> pathlib.Path:
        """By content, so that runs side by side do not write each other's files."""
        path = self.directory / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
        if not path.exists():
            part = path.with_suffix(f".{id(self):x}")
            part.write_bytes(data)
            part.rename(path)
        return path

    def __enter__(self) -> "Testbed":
        self.qemu.__enter__()
        try:
            self.shell = self._connected()
            self.shell.until(b"READY\n", self.seconds)
        except BaseException as error:
            tail = self.qemu.serial()[-3500:]
            self.close()
            if isinstance(error, Problem):
                raise Problem(f"{error.what}\n{tail}", where="xen") from None
            raise
        return self

    def _connected(self) -> Shell:
        deadline = time.monotonic() + 10
        while not (self.qemu.directory / "command").exists():
            if time.monotonic() > deadline or not self.qemu.alive():
                raise Problem(f"QEMU did not start: {self.qemu.errors()[-500:]}", where="xen")
            time.sleep(0.01)
        return Shell(self.qemu.directory / "command")

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if hasattr(self, "shell"):
            self.shell.close()
        self.qemu.close()

    def put(self, name: str, data: bytes) -> None:
        """Sends a small file to /guests/NAME of the running dom0."""
        text = base64.encodebytes(data).decode()
        status, said = self.shell.run(f"base64 -d > /guests/{name} <<'EOF'\n{text}EOF", 120)
        if status:
            raise Problem(f"dom0 could not store {name}: {said}", where="xen")
        self.have.add(name)

    def get(self, name: str) -> bytes:
        """A file of dom0, whole; what is not there is empty."""
        _, text = self.shell.run(f"base64 {name} 2>/dev/null")
        try:
            return base64.b64decode(text)
        except binascii.Error:
            raise Problem(f"{name} came garbled from dom0", where="xen") from None

    def create(self, guest: Guest, paused: bool = False) -> None:
        if guest.kernel not in self.have:
            raise Problem(f"image {guest.kernel} is not in the test bed", where="xen")
        self.put(f"{guest.name}.cfg", guest.config().encode())
        self.shell.run(f"rm -f /var/log/xen/console/guest-{guest.name}.log")
        flags = "-q -p" if paused else "-q"
        status, said = self.shell.run(f"xl -f create {flags} /guests/{guest.name}.cfg </dev/null", 120)
        if status:
            raise Problem(f"xl create {guest.name} failed: {said.strip()}", where="xen")

    def reason(self, name: str) -> str | None:
        """Why the domain shut down; None while it runs. A vanished one counts as poweroff."""
        status, said = self.shell.run(f"xl list -v {name}")
        if status:
            return "poweroff"
        return shutdown_reason(said)

    def console(self, name: str) -> str:
        return self.get(f"/var/log/xen/console/guest-{name}.log").decode("utf-8", "replace")

    def wait(self, name: str, seconds: float, mark: str = "", period: float = 0.3) -> Outcome:
        """Until the guest has ended, or its console holds `mark`, or time is up. Each look is
        work for dom0, which a guest that measures had better not share the processor with.
        xenconsoled takes what a guest says before it logs it: a guest's last words are those
        that are the same at a second look."""
        deadline = time.monotonic() + seconds
        said = None
        while True:
            reason = self.reason(name)
            console = self.console(name)
            ended = reason and console == said
            if ended or (mark and mark in console) or time.monotonic() > deadline:
                return Outcome(console.replace("\r\n", "\n"), reason)
            said = console if reason else None
            time.sleep(period)

    def destroy(self, name: str) -> None:
        self.shell.run(f"xl destroy {name}")

    def run(self, guest: Guest, seconds: float = 60, mark: str = "") -> Outcome:
        """Create, wait, destroy."""
        self.create(guest)
        try:
            return self.wait(guest.name, seconds, mark)
        finally:
            self.destroy(guest.name)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="+", type=pathlib.Path, help="PVH images, run one after another")
    parser.add_argument("--memory", type=int, default=32, metavar="MIB", help="of each guest")
    parser.add_argument("--cmdline", default="", help="of each guest")
    parser.add_argument("--seconds", type=float, default=60, help="how long each may run")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")


def command(options: argparse.Namespace) -> int:
    """`osmosis xen IMAGE...`: guests on real Xen; status 0 when each powered off by itself."""
    why = missing()
    if why:
        raise Problem(why, "run `make deps`")
    images = {path.name: paths.need(path).read_bytes() for path in options.image}
    outcomes = {}
    with Testbed(images) as bed:
        for name in images:
            guest = Guest(name.replace(".", "-"), name, options.memory, options.cmdline)
            outcomes[name] = bed.run(guest, options.seconds)
            if not options.json:
                print(f"--- {name}: {outcomes[name].reason or 'still running'}\n{outcomes[name].console}")
    if options.json:
        print(json.dumps({name: dataclasses.asdict(o) for name, o in outcomes.items()}, indent=1))
    return 0 if all(o.reason == "poweroff" for o in outcomes.values()) else 1


def shutdown_reason(listing: str) -> str | None:
    """From `xl list -v`: the state column has `s` or `c`, then times, UUID and the code."""
    rows = [line.split() for line in listing.strip().splitlines()[1:]]
    if not rows or len(rows[-1]) < 7:
        return None
    state, code = rows[-1][4], rows[-1][7] if len(rows[-1]) > 7 else "-"
    if not re.search("[sc]", state):
        return None
    return REASONS[int(code)] if code.isdigit() and int(code) < len(REASONS) else "shutdown"
