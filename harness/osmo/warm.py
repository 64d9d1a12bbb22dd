# SPDX-License-Identifier: BSD-2-Clause
"""A machine kept warm: booted once to READY, snapshotted, and restored for every experiment.

Restoring takes milliseconds where a boot takes hundreds. The snapshot is taken while the
hypervisor waits in host mode: one taken inside a guest could not be loaded. Memory is a file
that both sides map, and loading a snapshot restores that file too, so the next plan and seed
are simply written into it before the machine goes on.
"""

import pathlib
import tempfile
import time

from osmo import doctor, judge, paths, plan, qemu, result, run
from osmo.cluster import Cluster
from osmo.collect import Collector
from osmo.errors import Problem
from osmo.session import Session

SNAPSHOT = "ready"


class Warm:
    """One machine for many runs of clusters that differ in faults, seed and length only."""

    def __init__(self, cluster: Cluster, options: run.Options) -> None:
        self.scratch = tempfile.TemporaryDirectory(prefix="osmosis-", dir=paths.scratch_parent())
        try:
            self.prepared = run.prepare(cluster, options, pathlib.Path(self.scratch.name))
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
        self.scratch.cleanup()

    def run(self, cluster: Cluster, options: run.Options) -> result.Result:
        """One run from the snapshot on; its result is that of a fresh boot."""
        start = time.monotonic()
        seed = cluster.seed if options.seed is None else options.seed
        faults = cluster.all_faults(seed) if options.faults is None else options.faults
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
        out = judge.judge(cluster, session.collector, ending, faults, seed, self.prepared.clock)
        out.qemu = {"version": self.version, "argv": self.machine.argv, "accelerator": "tcg"}
        out.wall_ms = round((time.monotonic() - start) * 1000)
        return out
