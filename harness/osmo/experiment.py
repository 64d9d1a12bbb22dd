# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis experiment CLUSTER --seeds A..B --jobs N`: a campaign.

Every seed is one run, in QEMU or, by `--where simulator`, in the simulator (simulate.py); what fails is saved,
shrunk to the faults and nodes that matter, and written as
a cluster file of its own. campaign.json and junit.xml carry the outcome.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import itertools
import json
import multiprocessing.util
import os
import pathlib
import re
import resource
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from osmo import arguments
from osmo import cluster as clusters
from osmo import cli, dump, result, run, schema, simulate, slurm, smaller, warm
from osmo.cluster import Cluster
from osmo.errors import Problem
from osmo.progress import Progress
from osmo.scratch import Scratch
from osmo.smaller import Runner

SEEDS = re.compile(r"([0-9]{1,20})(?:\.\.([0-9]{1,20}))?")
SEEDS_MOST = 10**7  # of one campaign
JOBS_MOST = 1024
FAILED_MOST = 10  # then a campaign ends, unless it is to keep going


@dataclasses.dataclass
class Row:
    """One seed's outcome."""

    seed: int
    ok: bool
    error: str
    kinds: list[str]
    broken: list[str]
    digests: dict[str, str]
    virtual_ns: int
    wall_ms: int
    timeout: bool = False
    faults: int = 0  # how many were planned
    broken_ns: int | None = None  # when the trace first shows a breach


MACHINE, SIMULATOR = "machine", "simulator"


def seeds_of(text: str) -> list[int]:
    """`1..1000`, `7` or `1..5,9`."""
    out: list[int] = []
    for part in text.split(","):
        match = SEEDS.fullmatch(part.strip())
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise Problem(f"--seeds {text} is no range", "for example --seeds 1..1000")
        first, last = int(match[1]), int(match[2] or match[1])
        if last > schema.SEED_MOST or len(out) + last - first >= SEEDS_MOST:
            raise Problem(f"--seeds {text} is too much", f"at most {SEEDS_MOST} seeds, each below 2^64")
        out += range(first, last + 1)
    return out


def run_once(cluster: Cluster, options: run.Options) -> result.Result:
    """One run in a fresh machine."""
    with Scratch() as scratch:
        return run.execute(run.prepare(cluster, options, scratch)).result


def row(cluster: Cluster, options: run.Options, seed: int, runner: Runner = run_once) -> Row:
    options = dataclasses.replace(options, seed=seed)
    faults = cluster.all_faults(seed)
    out = runner(cluster, options)
    broken = sorted(smaller.failing(out))
    return Row(seed, out.ok, out.error, sorted({f.do.split()[0] for f in faults}), broken, out.digests,
               out.virtual_ns, out.wall_ms, out.error.startswith(("wedged", "deadline")), len(faults),
               out.broken_ns)


class Bench:
    """What one worker runs experiments on: a warm machine, kept as long as the cluster stays."""

    def __init__(self) -> None:
        self.machine: warm.Warm | None = None
        self.cluster: Cluster | None = None

    def probe(self, cluster: Cluster, options: run.Options) -> result.Result:
        clock = options.clock or cluster.clock
        if clock == "real":
            return run_once(cluster, options)
        try:
            if self.machine is None or self.cluster != cluster:
                self.close()
                self.machine, self.cluster = warm.Warm(cluster, options), cluster
            return self.machine.run(cluster, options)
        except Problem:
            self.close()
            return run_once(cluster, options)

    def run(self, cluster: Cluster, options: run.Options) -> result.Result:
        """What fails in the warm machine is run again in a fresh one: only that verdict counts."""
        out = self.probe(cluster, options)
        return out if out.ok or self.machine is None else run_once(cluster, options)

    def close(self) -> None:
        if self.machine:
            self.machine.close()
        self.machine = None


_bench = Bench()
_play = simulate.Bench()


def _start_worker() -> None:
    """Ctrl-C is the parent's to answer; it ends us with SIGTERM, and we leave in order, once there is an order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    multiprocessing.util.Finalize(None, _bench.close, exitpriority=10)
    multiprocessing.util.Finalize(None, _play.close, exitpriority=10)
    sys.unraisablehook = cli.unraisable
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, lambda *_: sys.exit(1))


def _work(task: tuple[Cluster, run.Options, int]) -> Row:
    return row(*task, runner=_bench.run)


@dataclasses.dataclass
class Played:
    """A worker's share of a campaign in the simulator."""

    rows: list[Row]
    records: int
    messages: int


