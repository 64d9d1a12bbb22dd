# SPDX-License-Identifier: BSD-2-Clause
"""Campaigns in the simulator: `osmosis experiment FILE --where simulator`.

build/campaign (guest/machine/campaign) has many nodes in one process of the host: our kernel, network and
media, and scripts in the place of programs. It takes a cluster file's nodes, media, programs and faults by
lines, and judges each run itself. What it cannot play is refused, with the way out.
"""

import dataclasses
import itertools
import re
import subprocess
from collections.abc import Iterator, Sequence
from types import TracebackType

from osmo import abi, invariants, judge, paths, plan, result, run, units
from osmo.cluster import Cluster, Node
from osmo.collect import Event
from osmo.errors import Problem
from osmo.faults import KINDS, STROBE, Fault, step_command, strobe_steps
from osmo.history import History, Life
from osmo.ledger import Ledger
from osmo.words import moment

CLOCK = "simulator"
PLAYED = ("crash", "restart", "pause", "kill", "skew", "strobe", "drift", "unplug")
FOREVER = 1 << 62
AT_ONCE = 16  # runs asked for before their answers are read: they fit into the pipe
EXPECTED = "expected"
ENDING = "ending"
WRONG = re.compile(r"line \d+: (.*)")


@dataclasses.dataclass
class Run:
    """What came of one seed."""

    seed: int
    virtual_ns: int
    records: int
    messages: int
    digest: str
    checked: dict[str, int]
    broken: dict[str, int]
    missed: int
    why: list[str]
    stopped: bool = False

    @property
    def ok(self) -> bool:
        return not (self.stopped or self.missed or any(self.broken.values()))


def refuse(cluster: Cluster, what: str, remedy: str) -> Problem:
    return Problem(f"the simulator cannot play {what}", f"{remedy}, or leave out --where simulator",
                   cluster.path)


def check(cluster: Cluster) -> None:
    """A Problem about the first thing that the simulator has not got."""
    if cluster.first != 1:
        raise refuse(cluster, "a cluster that begins with another machine than 1", "leave out first")
    for medium in cluster.media:
        if medium.direct or medium.outside:
            raise refuse(cluster, f"media.{medium.name}, which is direct or leads outside",
                         "take an ordinary medium")
    for node in cluster.nodes:
        _check_node(cluster, node)
    if cluster.until and cluster.until.split()[0] != "exit":
        raise refuse(cluster, f"until = \"{cluster.until}\"", "say `exit NODE`")
    for fault in cluster.faults:
        _check_fault(cluster, fault)
    for do in (cluster.random or {}).get("kinds", []):
        word = do.split()[0]
        if KINDS[word].target != "medium" and word not in PLAYED:
            raise refuse(cluster, f"`{do}` of random.kinds", "take another fault")


def _check_node(cluster: Cluster, node: Node) -> None:
    if node.machine != "x86" or node.image or node.kernel:
        raise refuse(cluster, f"nodes.{node.name}, which is no DEMOS node of machine x86", "leave it out")
    if node.disks:
        raise refuse(cluster, f"the disks of nodes.{node.name}", "leave out disk")
    if not node.media:
        raise refuse(cluster, f"nodes.{node.name}, which is on no medium", "give it one")


def _check_fault(cluster: Cluster, fault: Fault) -> None:
    word = fault.do.split()[0]
    if "\t" in fault.after:
        raise refuse(cluster, f"a fault after {fault.after!r}", "wait for a part of that line")
    if fault.after.startswith("store "):
        raise refuse(cluster, f"a fault after {fault.after!r}", "it has no store")
    if fault.target != "medium" and (word not in PLAYED or fault.name not in {n.name for n in cluster.nodes}):
        raise refuse(cluster, f"`{fault.do}` of {fault.target} {fault.name}", "take another fault")


def _lasts(fault: Fault) -> str:
    """How long it disturbs the network, once it has begun."""
    return str(judge.calm_after([fault], FOREVER, {fault: 0})) if fault.do.split()[0] in judge.OUTAGES else "-"


def _awaited(fault: Fault) -> str:
    at = moment(fault.after)
    return f"trace {at.node} {at.type} {at.count} {'any' if at.a is None else at.a}" if at else fault.after


def _begin(fault: Fault) -> list[str]:
    """`kill` has no store to go through here."""
    words = fault.do.split()
    if words[0] == "kill":
        return [f"kill {fault.name} {' '.join(words[1:])}"]
    return fault.kind.begin(fault.name, words)


