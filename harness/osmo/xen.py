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

from osmo import arguments, debian, dom0, paths, vmlinux
from osmo.errors import Problem
from osmo.qemu import Qemu, Setup

# MONITOR gives #GP in Xen's idle loop under QEMU; SMAP and SMEP kill dom0 early. With XSAVE and AVX,
# programs of a guest's Linux go wrong: what AVX registers hold gets lost where Xen changes domains.
CPU = "EPYC,+svm,+npt,-smap,-smep,-monitor,-xsave,-avx,-avx2,-f16c,-fma"
XEN_LINE = "console=com1 com1=115200,8n1 cpuidle=0 sched=credit dom0_mem=900M dom0_max_vcpus=1 " \
           "guest_loglvl=all loglvl=error"
DOM0_LINE = "console=hvc0 quiet loglevel=3 mitigations=off"
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
            raise Problem(dom0.missing(), "run `make deps`")
        archive = dom0.archive()
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
            raise Problem(f"{name} came garbled from dom0: {text[:300]!r}", where="xen") from None

    def create(self, guest: Guest, paused: bool = False) -> None:
        if guest.kernel not in self.have:
            raise Problem(f"image {guest.kernel} is not in the test bed", where="xen")
        self.create_as(guest.name, guest.config(), paused)

    def create_as(self, name: str, config: str, paused: bool = False) -> None:
        """By the text of a configuration file, whose files are there."""
        self.put(f"{name}.cfg", config.encode())
        self.shell.run(f"rm -f /var/log/xen/console/guest-{name}.log")
        command = f"xl -f create {'-q -p' if paused else '-q'} /guests/{name}.cfg </dev/null"
        deadline = time.monotonic() + 30
        status, said = self.shell.run(command, 120)
        # What an earlier domain had, its name and its memory, may come back after it has gone.
        while status and re.search("exists|memory", said) and time.monotonic() < deadline:
            time.sleep(1)
            status, said = self.shell.run(command, 120)
        if status:
            raise Problem(f"xl create {name} failed: {said.strip()}", where="xen")

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
        said, looks = None, 0
        while True:
            console, looks = self.console(name), looks + 1
            over = time.monotonic() > deadline or bool(mark) and mark in console
            # `xl` costs dom0 a second or so: where there is a mark, it tells sooner how things are.
            reason = self.reason(name) if over or not mark or looks % 4 == 0 else None
            if over or reason and console == said:
                return Outcome(console.replace("\r\n", "\n"), reason)
            said = console if reason else None
            time.sleep(period)

    def destroy(self, name: str, seconds: float = 60) -> None:
        """Until its name is free again: a domain keeps it while Linux's back ends let go of its memory."""
        deadline = time.monotonic() + seconds
        self.shell.run(f"xl destroy {name}")
        while self.shell.run(f"xl domid {name}")[0] == 0:
            if time.monotonic() > deadline:
                raise Problem(f"{name} is still there {seconds:.0f} s after `xl destroy`", where="xen")
            time.sleep(0.3)
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
    parser.add_argument("--memory", type=arguments.whole(1, 10**6), default=32, metavar="MIB",
                        help="of each guest")
    parser.add_argument("--cmdline", default="", help="of each guest")
    parser.add_argument("--seconds", type=arguments.seconds, default=60, help="how long each may run")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")


def command(options: argparse.Namespace) -> int:
    """`osmosis xen IMAGE...`: guests on real Xen; status 0 when each powered off by itself."""
    why = dom0.missing()
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