def _play_some(task: tuple[Cluster, run.Options, list[int]]) -> Played:
    cluster, options, seeds = task
    out = Played([], 0, 0)
    same = None if cluster.random else cluster.all_faults(0)
    for one in _play.of(cluster).many(seeds, options.for_ns or cluster.for_ns):
        faults = same if same is not None else cluster.all_faults(one.seed)
        kinds = sorted({f.do.split()[0] for f in faults})
        wrong = simulate.broken(cluster, one)
        out.rows.append(Row(one.seed, not wrong, "\n".join(one.why) if wrong else "", kinds, wrong,
                            {"trace": one.digest}, one.virtual_ns, 0, faults=len(faults)))
        out.records += one.records
        out.messages += one.messages
    return out


PLAYED_AT_ONCE = 256


def play(cluster: Cluster, options: run.Options, seeds: Sequence[int], jobs: int,
         progress: Callable[[Row], None], stop_after: int | None = None) -> tuple[list[Row], str]:
    """As campaign, in the simulator; and in words how fast it was."""
    simulate.check(cluster)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = Played([], 0, 0)
    shares = ((cluster, options, list(seeds[at:at + PLAYED_AT_ONCE]))
              for at in range(0, len(seeds), PLAYED_AT_ONCE))
    with _pool(jobs) as pool:
        running = {pool.submit(_play_some, share) for share in itertools.islice(shares, jobs)}
        while running:
            ready, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for share in (future.result() for future in ready):
                done = Played(done.rows + share.rows, done.records + share.records,
                              done.messages + share.messages)
                for one in share.rows:
                    progress(one)
                more = stop_after is None or sum(not r.ok for r in done.rows) < stop_after
                running |= {pool.submit(_play_some, s) for s in itertools.islice(shares, 1 if more else 0)}
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = sorted(done.rows, key=lambda r: r.seed)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return rows, simulate.speed(len(rows), done.records, done.messages, sum(r.virtual_ns for r in rows), spent)


