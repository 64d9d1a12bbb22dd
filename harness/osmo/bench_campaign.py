# SPDX-License-Identifier: BSD-2-Clause
"""The rows of `osmosis bench` for campaigns in machines: the experiment that the simulator is measured by
(`bench_simulator.py`), each from the snapshot of a warm QEMU, and how many of them a minute of a processor has.
"""

import resource
import time

from osmo import bench, bench_simulator, cluster, experiment, goals, run
from osmo.errors import Problem

TIMED = 24


def _spent() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def rows() -> list[bench.Row]:
    """The machine's boot is in it, as in a campaign; QEMU, the judging and the replay's hash are."""
    loaded = cluster.parse(bench_simulator.UNIT)
    before, start = _spent(), time.monotonic()
    played = experiment.campaign(loaded, run.Options(clock="count"), range(1, TIMED + 1), 1, lambda _: None)
    spent, wall = _spent() - before, time.monotonic() - start
    if not all(row.ok for row in played):
        raise Problem(f"an experiment failed: {next(row.error for row in played if not row.ok)}")
    return [bench.Row("P33", goals.BY_ID["P33"].name, "campaign", value=round(60 * TIMED / spent),
                      unit="per minute", n=TIMED, wall_ns=round(wall * 1e9 / TIMED))]
