# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis run CLUSTER`: one run from file to verdict, live or headless."""

import argparse
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator

from osmo import arguments
from osmo import cluster as clusters
from osmo import bystanders, disks, doctor, judge, outside, paths, plan, qemu, result, schema, units
from osmo.cluster import Cluster
from osmo.collect import Collector
from osmo.errors import Problem
from osmo.faults import Fault
from osmo.progress import Progress, draws
from osmo.scratch import Scratch
from osmo.session import Ending, Session

CONSOLE = "console"


@dataclasses.dataclass
class Options:
    """How to run; None means what the cluster file says."""

    clock: str | None = None
    seed: int | None = None
    for_ns: int | None = None
    cpus: int | None = None
    machine: str = "q35"
    kvm: bool | None = None
    patience: float = 60.0
    deadline: float = 3600.0
    faults: list[Fault] | None = None
    attended: bool = False
    counts: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Prepared:
    """All that a run is decided by."""

    cluster: Cluster
    plan: plan.Plan
    faults: list[Fault]
    seed: int
    clock: str
    setup: qemu.Setup
    options: Options

    @property
    def seeded(self) -> bool:
        return self.clock != "real"

    @property
    def machine(self) -> str:
        return machine_words(self.setup.kvm, self.clock, self.options)


@dataclasses.dataclass
class Outcome:
    collector: Collector
    ending: Ending
    result: result.Result
    prepared: Prepared
    images: dict[str, disks.Image] = dataclasses.field(default_factory=dict)


def choose_clock(cluster: Cluster, options: Options) -> tuple[str, int, bool]:
    """Clock, processors and KVM; a Problem where they do not go together."""
    clock = options.clock or cluster.clock
    cpus = options.cpus or cluster.cpus
    kvm = options.kvm
    if clock == "count" and kvm:
        raise Problem("clock `count` needs TCG: it counts the emulator's instructions",
                      "leave --kvm out, or say --clock real or event")
    if clock == "count" and cpus != 1:
        raise Problem(f"clock `count` runs on one processor, not {cpus}", "say --cpus 1, or --clock real")
    trouble = qemu.without_kvm()
    if kvm and trouble:
        raise Problem(f"KVM here gives guests no SVM: {trouble}", "leave --kvm out; QEMU emulates it")
    return clock, cpus, bool(kvm) if kvm is not None else clock != "count" and not trouble


def machine_words(kvm: bool, clock: str, options: Options) -> str:
    """By what QEMU runs the machine, and why by that."""
    if options.kvm is not None:
        why = "as asked for"
    elif kvm:
        why = "this host's KVM gives guests SVM"
    else:
        why = "clock `count` counts the emulator's instructions" if clock == "count" else qemu.without_kvm()
    return f"{'KVM' if kvm else 'TCG'}, {why}"


def prepare(cluster: Cluster, options: Options, directory: pathlib.Path) -> Prepared:
    """Compiles the plan and decides the machine; made modules are written to `directory`."""
    clock, cpus, kvm = choose_clock(cluster, options)
    seed = cluster.seed if options.seed is None else options.seed
    faults = cluster.all_faults(seed) if options.faults is None else options.faults
    made = plan.compile_cluster(cluster, faults, options.for_ns, clock)
    modules = [(paths.need(paths.image("control")), ""), *made.files(directory)]
    append = f"clock={clock}"
    if clusters.control_memory(cluster):
        append += f" dom0_mem={clusters.control_memory(cluster)}M"
    if clock != "real":
        # As a module, the plan is there from the first instruction: nothing that the host
        # does at its own time, such as handing it over, can show in the run.
        (directory / "plan").write_text(made.text)
        modules.append((directory / "plan", ""))
        append += f" seed={seed}"
    if clock != "real" and clusters.network(cluster):
        # The ring of a seeded run holds all it says: nobody empties it on the way.
        append += f" output={clusters.NETWORK_OUTPUT}M"
    setup = qemu.Setup(
        kernel=paths.need(paths.hypervisor()), append=append, modules=modules,
        memory_mib=clusters.machine_memory(cluster), cpus=cpus, clock=clock, seed=seed,
        machine=options.machine, kvm=kvm, second_serial=options.attended and clock == "real",
        drives=disks.drives(cluster, clock), extra=outside.arguments(cluster, clock, options.machine))
    return Prepared(cluster, made, faults, seed, clock, setup, options)