ENDINGS = {signal.SIGINT, signal.SIGTERM, signal.SIGALRM}


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """An interrupt waits until this is done; workers that begin here have them so until they can answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _pool(jobs: int) -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    """Workers that are gone afterwards, whatever ended the campaign. All begin at once, by the first task: of one
    that an interrupt left half begun the pool would not know, and the end would wait for it."""
    pool = None
    try:
        with _held_back():
            pool = concurrent.futures.ProcessPoolExecutor(jobs, initializer=_start_worker)
            pool.submit(int)
        yield pool
    except BaseException:
        for process in list((pool and pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)


def campaign(cluster: Cluster, options: run.Options, seeds: Sequence[int], jobs: int,
             progress: Callable[[Row], None], stop_after: int | None = None) -> list[Row]:
    """All seeds, `jobs` machines side by side; ends early once `stop_after` have failed."""
    rows: list[Row] = []
    failed = 0
    with _pool(jobs) as pool:
        waiting = iter(seeds)
        running = {pool.submit(_work, (cluster, options, s)) for s in itertools.islice(waiting, jobs)}
        while running:
            done, running = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                rows.append(future.result())
                failed += not rows[-1].ok
                progress(rows[-1])
                seed = next(waiting, None) if stop_after is None or failed < stop_after else None
                if seed is not None:
                    running.add(pool.submit(_work, (cluster, options, seed)))
    return sorted(rows, key=lambda r: r.seed)


def survival(rows: Sequence[Row], invariants: Sequence[str]) -> dict[str, dict[str, list[int]]]:
    """Fault kind to invariant to [held, runs]; `any` counts every run, `none` those without faults."""
    table: dict[str, dict[str, list[int]]] = {}
    for one in rows:
        for kind in ["any", *(one.kinds or ["none"])]:
            cells = table.setdefault(kind, {name: [0, 0] for name in invariants})
            for name in invariants:
                cells[name][1] += 1
                cells[name][0] += name not in one.broken
    return table


def survival_words(table: dict[str, dict[str, list[int]]]) -> str:
    """The table for people: of how many runs with that fault each invariant held."""
    names = list(next(iter(table.values()), {}))
    width = max(map(len, ["fault", *table]))
    lines = [" ".join([f"{'fault':{width}}", *(f"{name:>9}" for name in names)])]
    for kind, cells in table.items():
        shown = (f"{cells[name][0]}/{cells[name][1]}" for name in names)
        lines.append(" ".join([f"{kind:{width}}", *(f"{cell:>9}" for cell in shown)]))
    return "\n".join(lines)


def columns(cluster: Cluster) -> list[str]:
    from osmo import schema
    return [*(cluster.expect.invariants or schema.INVARIANTS), "expected", "ending"]


def summary(cluster: Cluster, rows: list[Row], wall: float, command: str) -> dict[str, Any]:
    failed = [r for r in rows if not r.ok]
    return {"format": result.CAMPAIGN, "name": cluster.name, "cluster": cluster.path, "git": result.git_commit(),
            "command": command, "runs": len(rows), "failed": [r.seed for r in failed],
            "timeouts": [r.seed for r in rows if r.timeout], "wall_s": round(wall, 3),
            "per_minute": round(60 * len(rows) / wall, 1) if wall else None,
            "survival": survival(rows, columns(cluster)), "shrunk": {},
            "rows": [dataclasses.asdict(r) for r in rows]}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=pathlib.Path, help="the cluster file")
    parser.add_argument("--seeds", default="1..20", help="which, such as 1..1000")
    parser.add_argument("--jobs", type=arguments.whole(1, JOBS_MOST), default=os.cpu_count() or 1,
                        help="machines side by side")
    parser.add_argument("--out", type=arguments.folder, metavar="DIR", help="write campaign.json and more here")
    parser.add_argument("--keep-going", action="store_true", help=f"do not end after {FAILED_MOST} failures")
    parser.add_argument("--no-shrink", action="store_true", help="do not make failures small")
    parser.add_argument("--where", choices=(MACHINE, SIMULATOR), default=MACHINE,
                        help="in QEMU, or thousands a second in the simulator, where scripts stand for programs")
    parser.add_argument("--slurm", type=arguments.whole(1, SEEDS_MOST), metavar="SIZE",
                        help="print an array job of SIZE seeds a task")
    parser.add_argument("--merge", action="store_true", help="one campaign of the tasks of such a job")
    parser.add_argument("--json", action="store_true", help="print campaign.json")
    run.add_run_arguments(parser)


def command(options: argparse.Namespace) -> int:
    seeds = seeds_of(options.seeds)
    chosen = run.run_options(options)
    cluster = clusters.load(options.file, chosen.counts)
    if options.slurm is not None:
        print(slurm.script(options, seeds), end="")
        return 0
    if options.merge:
        whole = slurm.merged(options, seeds, cluster.name)
        options.out = slurm.directory(options)
        return conclude(cluster, [Row(**r) for r in whole.rows], whole.seconds, options, whole.shrunk)
    run.open_results(options.out)
    if options.where == SIMULATOR and chosen.clock:
        raise Problem(f"--clock {chosen.clock}: the simulator has a time of its own", "leave it out")
    chosen.clock = simulate.CLOCK if options.where == SIMULATOR else chosen.clock or seeded(cluster)
    done: list[Row] = []

    def progress(one: Row) -> None:
        done.append(one)
        if not options.json:
            state = "." if one.ok else f"\nseed {one.seed}: {one.error.splitlines()[0]}\n"
            print(state, end="" if len(done) % 60 else f" {len(done)}\n", file=sys.stderr, flush=True)

    start = time.monotonic()
    jobs, stop_after = max(1, options.jobs), None if options.keep_going else FAILED_MOST
    said = ""
    try:
        if options.where == SIMULATOR:
            rows, said = play(cluster, chosen, seeds, jobs, progress, stop_after)
        else:
            rows = campaign(cluster, chosen, seeds, jobs, progress, stop_after)
    except KeyboardInterrupt:  # of an hour's runs those that ended are not lost
        if done:
            conclude(cluster, sorted(done, key=lambda one: one.seed), time.monotonic() - start, options, {})
        raise
    wall = time.monotonic() - start
    runner = _play.run if options.where == SIMULATOR else _bench.probe
    shrunk = {} if options.no_shrink else shrink_all(cluster, chosen, rows, options.out, runner)
    if said and not options.json:
        print(f"\n{said}", file=sys.stderr)
    return conclude(cluster, rows, wall, options, shrunk)


def seeded(cluster: Cluster) -> str:
    """The clock that a campaign goes by unless it is told: the file's, if runs can be had again by it."""
    return cluster.clock if cluster.clock != "real" else "count"


