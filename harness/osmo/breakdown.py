# SPDX-License-Identifier: BSD-2-Clause
"""Where the instructions of a call go, by what they are for: L36's factors of a delay.

A program calls its other half for ever; QEMU logs every instruction of a while. The log knows
the hypervisor from what runs under it, and processes by their ring. Which image a stretch
between two world switches belongs to is found by where its instructions begin: in another
image linked at the same address most of them would begin in the middle of one.
"""

import bisect
import collections
import dataclasses
import pathlib
import posixpath
import re
import statistics
import subprocess
import time

from osmo import bench, bench_moves, bench_network, cluster, paths, places, qemu, run
from osmo.collect import Collector
from osmo.errors import Problem
from osmo.scratch import Scratch
from osmo.session import Session

STEP = re.compile(rb"\[[0-9a-f]+/([0-9a-f]+)/([0-9a-f]+)/")
GUEST, RING = 1 << 21, 3

# What a function is for, by the folder or file of its source and, where one file does two things, by its name; the
# first that fits counts.
PROGRAM = "guest/programs/"
COPYING = re.compile(r"^(mem(cpy|move|set|cmp)|copy(_\w+)?|zero_wide|user_(copy|large|small)\w*|\w+_copy)$")
ANY = re.compile("")
FACTORS = (
    ("program and its library", (PROGRAM, "guest/lib/"), ANY),
    ("kernel: entry, exit, process switch", ("guest/machine/",), ANY),
    ("kernel: marshalling", ("guest/kernel/message.c",),
     re.compile("^(message_(en|de)code|decode_header|header_valid)")),
    ("kernel: links, queues, delivery", ("guest/kernel/",), ANY),
    ("fabric and medium", ("net/media/", "net/fabric/"), ANY),
    ("network: CRC", ("net/crc32c", "base/crc"), ANY),
    ("network: routing", ("net/route.c", "net/through.c", "net/where.c"), ANY),
    ("network: waiting for acknowledgements", ("net/",), re.compile(
        "^(due_|net_(due|deadline|jitter|overdue)|arrived|overtaken|sample|again|free_out"
        "|peer_(due|rto|timeout|acknowledged|acks|set_acks|ack_items|missing))")),
    ("network: RP", ("net/peer",), ANY),
    ("network: NFSM", ("net/",), ANY),
    ("device rings", ("splitdrv/",), ANY),
    ("events, store and clock of a domain", ("guest/rt/", "guest/control/"), ANY),
    ("hypervisor: exits and domain switches", ("hyp/virt/", "hyp/dom/sched", "hyp/cpu/"), ANY),
    ("hypervisor: grants", ("hyp/dom/grant",), ANY),
    ("hypervisor: events and the rest", ("hyp/",), ANY),
    ("memory and lists", ("base/",), ANY),
    ("other", ("",), ANY),
)
COPY = "copying"
NAMES = (*(name for name, _, _ in FACTORS), COPY)


@dataclasses.dataclass
class Image:
    """Functions of an ELF file by address, with their sources, and where instructions begin."""

    name: str
    at: list[int]
    functions: list[tuple[str, str]]
    starts: set[int]
    does: dict[int, str] = dataclasses.field(default_factory=dict)  # mnemonics by address

    @classmethod
    def of(cls, path: pathlib.Path) -> "Image":
        rows = [line.split() for line in _said("nm", "-n", str(paths.need(path))).splitlines()]
        found = [(int(r[0], 16), r[2]) for r in rows if len(r) == 3 and r[1] in "tT" and not r[2].startswith(".")]
        lines = _said("addr2line", "-e", str(path), *(hex(a) for a, _ in found)).splitlines()
        sources = [posixpath.normpath(line.rsplit(":", 1)[0]) for line in lines]
        listing = _said("objdump", "-d", "--no-show-raw-insn", str(path))
        does = {int(m[1], 16): m[2] for m in re.finditer(r"^ *([0-9a-f]+):\t(\S*)", listing, re.M)}
        return cls(path.name, [a for a, _ in found], list(zip((n for _, n in found), sources)), set(does), does)

    def function(self, address: int) -> tuple[str, str]:
        """Name and source file."""
        i = bisect.bisect_right(self.at, address) - 1
        return self.functions[i] if i >= 0 and address in self.starts else ("?", "")

    def set_apart(self, mnemonics: tuple[str, ...], name: str) -> None:
        """Each such instruction becomes a function of its own, of this name."""
        begins, order = dict(zip(self.at, self.functions)), sorted(self.does)
        for address, after in zip(order, order[1:]):
            if self.does[address] in mnemonics:
                around = self.function(address)
                begins.setdefault(after, around)
                begins[address] = (name, around[1])
        self.at = sorted(begins)
        self.functions = [begins[a] for a in self.at]


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def factor(name: str, source: str) -> str:
    if COPYING.match(name):
        return COPY
    return next(f for f, folders, names in FACTORS if source.startswith(folders) and names.search(name))


