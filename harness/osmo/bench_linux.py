# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Linux as it comes, on Osmosis and on Xen 4.17 in the same QEMU, one instruction a tick:
what it takes from its kernel's start to a shell, what a byte takes from one Linux to another, and here
what it takes while it has nothing to do (P28's peer).

Times are what Linux itself says in /proc/uptime, hundredths of a second, so that building the
domain is not in it on either; on Xen the dom0 with its bridge and net back end is, as here the fabric is.
"""

import dataclasses
import re
import time

from osmo import bench, cluster, debian, dom0, linux, plan, run, vmlinux, xen
from osmo.errors import Problem
from osmo.scratch import Scratch

LAST = 600000
BYTES = sum(len(str(n)) + 1 for n in range(1, LAST + 1))
BOOT = "boot to shell"
MOVE = "TCP from one to another, per byte"
IDLE = "idle, per second"
UP = "echo uptime $(cat /proc/uptime)"
SERVE = "nc -l -p 1000 | md5sum"
SEND = (f"until ping -c 1 -w 1 10.5.0.1; do :; done; sleep 1; {UP}; seq {LAST} | nc 10.5.0.1 1000; {UP}")
UPTIME = re.compile(r"uptime ([0-9.]+) ")
SECONDS = 600.0
LOOK = 8.0
CLUSTER = """
clock = "count"
for = "%ds"
until = "exit client"
trace = false
[media.lan]
rate = "10G"
latency = "1ns"
capture = false
"""


def node(name: str, script: str, *media: str) -> str:
    listed = ", ".join(f'"{m}"' for m in media)
    return (f'[nodes.{name}]\nmachine = "linux"\nmemory = "96M"\nmedia = [{listed}]\n'
            f'cmdline = "osmosis.run={words(script)}"\n')


def words(script: str) -> str:
    return script.replace(" ", "~")


def times(text: str, count: int) -> list[float]:
    found = [float(t) * 1e9 for t in UPTIME.findall(text)]
    if len(found) != count:
        raise Problem(f"Linux said its time {len(found)} times: {text[-300:]}")
    return found


def row(name: str, where: str, value: float, unit: str, began: float) -> bench.Row:
    return bench.Row("linux", name, where, value=round(value, 2), unit=unit,
                     wall_ns=(time.monotonic() - began) * 1e9)


def osmosis() -> list[bench.Row]:
    began = time.monotonic()
    boot = times(play(node("client", UP)), 1)
    rows = [row(BOOT, "osmosis", boot[0], "I", began)]
    began = time.monotonic()
    moved = times(play(node("server", SERVE, "lan") + node("client", SEND, "lan")), 2)
    return [*rows, row(MOVE, "osmosis", (moved[1] - moved[0]) / BYTES, "I/byte", began), idleness()]


def idleness() -> bench.Row:
    """What ten more seconds of sleep have cost, by the hypervisor's counters."""
    began = time.monotonic()
    short, long = (played(node("client", "sleep 1000"), seconds).result.used for seconds in (10, 20))
    each = {key: (long[0][key] - short[0][key]) / 10 for key in ("run_ns", "exits")}
    return dataclasses.replace(row(IDLE, "osmosis", each["run_ns"], "I", began), X=each["exits"])


def play(nodes: str) -> str:
    return played(nodes, 300).collector.text("client")


def played(nodes: str, seconds: int) -> run.Outcome:
    with Scratch() as scratch:
        prepared = run.prepare(cluster.parse(CLUSTER % seconds + nodes, "bench"), run.Options(clock="count"),
                               scratch)
        prepared.setup.shift = 0
        outcome = run.execute(prepared)
    if not outcome.result.ok:
        raise Problem(outcome.result.error.splitlines()[0])
    return outcome


def guest(number: int, name: str, script: str, network: bool) -> xen.Guest:
    line = f"{plan.LINUX_CMDLINE} osmosis.number={number} osmosis.run={words(script)}"
    mac = f"02:05:00:00:00:{number:02x}" if network else ""
    return xen.Guest(name, "linux", 96, line, "initrd", mac=mac)


def on_xen() -> list[bench.Row]:
    kernel = debian.kernel()
    if dom0.missing() or kernel is None:
        raise Problem(dom0.missing(), "run `make deps`")
    images = {"linux": vmlinux.extracted(kernel).read_bytes(), "initrd": linux.initrd()}
    with xen.Testbed(images, memory_mib=1800, seconds=SECONDS, clock="count") as bed:
        began = time.monotonic()
        boot = ended(bed, [guest(2, "client", UP, False)], 1)
        rows = [row(BOOT, "xen", boot[0], "I", began)]
        began = time.monotonic()
        moved = ended(bed, [guest(1, "server", SERVE, True), guest(2, "client", SEND, True)], 2)
        return [*rows, row(MOVE, "xen", (moved[1] - moved[0]) / BYTES, "I/byte", began)]


def ended(bed: xen.Testbed, guests: list[xen.Guest], count: int) -> list[float]:
    """What the last of them said of its time; dom0 looks seldom, for its looks are counted too."""
    try:
        for one in guests:
            bed.create(one)
        return times(bed.wait(guests[-1].name, SECONDS, period=LOOK).console, count)
    finally:
        for one in reversed(guests):
            bed.destroy(one.name)