def again(options: argparse.Namespace) -> str:
    """The command that has this campaign again, as a shell takes it."""
    words = ["osmosis", "experiment", str(options.file), "--seeds", options.seeds]
    words += ["--where", SIMULATOR] if options.where == SIMULATOR else []
    return shlex.join([*words, *_decisive(options, options.clock)])


def see(options: argparse.Namespace, cluster: Cluster) -> str:
    """The command that has one run of it, as a shell takes it, but for the seed behind it."""
    if options.where == SIMULATOR:
        words = ["osmosis", "experiment", str(options.file), "--where", SIMULATOR, *_decisive(options, None)]
        return shlex.join([*words, "--seeds"])
    clock = options.clock or seeded(cluster)
    words = ["osmosis", "run", str(options.file), *_decisive(options, clock if clock != cluster.clock else None)]
    return shlex.join([*words, "--seed"])


def _decisive(options: argparse.Namespace, clock: str | None) -> list[str]:
    words: list[str] = []
    for name, value in (("--for", options.length), ("--clock", clock), ("--cpus", options.cpus)):
        words += [name, str(value)] if value is not None else []
    return [*words, *(f"--count={one}" for one in options.count)]


def conclude(cluster: Cluster, rows: list[Row], wall: float, options: argparse.Namespace,
             shrunk: dict[str, Any]) -> int:
    """Says and writes what came out."""
    out = summary(cluster, rows, wall, again(options))
    out["shrunk"] = shrunk
    out["see"] = see(options, cluster)
    out["asked"] = len(seeds_of(options.seeds))
    try:
        if options.out:
            from osmo import export, report
            with run.writing(options.out):
                (options.out / "campaign.json").write_text(json.dumps(out, indent=1) + "\n")
                (options.out / "junit.xml").write_text(export.junit(out))
                report.write(options.out)
    finally:  # whatever became of the results, what came out is said
        with contextlib.suppress(BrokenPipeError):
            few = f" of {out['asked']}" if len(rows) < out["asked"] else ""
            print(json.dumps(out, indent=1) if options.json else
                  f"\n{survival_words(out['survival'])}\n{len(rows)}{few} runs, {len(out['failed'])} failed, "
                  f"{out['per_minute']} a minute")
    return 1 if out["failed"] else 0


def shrink_all(cluster: Cluster, options: run.Options, rows: list[Row], directory: pathlib.Path | None,
               runner: Runner) -> dict[str, Any]:
    """The first failure of each kind, made small and saved as a cluster file."""
    out: dict[str, Any] = {}
    seen: set[tuple[str, ...]] = set()
    try:
        return _shrink_each(cluster, options, rows, directory, out, seen, runner)
    finally:
        _bench.close()
        _play.close()


def _shrink_each(cluster: Cluster, options: run.Options, rows: list[Row], directory: pathlib.Path | None,
                 out: dict[str, Any], seen: set[tuple[str, ...]], runner: Runner) -> dict[str, Any]:
    clock = options.clock if options.clock and options.clock != simulate.CLOCK else seeded(cluster)
    for one in (r for r in rows if not r.ok):
        kind = ("timeout",) if one.timeout else tuple(one.broken)
        if kind in seen:
            continue
        seen.add(kind)
        if one.timeout:  # to find out by more such runs what it is made of would take as many time-outs
            small = smaller.whole(cluster, options, one.seed)
        else:
            with Progress() as told:
                small = smaller.shrink_failure(cluster, options, one.seed, set(one.broken), runner,
                                               tell=lambda words: told.say(f"seed {one.seed} made small: {words}"))
        out[str(one.seed)] = {"faults": [f.text() for f in small.faults], "from": small.from_faults,
                              "nodes": [n.name for n in small.cluster.nodes], "from_nodes": small.from_nodes,
                              "probes": small.probes, "for_ns": small.for_ns, "broken": one.broken}
        if directory:
            why = f"Shrunk from seed {one.seed} of {cluster.path}: {', '.join(one.broken)} broken."
            if one.timeout:
                why = f"Seed {one.seed} of {cluster.path}, as it was: {one.error.splitlines()[0]}."
            as_run = dataclasses.replace(small.cluster, clock=clock, cpus=options.cpus or small.cluster.cpus)
            text = dump.cluster_text(as_run, small.faults, one.seed, small.for_ns, why)
            with run.writing(directory):
                (directory / f"seed-{one.seed}.toml").write_text(text)
    return out
