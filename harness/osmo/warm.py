# SPDX-License-Identifier: BSD-2-Clause
"""A machine kept warm: booted once to READY, snapshotted, and restored for every experiment.

Restoring takes milliseconds where a boot takes hundreds. The snapshot is taken while the
hypervisor waits in host mode: one taken inside a guest could not be loaded. Memory is a file
that both sides map, and loading a snapshot restores that file too, so the next plan and seed
are simply written into it before the machine goes on.
"""

import time

from osmo import bystanders, doctor, judge, plan, qemu, result, run
from osmo.cluster import Cluster
from osmo.collect import Collector, Event
from osmo.errors import Problem
from osmo.faults import Fault
from osmo.scratch import Scratch
from osmo.session import Ending, Session

SNAPSHOT = "ready"


class Warm:
    """One machine for many runs of clusters that differ in faults, seed and length only."""

    def __init__(self, cluster: Cluster, options: run.Options) -> None:
        self.quiet: dict[tuple[int, int], list[Event]] = {}
        self.scratch = Scratch()
        try:
            self.prepared = run.prepare(cluster, options, self.scratch.path)
            setup = self.prepared.setup
            setup.modules = [(path, words) for path, words in setup.modules if path.name != "plan"]
            setup.snapshots = True
            self.modules = set(self.prepared.plan.modules)
            self.version = doctor.qemu_version()
            self.machine = qemu.Qemu(setup)
            self.machine.start()
            ending = Session(self.machine, Collector(), True).ready()
            if ending:
                raise Problem(f"the machine did not get ready: {ending.reason}\n{ending.dump}")
            self.machine.stop()
            self.machine.save(SNAPSHOT)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if hasattr(self, "machine"):
            self.machine.close()
        self.scratch.close()

    def undisturbed(self, cluster: Cluster, options: run.Options, seed: int,
                    faults: list[Fault]) -> dict[str, int]:
        """As run.undisturbed, here; once for each length and seed."""
        if not bystanders.wanted(cluster, faults, self.prepared.clock):
            return {}
        key = (options.for_ns or cluster.for_ns, seed)
        if key not in self.quiet:
            session, _ = self.play(cluster, options, seed, [])
            self.quiet = {key: session.collector.events}
        return bystanders.spared(self.quiet[key], faults)

    def play(self, cluster: Cluster, options: run.Options, seed: int,
             faults: list[Fault]) -> tuple[Session, Ending]:
        made = plan.compile_cluster(cluster, faults, options.for_ns, self.prepared.clock)
        if set(made.modules) != self.modules:
            raise Problem("this run needs other images than the warm machine has")
        self.machine.stop()
        self.machine.load(SNAPSHOT)
        session = Session(self.machine, Collector(), True, options.patience, options.deadline)
        ending = session.ready()
        if ending is None:
            session.go(made.text.encode(), seed)
            ending = session.run()
        return session, ending

    def run(self, cluster: Cluster, options: run.Options) -> result.Result:
        """One run from the snapshot on; its result is that of a fresh boot."""
        start = time.monotonic()
        seed = cluster.seed if options.seed is None else options.seed
        faults = cluster.all_faults(seed) if options.faults is None else options.faults
        quiet = self.undisturbed(cluster, options, seed, faults)
        session, ending = self.play(cluster, options, seed, faults)
        out = judge.judge(cluster, session.collector, ending, faults, seed, self.prepared.clock, quiet)
        out.qemu = {"version": self.version, "argv": self.machine.argv, "accelerator": "tcg"}
        out.wall_ms = round((time.monotonic() - start) * 1000)
        return out
