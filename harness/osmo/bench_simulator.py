# SPDX-License-Identifier: BSD-2-Clause
"""The rows of `osmosis bench` for campaigns in the simulator: an experiment of four nodes that send each
other a thousand messages while frames get lost, its instructions by callgrind and how many a minute there are.
"""

import itertools
import os
import re
import resource
import subprocess

from osmo import bench, cluster, doctor, goals, paths, simulate
from osmo.errors import Problem

UNIT = """
for = "2s"
[media.net]
[nodes.server]
media = ["net"]
programs = ["+kernel =board switchboard global", "=counter counter-server", "announce counter"]
[nodes.client]
count = 3
media = ["net"]
programs = ["+kernel with counter counter-client 82 5"]
[[faults]]
at = "50ms"
for = "200ms"
medium = "net"
do = "loss 0.1"
[expect]
heal = "1s"
[expect.output]
client1 = "counter: first 82, second 3403"
[expect.exit]
client1 = "poweroff"
"""
FEW, MANY, TIMED = 1, 9, 400


def _text(loaded: cluster.Cluster, runs: int) -> str:
    lines = itertools.chain(simulate.cluster_lines(loaded),
                            simulate.setting_lines(loaded, loaded.all_faults(0), loaded.for_ns))
    settled = [line for line in lines if line != "own"]  # of every run
    return "\n".join([*settled, "own", f"run 1 {runs}", ""])


def _run(loaded: cluster.Cluster, runs: int, *wrap: str) -> "subprocess.CompletedProcess[str]":
    program = str(paths.need(paths.build() / "campaign"))
    done = subprocess.run([*wrap, program], input=_text(loaded, runs), capture_output=True, text=True,
                          check=False, timeout=200, env={**os.environ, **bench.MEMMOVE})
    if done.returncode or done.stdout.count("run ") != runs or "why " in done.stdout:
        raise Problem(f"the simulator failed: {(done.stdout + done.stderr)[-300:]}")
    return done


def _instructions(loaded: cluster.Cluster, runs: int) -> int:
    said = _run(loaded, runs, "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null").stderr
    found = re.search(r"Collected : (\d+)", said)
    if not found:
        raise Problem(f"valgrind says no count: {said[-300:]}")
    return int(found[1])


def rows() -> list[bench.Row]:
    loaded = cluster.parse(UNIT)
    simulate.check(loaded)
    out = []
    if doctor.which("valgrind"):
        counts = [_instructions(loaded, runs) for runs in (FEW, MANY)]
        out.append(bench.Row("P34", "an experiment of 4 nodes and 1,000 messages", "simulator",
                             I=(counts[1] - counts[0]) / (MANY - FEW), n=MANY - FEW, unit="I, host"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(loaded, TIMED)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    out.append(bench.Row("P34", goals.BY_ID["P34"].name, "simulator", value=round(60 * TIMED / spent),
                         unit="per minute", n=TIMED))
    out.append(bench.Row("P34", "simulated seconds a second of a processor", "simulator",
                         value=round(TIMED * loaded.for_ns / 1e9 / spent), unit="ratio", n=TIMED))
    return out
