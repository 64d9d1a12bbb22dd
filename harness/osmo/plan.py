# SPDX-License-Identifier: BSD-2-Clause
"""From a cluster to a plan: the control domain's command language, version 1, and the modules.

guest/control/README.md has the grammar. A plan is text, and everything random in it has been
drawn: it is what a run can be repeated from, and what shrinking works on.
"""

import dataclasses
import hashlib
import pathlib
import re

from osmo import disks, linux, media_words, outside, paths, units, vmlinux
from osmo.cluster import Cluster, Medium, Node
from osmo.cpio import Archive
from osmo.errors import Problem
from osmo.faults import Fault
from osmo.result import FORMATS
from osmo.types import watch_bit
from osmo.words import condition, moment, quoted

IMAGES = {"x86": "node", "z8000": "z8000"}
ELSEWHERE = re.compile(r"(?<!\S)(\+[^\s@]+@)(\S+)")
TRACE_PAGES = 64
DISK_TRACE_PAGES = 8
LINE_MOST = 4000  # guest/control/words.h
LINUX_CMDLINE = "console=hvc0 quiet panic=-1"


@dataclasses.dataclass
class Plan:
    """The text, and what must be loaded with it: module name to file or bytes."""

    text: str
    modules: dict[str, pathlib.Path | bytes]

    def files(self, directory: pathlib.Path) -> list[tuple[pathlib.Path, str]]:
        """Boot modules as QEMU takes them. A module's name is its file's: what is called
        otherwise gets a link in `directory`, and what was made is written there."""
        out = []
        for name, content in self.modules.items():
            path = directory / name
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif content.name == name:
                path = content
            else:
                path.symlink_to(paths.need(content).resolve())
            out.append((paths.need(path), ""))
        return out

    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Start:
    """What a node's domain is started with, files by their names in the plan's modules."""

    image: str
    cmdline: str
    module: str  # "": none


def bundle(programs: dict[str, bytes], boot: list[str], pages: bool = False) -> bytes:
    """The archive a DEMOS node starts from: its programs and its boot list. With `pages` a node that has
    page tables need not copy them."""
    archive = Archive()
    archive.file("boot", "".join(line + "\n" for line in boot).encode())
    for name, data in programs.items():
        archive.program(name, data)
    return archive.pack(pages)


def program_name(line: str) -> str | None:
    """Which program a boot-list line starts; None for `wait` and comments."""
    words = [w for w in line.split("#", 1)[0].split() if w[0] not in "+="]
    return words[0] if words and words[0] != "wait" else None


def programs_named(line: str, folder: pathlib.Path, suffix: str = "") -> list[str]:
    """The program that a boot-list line starts, and those its arguments may mean."""
    first = program_name(line)
    rest = line.split("#", 1)[0].split()
    return [first, *(w for w in rest if paths.there(folder / f"{w}{suffix}"))] if first else []


def program_file(path: pathlib.Path, where: str) -> pathlib.Path:
    if not paths.there(path):
        known = sorted(p.stem for p in path.parent.glob(f"*{path.suffix}") if p.is_file() and
                       p.suffix == path.suffix)
        raise Problem(f"program `{path.stem}` does not exist",
                      f"known: {', '.join(known) or 'none, run `make deps` and `make`'}", where)
    return path


def programs_of(node: Node) -> tuple[pathlib.Path, str, str]:
    """Where a node's programs are, what their names end with, and the one that each node needs."""
    if node.machine == "z8000":
        return paths.build() / "z8000" / "demos", ".bin", "trap"
    return paths.build() / "programs", "", "init"


def node_program(path: pathlib.Path) -> bool:
    """What a node could start: an ELF file, or a Z8000's image, which begins by no mark."""
    with path.open("rb") as file:
        return path.suffix == ".bin" or file.read(4) == b"\x7fELF"


