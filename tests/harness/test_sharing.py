# SPDX-License-Identifier: BSD-2-Clause
"""What components of a running cluster have in common, read from the machine's tables while it stands still."""

import collections
import pathlib
import shutil
import struct
import tempfile
import time

import pytest

from osmo import cluster, layout, paths, processes, qemu, run
from osmo.collect import Collector
from osmo.inside import PAGE, USER, WRITE, Domain, Inside, Mapping
from osmo.session import Session

HYPERVISOR = paths.build() / "hyp" / "osmosis.64"
DEMO = paths.TOP / "harness" / "clusters" / "demo.toml"
ENTRY = struct.Struct("<HHI")  # xen/grant_table.h, version 1: flags, domain, frame
ACCESS, READ_ONLY, KIND = 1, 4, 3
CONTROL, FABRIC = 0, 1
OWN, CAPTURE = 2 + 64, 256  # pages: console, store and the trace's ring; the captures' ring
Holders = dict[int, dict[str, bool]]  # of a frame: who, and whether they may write it


def pages(mapping: Mapping) -> range:
    return range(mapping.physical, mapping.physical + mapping.length, PAGE)


def common(holders: Holders) -> dict[int, list[str]]:
    """Frames that somebody may write and others have as well."""
    return {frame: sorted(who) for frame, who in holders.items() if len(who) > 1 and any(who.values())}


def of_processes(node: Domain, image: pathlib.Path) -> tuple[int, Holders]:
    holders: Holders = collections.defaultdict(dict)
    there = processes.Kernel(node, image).processes()
    for process in there:
        for m in node.virtual(process.root, high=False):
            for frame in pages(m) if m.flags & USER else ():
                holders[frame][process.label] = holders[frame].get(process.label, False) or bool(m.flags & WRITE)
    return len(there), holders


def granted(inside: Inside, domains: dict[int, Domain]) -> set[tuple[int, int, int, bool]]:
    """Who lends which frame of the machine to whom, and whether to be written."""
    of = layout.member
    at = layout.ask(HYPERVISOR, grant=of("domain", "grant"), count=of("grant_table", "frames"),
                    frames=of("grant_table", "frame"), entries=of("grant_frame", "entries"))
    found = set()
    for domid, where in inside.domains().items():
        table = inside.number(where + at["grant"])
        own = {(m.virtual + i) // PAGE: m.physical + i
               for m in domains[domid].pages for i in range(0, m.length, PAGE)}
        for i in range(inside.number(table + at["count"], 4)):
            shared = inside.number(inside.number(table + at["frames"]) + 8 * i)
            for flags, to, gfn in ENTRY.iter_unpack(inside.read(inside.number(shared + at["entries"]), PAGE)):
                if flags & KIND == ACCESS and gfn in own:
                    found.add((domid, to, own[gfn], not flags & READ_ONLY))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(qemu.BINARY) or not paths.image("node").is_file(),
                    reason="not built, or QEMU is not installed")
def test_nothing_is_shared_that_can_be_written_but_rings() -> None:
    """DP06: five nodes with servers, clients and a pager. No process has a page that another one may write. Two
    domains have such a page in common where one has granted it to the other, no two nodes have any, and the
    control domain, which builds them, has each one's console, store and trace and the fabric's captures."""
    made = cluster.load(DEMO)
    with tempfile.TemporaryDirectory(dir=paths.scratch_parent()) as scratch:
        prepared = run.prepare(made, run.Options(clock="count"), pathlib.Path(scratch))
        with qemu.Qemu(prepared.setup) as machine:
            session, until = Session(machine, Collector(), True), time.monotonic() + 150
            assert session.ready() is None
            while "tour: counter is on machine 5" not in session.collector.text("home"):
                assert session.poll() is None and time.monotonic() < until
                time.sleep(0.05)
            machine.stop()
            inside = Inside(machine.ram, HYPERVISOR, machine.monitor.human("info registers -a"))
            domains = {domid: inside.domain(domid) for domid in inside.domains()}
            nodes = sorted(domains)[2:]  # behind the control domain and the fabric
            assert len(nodes) == len(made.nodes)
            looked = [of_processes(domains[n], paths.image("node")) for n in nodes]
            lent = granted(inside, domains)
    assert sum(count for count, _ in looked) >= 15
    assert any(len(who) > 1 for _, holders in looked for who in holders.values()), "texts of programs are shared"
    assert [common(holders) for _, holders in looked] == [{}] * len(nodes)
    holders: Holders = collections.defaultdict(dict)
    for domid, domain in domains.items():
        for m in domain.pages:
            for frame in pages(m):
                holders[frame][str(domid)] = bool(m.flags & WRITE)
    shared = common(holders)
    pairs = collections.Counter(tuple(sorted(map(int, who))) for who in shared.values())
    assert {pair: count for pair, count in pairs.items() if pair[0] == CONTROL} == {
        (CONTROL, FABRIC): OWN + CAPTURE, **{(CONTROL, n): OWN for n in nodes}}
    assert set(pairs) == {(CONTROL, FABRIC), *((d, n) for d in (CONTROL, FABRIC) for n in nodes)}
    for frame, who in shared.items():
        fabric, node = sorted(map(int, who))
        if fabric == FABRIC:
            write = holders[frame][str(FABRIC)]
            assert {(node, FABRIC, frame, True), (node, FABRIC, frame, write)} & lent, f"{frame:#x} is no grant"