def _event_lines(cluster: Cluster, faults: Sequence[Fault]) -> Iterator[str]:
    """Plan lines with their times in ns, or with what they wait for."""
    for fault in faults:
        _check_fault(cluster, fault)
        if fault.do.split()[0] == STROBE:
            yield from (f"at {ns} {step_command(fault.name, step)}"
                        for ns, step in strobe_steps(fault.do.split(), fault.at_ns or 0, fault.for_ns or 0))
            continue
        when = f"when {_lasts(fault)} {_awaited(fault)}\t" if fault.after else f"at {fault.at_ns or 0} "
        yield from (when + command for command in _begin(fault))
        if fault.for_ns is not None:
            over = (fault.at_ns or 0) + fault.for_ns
            yield from (f"at {over} {command}" for command in fault.kind.end(fault.name, fault.do.split()))


def cluster_lines(cluster: Cluster) -> Iterator[str]:
    """Everything but faults, and how long it is."""
    compiler = plan.Compiler(cluster)
    for medium in cluster.carried():
        yield f"medium {compiler.medium_words(medium)}"
    for node in cluster.nodes:
        ways = " ".join(f"{name}={node.mac(at)}" for at, name in enumerate(node.media))
        yield f"node {node.name} {ways}"
    for node in cluster.nodes:
        for line in compiler.boot_list(node):
            yield f"program {node.name} {line}"
    for name, text in cluster.expect.output.items():
        yield f"expect output {name} {text}"
    for name, reason in cluster.expect.exit.items():
        yield f"expect exit {name} {reason}"
    if cluster.until:
        yield f"until {cluster.until.split()[1]}"
    yield f"heal {cluster.expect.heal_ns}"
    yield "own"


def setting_lines(cluster: Cluster, faults: Sequence[Fault], length: int) -> Iterator[str]:
    """How long a run is, and its faults."""
    yield f"end {length}"
    yield f"calm {judge.calm_after(list(faults), length)}"
    yield from _event_lines(cluster, faults)


class Simulator:
    """One process that runs one cluster as often as asked."""

    def __init__(self, cluster: Cluster) -> None:
        check(cluster)
        program = paths.need(paths.build() / "campaign")
        self.cluster = cluster
        self.process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self._say(cluster_lines(cluster))

    def __enter__(self) -> "Simulator":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def _say(self, lines: Iterator[str]) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write("".join(f"{line}\n" for line in lines))
            self.process.stdin.flush()
        except BrokenPipeError:
            self._gone()

    def _gone(self) -> None:
        """It has ended, which it does where it cannot play something; its last line says why."""
        said = self.process.communicate()[1].strip().splitlines()
        match = WRONG.fullmatch(said[-1]) if said else None
        if match:
            raise refuse(self.cluster, match[1], "take that out")
        raise Problem(f"the simulator ended: {said[-1] if said else self.process.returncode}")

    def _answer(self) -> Run:
        """One run's lines."""
        assert self.process.stdout
        why: list[str] = []
        for line in self.process.stdout:
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "run":
                return _read(rest.split(), why)
            why.append(rest.partition(" ")[2])
        self._gone()
        raise AssertionError

    def one(self, seed: int, faults: Sequence[Fault], length: int) -> Run:
        """One seed with these faults and not its own."""
        self._say(itertools.chain(setting_lines(self.cluster, faults, length), [f"run {seed}"]))
        return self._answer()

    def many(self, seeds: Sequence[int], length: int) -> Iterator[Run]:
        """Each seed with the faults it draws. Runs are asked for ahead, but not so many that both sides wait."""
        fixed = self.cluster.all_faults(0)
        same = None if self.cluster.random else list(setting_lines(self.cluster, fixed, length))
        for at in range(0, len(seeds), AT_ONCE):
            some = seeds[at:at + AT_ONCE]
            lines: list[str] = []
            for seed in some:
                lines += same or setting_lines(self.cluster, self.cluster.all_faults(seed), length)
                lines.append(f"run {seed}")
            self._say(iter(lines))
            for _ in some:
                yield self._answer()

    def consoles(self) -> dict[str, str]:
        """What each node's console showed in the run before."""
        assert self.process.stdout
        self._say(iter(["consoles"]))
        out = {}
        for _ in self.cluster.nodes:
            _, name, _, size = self.process.stdout.readline().split()
            out[name] = self.process.stdout.read(int(size))
        return out

    def traced(self, seed: int, faults: Sequence[Fault], length: int) -> tuple[Run, invariants.Case]:
        """One run, and its whole trace as the harness's own checks see one."""
        assert self.process.stdout
        self._say(itertools.chain(setting_lines(self.cluster, faults, length), [f"trace {seed}"]))
        events: list[Event] = []
        records: list[abi.Record] = []
        domids: dict[int, int] = {}
        names = {n.number: n.name for n in self.cluster.nodes}
        lives: list[Life] = []
        why: list[str] = []
        waiting = [f for f in faults if f.after for _ in _begin(f)]
        begun: dict[Fault, int] = {}
        for line in self.process.stdout:
            kind, *words = line.split()
            if kind == "run":
                got = _read(words, why)
                break
            if kind == "why":
                why.append(" ".join(words[1:]))
            if kind == "start":
                domids[int(words[1])] = len(lives)
                lives.append(Life(names[int(words[1])], int(words[1]), int(words[0]), None))
            elif kind == "fired":
                begun[waiting[int(words[1])]] = int(words[0])
            elif kind == "stop":
                at = domids[int(words[1])]
                lives[at] = dataclasses.replace(lives[at], end_ns=int(words[0]), reason=words[2])
            elif kind == "record":
                ns, number, machine, who, a, b = map(int, words)
                # Each life is a domain of its own.
                records.append(abi.Record(ns, number, domids.get(machine, 0xFFFF), who, a, b))
        told = History(b"".join(r.pack() for r in records), lives, {n: n for n in range(len(lives))})
        calm = judge.calm_after(list(faults), length, begun)
        return got, invariants.Case(told, Ledger(told), events, set(), calm, got.virtual_ns,
                                    self.cluster.expect.heal_ns)