@dataclasses.dataclass
class Breakdown:
    """Instructions of one call, by factor and by function; `whole` is what the machine's counter said of a call
    just before, alarms and signs of life and all."""

    calls: int
    factors: dict[str, float]
    functions: dict[str, float]
    whole: float | None = None

    @property
    def total(self) -> float:
        return sum(self.factors.values())


Place = tuple[str, str, str]  # image, function, source
APART = 1.01  # a turn that takes so much more than most had something else in it: an alarm, a node's sign of life


def attribute(log: bytes, host: Image, guests: list[Image], program: Image | None, once: str = "",
              apart: float = APART) -> Breakdown:
    """Folds a log, stretch by stretch and turn by turn of what the program repeats. Without a program a turn
    is a call of the function `once` of one of the guests, and only their number counts."""
    steps = [(int(pc, 16), int(flags, 16)) for pc, flags in STEP.findall(log)]
    times = collections.Counter(a for a, mode in steps if mode & RING and (mode & GUEST or not host.at))
    mark = _mark(times) if program else 0
    turns: list[collections.Counter[Place]] = []
    counts: collections.Counter[Place] = collections.Counter()
    stretch: list[int] = []
    entries = {(g.name, a): 0 for g in guests for a, (name, _) in zip(g.at, g.functions) if name == once}

    def close() -> None:
        if stretch:
            owner = max(guests, key=lambda image: sum(a in image.starts for a in stretch))
            for address in stretch:
                counts[(owner.name, *owner.function(address))] += 1
                if (owner.name, address) in entries:
                    entries[owner.name, address] += 1
            stretch.clear()

    for address, mode in steps:
        if not mode & GUEST and host.at:
            close()
            counts[(host.name, *host.function(address))] += 1
        elif mode & RING and program:
            if address == mark:
                close()
                turns.append(counts)
                counts = collections.Counter()
            counts[(program.name, program.function(address)[0], PROGRAM)] += 1
        else:
            stretch.append(address)
    if program:
        return _folded(turns[1:], apart)  # what came before the first mark is part of a turn
    close()
    if not sum(entries.values()):
        raise Problem(f"{once} was not called while the machine was looked at")
    return _shares(counts, sum(entries.values()))


def _mark(times: collections.Counter[int]) -> int:
    """An instruction of the program that runs once each turn: so do nearly all; what is left of its start
    or belongs to a loop around it hardly ever, and what is in a loop within it more often."""
    often = collections.Counter(times.values())
    turns = max(often, key=lambda n: n * often[n], default=0)
    if turns < 2:
        raise Problem("no call was seen while the machine was looked at")
    return min(address for address, n in times.items() if n == turns)


def _folded(turns: list[collections.Counter[Place]], apart: float) -> Breakdown:
    usual = statistics.median(sum(turn.values()) for turn in turns)
    kept = [turn for turn in turns if sum(turn.values()) <= apart * usual]
    return _shares(sum(kept, collections.Counter()), len(kept))


def _shares(counts: collections.Counter[Place], calls: int) -> Breakdown:
    factors: dict[str, float] = {}
    functions: dict[str, float] = {}
    for (image, name, source), n in counts.items():
        kind = factor(name, source)
        factors[kind] = factors.get(kind, 0.0) + n / calls
        functions[f"{image}: {name}"] = functions.get(f"{image}: {name}", 0.0) + n / calls
    return Breakdown(calls, factors, functions)