def replaced(line: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        line = line.replace(word, value)
    return line


class Compiler:
    """One compilation; modules are collected as the lines need them."""

    def __init__(self, cluster: Cluster, clock: str | None = None) -> None:
        self.cluster = cluster
        self.clock = clock or cluster.clock
        self.modules: dict[str, pathlib.Path | bytes] = {}
        self.stops: dict[str, int] = {}

    def plan(self, faults: list[Fault], for_ns: int) -> Plan:
        self._stopping([f.after for f in faults] + [self.cluster.until])
        lines = [f"# osmosis plan, version {FORMATS['plan']}: {quoted(self.cluster.name)}"]
        lines += self._fabric(self.cluster.trace or bool(faults))
        lines += self._disks()
        for node in self.cluster.nodes:
            lines += self._create(node)
        for node in self.cluster.nodes:
            lines += self._devices(node)
        lines += [f"start {node.name}" for node in self.cluster.nodes]
        for fault in faults:
            lines += fault.lines()
        if self.cluster.until:
            lines.append(f"when {condition(self.cluster.until)} finish status=0 {quoted(self.cluster.until)}")
        # A moment before the end, which may be one at which a node does something.
        lines += [f"at {units.show_time(max(0, for_ns - 1))} digest {n.name}" for n in self.cluster.nodes
                  if n.bystander]
        lines.append(f"at {units.show_time(for_ns)} finish status=0 {quoted('time is up')}")
        for line in lines:
            if len(line.encode()) > LINE_MOST:
                raise Problem(f"a line of the plan has more than {LINE_MOST} bytes: {line[:40]}...",
                              "say less: command lines, conditions and disks stand in it", self.cluster.path)
        return Plan("\n".join(lines) + "\n", self.modules)

    def _stopping(self, conditions: list[str]) -> None:
        """Records at which a node stands still until the plan has been acted on."""
        for at in map(moment, filter(None, conditions)):
            if at:
                self.stops[at.node] = self.stops.get(at.node, 0) | watch_bit(at.type)

    def _disks(self) -> list[str]:
        """The disk domain: each disk is a module's content or so many bytes."""
        every = [d for n in self.cluster.nodes for d in n.disks]
        if not every:
            return []
        self.modules["disks"] = paths.image("disks")
        line, writes = f"create disks image=disks mem={units.show_size(disks.memory(self.cluster))}", []
        line += f" cmdline={quoted(f'trace={DISK_TRACE_PAGES}')}" if self.cluster.trace else ""
        for disk in every:
            where = f"/osmosis/disk/{disk.name}"
            writes.append(f"write {where}/name {disk.name}")
            if disk.readonly:
                writes.append(f"write {where}/readonly 1")
            if disk.keep:
                place = disks.function(disks.kept(self.cluster).index(disk))
                line += f" pci={place}"
                writes.append(f"write {where}/pci {place.replace('.', '-')}")
            elif disk.file:
                line += f" module={self._disk_module(disk.file)}:{disk.name}"
                writes.append(f"write {where}/module {disk.name}")
            else:
                writes.append(f"write {where}/bytes {disk.bytes}")
        if line.count(" module=") > disks.FILES_MOST:
            raise Problem(f"{line.count(' module=')} disks from files",
                          f"at most {disks.FILES_MOST}; the others can begin empty, by size =",
                          self.cluster.path)
        return [line, "write /osmosis/disks disks", *writes, "start disks"]

    def _disk_module(self, file: pathlib.Path) -> str:
        """Disks that begin as the same file share its module."""
        name = f"disk-{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]}"
        self.modules[name] = file
        return name

    def _fabric(self, traced: bool) -> list[str]:
        media = self.cluster.carried()
        if not media:
            return []
        self.modules["fabric"] = paths.image("fabric")
        ports = sum(len(self.cluster.attached(m.name)) for m in media)
        ways = outside.media(self.cluster)
        words = f"vifs={ports}" + (f" outside={len(ways)}" if ways else "")
        # What faults did is told by the media's records, which many nodes make by the million.
        words += "" if traced else " trace=0"
        given = f" cmdline={quoted(words)}"
        given += "".join(f" pci={outside.function(n)}" for n in range(len(ways)))
        # Where all nodes have what they touch, it has, too: it keeps much for each, for a day of much traffic.
        given += " overcommit=yes" if all(n.overcommit for n in self.cluster.nodes) and not ways else ""
        lines = [f"create fabric image=fabric mem={16 + ports // 16 + 4 * len(ways)}M{given}"]
        if any(m.capture for m in media):
            lines.append("write /osmosis/capture fabric")
        for number, medium in enumerate(media):
            lines.append(f"write /osmosis/media/{number} {quoted(self.medium_words(medium))}")
        for number, medium in enumerate(ways):
            way = f"{outside.function(number).replace('.', '-')} {medium.name} {outside.PORT}"
            lines.append(f"write /osmosis/outside/{number} {quoted(way)}")
        return [*lines, "start fabric"]

    def medium_words(self, medium: Medium) -> str:
        """As net/fabric reads it."""
        words = [f"name={medium.name}", f"kind={medium.kind}"]
        if medium.rate is not None:
            words.append(f"rate={medium.rate}")
        if medium.latency is not None:
            words.append(f"latency={media_words.duration(medium.latency)}")
        if medium.queue is not None:
            words.append(f"queue={medium.queue}")
        if not medium.capture:
            words.append("capture=no")
        block = medium.block or (linux.BLOCK if linux.on(self.cluster, medium.name) else None)
        if block:
            words.append(f"block={block}")
        if medium.recorder:
            words.append(f"recorder={medium.recorder}")
        return " ".join(words)

    def _create(self, node: Node) -> list[str]:
        start = self.start(node)
        line = [f"create {node.name}", f"image={start.image}", f"mem={units.show_size(node.memory)}"]
        if node.overcommit:
            line.append("overcommit=yes")
        vcpus = node.vcpus(self.clock)
        if vcpus != 1:
            line.append(f"vcpus={vcpus}")
        if node.weight:
            line.append(f"weight={node.weight}")
        if node.cap:
            line.append(f"cap={node.cap}")
        if node.on_crash != "destroy":
            line.append(f"on_crash={node.on_crash}")
        if start.cmdline:
            line.append(f"cmdline={quoted(start.cmdline)}")
        if start.module:
            line.append(f"module={start.module}")
        return [" ".join(line)]

    def start(self, node: Node) -> Start:
        if node.machine in ("linux", "foreign"):
            return self._foreign(node)
        image = node.image or IMAGES[node.machine]
        name = pathlib.PurePath(image).name
        self.modules[name] = self.image(node)
        trace = f"trace={TRACE_PAGES} " if self.cluster.trace else ""
        if node.name in self.stops:
            trace = f"trace={TRACE_PAGES} stop={self.stops[node.name]:#x} "
        cmdline = f"id={node.number} {trace}{node.cmdline}".strip()
        return Start(name, cmdline, self._bundle(node))

    def image(self, node: Node) -> pathlib.Path:
        """What a DEMOS node, or another image of ours, is started from; before it is built, it may be any."""
        path = paths.image(node.image or IMAGES[node.machine])
        ours = path.parent == paths.build() / "images"
        if not paths.there(path) and (not ours or (path.parent / IMAGES["x86"]).is_file()):
            known = sorted(p.name for p in path.parent.glob("*") if not p.suffix and p.is_file()) if ours else []
            raise Problem(f"image {path} does not exist", f"known: {', '.join(known)}" if known else
                          "name an image's file", f"{self.cluster.path}: nodes.{node.name}.image")
        return path

    def _bundle(self, node: Node) -> str:
        """Nodes with the same boot list share one bundle."""
        data = self.boot_files(node)
        name = f"bundle-{hashlib.sha256(data).hexdigest()[:12]}"
        self.modules[name] = data
        return name

    def boot_list(self, node: Node) -> list[str]:
        """The node's lines, with what braces stand for."""
        where = f"{self.cluster.path}: nodes.{node.name}.programs"
        own = {"{name}": node.name, "{number}": str(node.number), "{count}": str(node.count),
               "{nodes}": str(len(self.cluster.nodes))}
        return [self._numbered(replaced(line, own), where) for line in node.programs]

    def boot_files(self, node: Node) -> bytes:
        where = f"{self.cluster.path}: nodes.{node.name}.programs"
        boot = self.boot_list(node)
        folder, suffix, always = programs_of(node)
        files: dict[str, pathlib.Path] = {}
        boot = [self._brought(line, files, where) for line in boot]
        named = [n for line in boot for n in programs_named(line, folder, suffix) if n not in files]
        for n in dict.fromkeys([always, *node.bundle, *named]):
            files[f"{n}{suffix}"] = program_file(folder / f"{n}{suffix}", where)
        return bundle({n: file.read_bytes() for n, file in files.items()}, boot, node.machine != "z8000")

    def _brought(self, line: str, files: dict[str, pathlib.Path], where: str) -> str:
        """A program that is named by a path is brought along, and then goes by its last part."""
        word = program_name(line)
        if not word or "/" not in word:
            return line
        path = pathlib.Path(self.cluster.path).parent / word
        if not paths.there(path):
            raise Problem(f"program {path} does not exist", f"osmosis cc -o {word} FILE.c", where)
        if not node_program(path):
            raise Problem(f"{path} is no program of a DEMOS node", f"osmosis cc -o {word} FILE.c", where)
        if files.setdefault(path.name, path) != path:
            raise Problem(f"two programs of one node are called {path.name}", "name them apart", where)
        return line.replace(word, path.name, 1)

    def _numbered(self, line: str, where: str) -> str:
        """Links on other nodes, +LINK@NODE, name them by number in a boot list."""
        def number(match: re.Match[str]) -> str:
            name = match.group(2)
            found = [n.number for n in self.cluster.nodes if n.name == name]
            if not found and not name.isdigit():
                raise Problem(f"`{match.group(0)}` names no node",
                              f"known: {', '.join(n.name for n in self.cluster.nodes[:12])}", where)
            return f"{match.group(1)}{found[0] if found else name}"
        return ELSEWHERE.sub(number, line)

    def _foreign(self, node: Node) -> Start:
        if node.machine == "linux" and not node.kernel:
            return self._linux(node)
        assert node.kernel
        base = pathlib.Path(self.cluster.path).parent
        kernel = self._file(base / node.kernel, node, "kernel")
        name = f"{node.name}-kernel"
        try:
            data = vmlinux.extract(kernel.read_bytes())
        except Problem as problem:
            raise Problem(f"{kernel}: {problem.what}", problem.remedy or "name a kernel that PVH starts",
                          f"{self.cluster.path}: nodes.{node.name}.kernel") from None
        self.modules[name] = data if data[:4] != kernel.read_bytes()[:4] else kernel
        initrd = f"{node.name}-initrd" if node.initrd else ""
        if node.initrd:
            self.modules[initrd] = self._file(base / node.initrd, node, "initrd")
        return Start(name, node.cmdline, initrd)

    def _file(self, path: pathlib.Path, node: Node, key: str) -> pathlib.Path:
        if not paths.there(path):
            raise Problem(f"{path} does not exist", "name a file, relative to the cluster file",
                          f"{self.cluster.path}: nodes.{node.name}.{key}")
        return path

    def _linux(self, node: Node) -> Start:
        from osmo import debian
        kernel = debian.kernel()
        if kernel is None:
            raise Problem("no Debian Linux kernel is here", "run `make deps`", f"nodes.{node.name}")
        self.modules["linux"] = vmlinux.extracted(kernel)
        initrd = f"{node.name}-initrd" if linux.hosts(node) else "linux-initrd"
        self.modules[initrd] = linux.initrd(self.boot_files(node) if linux.hosts(node) else None)
        cmdline = f"{LINUX_CMDLINE} osmosis.number={node.number} {node.cmdline}".strip()
        return Start("linux", cmdline, initrd)

    def _devices(self, node: Node) -> list[str]:
        lines = [disks.device_line(node.name, number, disk.name, disk.readonly)
                 for number, disk in enumerate(node.disks)]
        fronts = [m for m in map(self.cluster.medium, node.media) if not m.direct or self._ends(m)[0] is node]
        return lines + [self._vif(node, device, medium) for device, medium in enumerate(fronts)]

    def _ends(self, medium: Medium) -> tuple[Node, Node]:
        """One ring: the first node named is its front, the second its back."""
        front, back = self.cluster.attached(medium.name)
        return front, back

    def _vif(self, node: Node, device: int, medium: Medium) -> str:
        mac = node.mac(node.media.index(medium.name))
        if medium.direct:
            back = self._ends(medium)[1]
            return (f"device vif {node.name} {device} backend={back.name} mac={mac} "
                    f"back.address={back.mac(back.media.index(medium.name))}")
        return (f"device vif {node.name} {device} backend=fabric mac={mac} back.medium={medium.name} "
                f"back.port={node.name}")


def check_programs(cluster: Cluster) -> None:
    """What the nodes are to start is there; where nothing is built there is nothing to ask."""
    compiler = Compiler(cluster)
    for node in cluster.nodes:
        if node.kernel:
            compiler.start(node)
        elif node.machine in IMAGES:
            compiler.image(node)
        folder, suffix, always = programs_of(node)
        if node.programs and (folder / f"{always}{suffix}").is_file():
            compiler.boot_files(node)


def compile_cluster(cluster: Cluster, faults: list[Fault], for_ns: int | None = None,
                    clock: str | None = None) -> Plan:
    """The plan for these faults (already drawn), this length and this clock."""
    return Compiler(cluster, clock).plan(faults, cluster.for_ns if for_ns is None else for_ns)