def _read(words: list[str], why: list[str]) -> Run:
    counts = {name: value.split("/") for name, value in (w.split("=") for w in words[5:-1])}
    return Run(int(words[0]), int(words[1]), int(words[2]), int(words[3]), words[4],
               {name: int(c[0]) for name, c in counts.items()},
               {name: int(c[1]) for name, c in counts.items()}, int(words[-1]), why,
               any(w.startswith("stopped ") for w in why))


def broken(cluster: Cluster, one: Run) -> list[str]:
    """The invariants that the cluster file asks for, and its expectations."""
    names = cluster.expect.invariants or list(one.broken)
    out = [name for name, count in one.broken.items() if count and name in names]
    out += [EXPECTED] if one.missed else []
    return out or ([ENDING] if one.stopped else [])


def outcome(cluster: Cluster, one: Run) -> result.Result:
    """As a run in a machine has it, for shrinking."""
    names = cluster.expect.invariants or list(one.broken)
    out = result.Result(name=cluster.name, cluster=cluster.path, seed=one.seed, clock=CLOCK)
    out.invariants = {n: {"checked": one.checked[n], "broken": one.broken[n], "first": []} for n in names}
    out.expected = [{"ok": not one.missed}]
    out.digests, out.virtual_ns = {"trace": one.digest}, one.virtual_ns
    out.ok = not broken(cluster, one)
    out.error = "\n".join(one.why)
    return out


class Bench:
    """What one worker plays on: a simulator, kept as long as the cluster stays."""

    def __init__(self) -> None:
        self.simulator: Simulator | None = None

    def of(self, cluster: Cluster) -> Simulator:
        if self.simulator is None or self.simulator.cluster != cluster:
            self.close()
            self.simulator = Simulator(cluster)
        return self.simulator

    def run(self, cluster: Cluster, options: run.Options) -> result.Result:
        """A Runner of experiment.py: one seed, with the faults that the options name."""
        seed = cluster.seed if options.seed is None else options.seed
        faults = cluster.all_faults(seed) if options.faults is None else options.faults
        length = options.for_ns or cluster.for_ns
        return outcome(cluster, self.of(cluster).one(seed, faults, length))

    def close(self) -> None:
        if self.simulator:
            self.simulator.close()
        self.simulator = None


def speed(runs: int, records: int, messages: int, virtual_ns: int, cpu_s: float) -> str:
    """Figures of a whole campaign in words. An idle hour costs nothing: so events and messages, too."""
    each = cpu_s or 1e-9
    return (f"{runs * 60 / each:,.0f} a minute of a processor, {virtual_ns / 1e9 / each:,.0f} simulated seconds a "
            f"second of it, {records / each:,.0f} records and {messages / each:,.0f} messages a second "
            f"({units.short_time(virtual_ns)} in all)")