def images_digest(setup: qemu.Setup) -> dict[str, str]:
    """Which bytes ran: of the hypervisor and each module but the plan."""
    files = [setup.kernel, *(path for path, _ in setup.modules if path.name != "plan")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def drive(machine: qemu.Qemu, prepared: Prepared,
          onlooker: Callable[[Session], None] | None = None) -> tuple[Collector, Ending]:
    """Plan in, output out, on a machine that was just started or restored."""
    session = Session(machine, Collector(), prepared.seeded, prepared.options.patience,
                      prepared.options.deadline)
    ending = session.ready()
    if ending is None:
        if session.waiting():
            session.go(prepared.plan.text.encode(), prepared.seed)
        ending = session.run(onlooker)
    elif onlooker:  # over before anybody looked
        session.ending = ending
        onlooker(session)
    return session.collector, ending


def undisturbed(prepared: Prepared) -> dict[str, int]:
    """What the bystanders' memory comes to in a run of its own, without the faults."""
    if not bystanders.wanted(prepared.cluster, prepared.faults, prepared.clock):
        return {}
    options = dataclasses.replace(prepared.options, faults=[], seed=prepared.seed, clock=prepared.clock)
    with Scratch() as scratch:
        quiet = prepare(prepared.cluster, options, scratch)
        with qemu.Qemu(quiet.setup) as machine:
            collector, _ = drive(machine, quiet)
    return bystanders.spared(collector.events, prepared.faults)


def execute(prepared: Prepared, onlooker: Callable[[Session], None] | None = None) -> Outcome:
    """One run in a fresh machine, judged."""
    start = time.monotonic()
    quiet = undisturbed(prepared)
    with qemu.Qemu(prepared.setup) as machine:
        collector, ending = drive(machine, prepared, onlooker)
        out = judge.judge(prepared.cluster, collector, ending, prepared.faults, prepared.seed,
                          prepared.clock, quiet)
        images = collector.disks.images(machine.ram)
        if images and prepared.seeded:
            out.digests["disks"] = disks.digest(images)
        if prepared.clock == "count":
            out.digests["memory"] = machine.ram.digest()
        out.qemu = {"version": doctor.qemu_version(), "argv": machine.argv,
                    "accelerator": "kvm" if prepared.setup.kvm else "tcg", "why": prepared.machine}
    out.git = result.git_commit()
    out.wall_ms = round((time.monotonic() - start) * 1000)
    out.options = {"for_ns": prepared.options.for_ns, "cpus": prepared.setup.cpus,
                   "counts": prepared.options.counts, "machine": prepared.setup.machine,
                   "file": str(pathlib.Path(prepared.cluster.path).resolve()),
                   "plan": prepared.plan.digest(),
                   "images": images_digest(prepared.setup)}
    return Outcome(collector, ending, out, prepared, images)


def open_results(directory: pathlib.Path | None) -> None:
    """Makes the result directory, before anything runs whose results would have no place."""
    if directory is None:
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Problem(f"--out {directory}: a file is in the way",
                      "name a directory for the results") from None
    except OSError as error:
        raise Problem(f"--out {directory}: {error.strerror}", "name a directory you can write to") from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise Problem(f"--out {directory}: cannot be written", "name a directory you can write to")
    hold(directory)


_held: dict[pathlib.Path, int] = {}


def hold(directory: pathlib.Path) -> None:
    """Two runs that write into one directory would leave half of each: it is one command's until that ends."""
    path = directory.resolve()
    if path in _held:
        return
    _held[path] = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(_held[path], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(_held.pop(path))
        raise Problem(f"--out {directory}: another command writes there now", "name another directory") from None
    except OSError:
        return  # a file system without locks


@contextlib.contextmanager
def writing(directory: pathlib.Path) -> Iterator[None]:
    """What cannot be written, for a full disk, is the user's to mend."""
    try:
        yield
    except OSError as error:
        raise Problem(f"--out {directory}: {error.strerror}",
                      "what is there is not whole; make room, or name another directory") from None


def save(outcome: Outcome, directory: pathlib.Path) -> None:
    """The result directory: everything to look at the run and to have it again."""
    open_results(directory)
    for old in ("result.json", "report.html", "dump.txt"):
        (directory / old).unlink(missing_ok=True)  # of another run, which what follows is no part of
    shutil.rmtree(directory / CONSOLE, ignore_errors=True)
    (directory / CONSOLE).mkdir()
    for name in outcome.collector.consoles:
        path = directory / CONSOLE / f"{clusters.safe_name(name)}.log"
        path.write_text(outcome.collector.text(name))
        path.with_suffix(".times").write_text(outcome.collector.stamped(name))
    (directory / "trace").write_bytes(outcome.collector.trace)
    (directory / "capture.pcapng").write_bytes(outcome.collector.capture)
    (directory / "hypervisor.log").write_bytes(outcome.collector.log)
    disks.save(outcome.images, directory)
    events = [e.fields for e in outcome.collector.events]
    (directory / "events.jsonl").write_text("".join(json_line(e) for e in events))
    (directory / "plan").write_text(outcome.prepared.plan.text)
    source = pathlib.Path(outcome.prepared.cluster.path)
    copy = directory / "cluster.toml"
    if source.is_file() and not (copy.exists() and copy.samefile(source)):
        shutil.copyfile(source, copy)
    if outcome.ending.dump:
        (directory / "dump.txt").write_text(outcome.ending.dump)
    outcome.result.write(directory)


def json_line(fields: object) -> str:
    import json
    return json.dumps(fields, sort_keys=True) + "\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=pathlib.Path, help="the cluster file")
    add_run_arguments(parser)
    parser.add_argument("--headless", action="store_true", help="no live view, only the verdict")
    parser.add_argument("--paused", action="store_true", help="stand still until `osmosis continue` or `step`")
    parser.add_argument("--json", action="store_true", help="print result.json")
    parser.add_argument("--out", type=arguments.folder, metavar="DIR", help="write the results here")


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """What every subcommand that runs clusters takes."""
    parser.add_argument("--for", dest="length", metavar="TIME", help="virtual time, such as 10s")
    parser.add_argument("--count", action="append", default=[], metavar="NAME=N",
                        help="so many nodes of [nodes.NAME], whatever the file says")
    parser.add_argument("--clock", choices=("real", "count", "event"), help="which clock to go by")
    parser.add_argument("--seed", type=arguments.whole(0, schema.SEED_MOST), help="of every random decision")
    parser.add_argument("--cpus", type=arguments.whole(1, schema.CPUS_MOST), help="of the machine (clock real)")
    parser.add_argument("--kvm", action=argparse.BooleanOptionalAction, default=None,
                        help="whether to use KVM (default: where it gives SVM)")
    parser.add_argument("--machine", choices=tuple(qemu.MACHINES), default="q35", help="QEMU's board")
    parser.add_argument("--patience", type=arguments.seconds, default=60, metavar="SECONDS",
                        help="how long a machine may show no sign of life")


def run_options(options: argparse.Namespace) -> Options:
    try:
        length = units.time_ns(options.length) if options.length else None
    except ValueError as wrong:
        raise Problem(f"--for: {wrong}", "for example --for 10s") from None
    return Options(options.clock, options.seed, length, options.cpus, options.machine, options.kvm,
                   options.patience, counts=counts_of(options.count))


def counts_of(given: list[str]) -> dict[str, int]:
    """`--count NAME=N`, each name once."""
    counts: dict[str, int] = {}
    for word in given:
        name, equals, number = word.rpartition("=")
        if not equals or not number.isdecimal() or int(number) < 1 or name in counts:
            raise Problem(f"--count {word}", "say NAME=N once for each name, for example --count n=64")
        counts[name] = int(number)
    return counts


def command(options: argparse.Namespace) -> int:
    wanted = run_options(options)
    wanted.attended = True
    cluster = clusters.load(options.file, wanted.counts)
    open_results(options.out)
    with Scratch() as scratch:
        prepared = prepare(cluster, wanted, scratch)
        show = not options.headless and not options.json and draws(sys.stdout)
        from osmo.attendance import Attendance
        from osmo.watch import Watch
        watch = Watch(cluster, prepared.options.for_ns, prepared.faults)
        if not options.json:
            print(f"machine: {prepared.machine}", flush=True)
        with Progress() as told, \
                Attendance(watch, prepared.setup.second_serial, show, options.paused) as attendance:
            def look(session: Session) -> None:
                attendance.look(session)
                if not show:
                    told.run(cluster.name, session, watch.for_ns)
            outcome = execute(prepared, look)
    try:
        if options.out:
            with writing(options.out):
                save(outcome, options.out)
                from osmo import report
                report.write(options.out)
    finally:  # whatever became of the results, what came out is said, and its status is the run's
        with contextlib.suppress(BrokenPipeError):
            report_words(outcome, options)
    return outcome.result.exit


def report_words(outcome: Outcome, options: argparse.Namespace) -> None:
    out = outcome.result
    if options.json:
        print(out.text(), end="")
        return
    for name in outcome.collector.consoles:
        if name in {n["name"] for n in out.nodes} and options.headless:
            for line in outcome.collector.text(name).splitlines():
                print(f"{name}: {line}")
    checked = sum(v["checked"] for v in out.invariants.values())
    print(f"{'ok' if out.ok else 'FAILED'}: {out.name}, seed {out.seed}, clock {out.clock}, "
          f"{units.short_time(out.virtual_ns)} virtual in {out.wall_ms} ms, {checked} checks")
    if out.trace_lost:
        print(f"the trace lost {units.counted(out.trace_lost, 'record')}: no invariant was judged")
    if out.error:
        print(out.error)
    if options.out and not options.headless and outcome.prepared.seeded:
        print(f"{options.out}: report.html, capture.pcapng, console/, trace; "
              f"osmosis replay {options.out} has it again")
    if outcome.ending.dump:
        print(f"--- the machine's last words\n{outcome.ending.dump}")