def logged(machine: qemu.Qemu, size: int) -> bytes:
    """What a machine executes for a while, instruction by instruction: at least `size` bytes of log
    (some 70 for each), however busy the host is."""
    log, until = machine.directory / "executed", time.monotonic() + 120
    log.unlink(missing_ok=True)  # of an earlier look
    machine.stop()
    machine.monitor.human("singlestep on")
    machine.monitor.human("logfile executed")
    machine.monitor.human("log exec,nochain")
    machine.resume()
    while not log.is_file() or log.stat().st_size < size:
        if time.monotonic() > until or not machine.alive():
            raise Problem("the machine hardly executes anything")
        time.sleep(0.02)
    machine.stop()
    machine.monitor.human("log none")
    machine.monitor.human("singlestep off")
    return log.read_bytes()


def _nodes() -> list[Image]:
    return [Image.of(paths.image(name)) for name in ("node", "fabric", "control")]


def _program(name: str = "compare") -> Image:
    return Image.of(paths.build() / "programs" / name)


def remote(size: int) -> Breakdown:
    """A call of `size` bytes each way to a process on another node, on Osmosis."""
    text = places.CLUSTER.format(clock="count", length="600s", line=f"+kernel +machine compare repeat {size}")
    log, said = _repeated(text, "a")
    return _counted(attribute(log, _hypervisor(), _nodes(), _program()), said)


def _counted(found: Breakdown, console: str) -> Breakdown:
    """With the whole, if the program has measured what it repeats."""
    rows = bench.json_rows(console, "")
    return dataclasses.replace(found, whole=rows[-1].I if rows else None)


def packet() -> Breakdown:
    """A packet of 64 bytes from ring to ring, over the fabric."""
    guests = [Image.of(paths.image(name)) for name in ("netflood", "fabric", "control")]
    log, _ = _repeated(bench_network.flood("count=0"), "n1")
    return attribute(log, _hypervisor(), guests, None, "fabric_take")


def block() -> Breakdown:
    """A block of the memory of a process that moves, on its way, by what arrives."""
    there = bench_moves.NODE.format("a", '["+kernel +machine movebench 2 repeat 1"]')
    text = bench_moves.HEAD.format("600s") + there + bench_moves.NODE.format("b", '["movebench host"]')
    log, _ = _repeated(text, "a", 400 << 20)
    return attribute(log, _hypervisor(), _nodes(), None, "bulk_data")


def _hypervisor() -> Image:
    return Image.of(paths.build() / "hyp" / "osmosis.64")


def _repeated(text: str, node: str, size: int = 48 << 20) -> tuple[bytes, str]:
    """What a cluster executes once this node has said that it repeats something; all that the node has said."""
    with Scratch() as scratch:
        prepared = run.prepare(cluster.parse(text, "breakdown"), run.Options(clock="count"), scratch)
        prepared.setup.shift = 0
        with qemu.Qemu(prepared.setup) as machine:
            session = Session(machine, Collector(), True)
            ending = session.ready()
            until = time.monotonic() + 60
            while ending is None and "repeating" not in session.collector.text(node):
                ending = session.poll()
                if time.monotonic() > until:
                    raise Problem("the calls did not begin within a minute")
                time.sleep(0.05)
            if ending:
                raise Problem(f"the run ended: {ending.reason}")
            return logged(machine, size), session.collector.text(node)


def local(size: int) -> Breakdown:
    """The same to a process on the same node, on the bare machine."""
    return native("compare", str(size))


def native(program: str, what: str) -> Breakdown:
    """What `program` repeats on the bare machine."""
    with Scratch() as scratch:
        module = scratch / "bundle"
        module.write_bytes(places.bundle(f"+kernel +machine {program} repeat {what}", program))
        setup = qemu.Setup(kernel=paths.image("node"), modules=[(module, "")], memory_mib=256, shift=0)
        with qemu.Qemu(setup) as machine:
            until = time.monotonic() + 60
            while "repeating" not in machine.serial():
                if time.monotonic() > until or not machine.alive():
                    raise Problem("the calls did not begin within a minute")
                time.sleep(0.05)
            log, said = logged(machine, 8 << 20), machine.serial()
    found = attribute(log, Image("none", [], [], set()), [Image.of(paths.image("node"))], _program(program))
    return _counted(found, said)
