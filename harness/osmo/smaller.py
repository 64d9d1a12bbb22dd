# SPDX-License-Identifier: BSD-2-Clause
"""A failing run made small: fewer faults, fewer nodes, less time, until nothing can be left out.

Each probe is a run. A cluster without some of its nodes counts only if it fails in the same way with the faults
and holds without them: else it would fail for want of who is missing.
"""

import dataclasses
import re
from collections.abc import Callable, Sequence

from osmo import cluster as clusters, dump, result, run, shrink
from osmo.cluster import Cluster, Node
from osmo.errors import Problem
from osmo.faults import Fault
from osmo.words import names

Runner = Callable[[Cluster, run.Options], result.Result]
Tell = Callable[[str], None]


@dataclasses.dataclass
class Small:
    """What is left, and of how much."""

    cluster: Cluster
    faults: list[Fault]
    for_ns: int
    probes: int
    from_faults: int
    from_nodes: int


def failing(out: result.Result) -> set[str]:
    """What of a run did not hold: invariants, `expected`, or else its `ending`."""
    now = {name for name, v in out.invariants.items() if v["broken"]}
    now |= {"expected"} if any(not e["ok"] for e in out.expected) else set()
    return now or (set() if out.ok else {"ending"})


def missed(out: result.Result) -> set[str]:
    """Of which nodes something was expected in vain."""
    return {str(e.get("node", "")) for e in out.expected if not e["ok"]}


def named(cluster: Cluster, faults: Sequence[Fault]) -> set[str]:
    """Nodes that faults or media speak of, which cannot be left out while those are there."""
    words = {m.recorder or "" for m in cluster.media}
    for fault in faults:
        words |= {fault.name, fault.name.rsplit("-", 1)[0], *re.split(r"[\s,>|]+", fault.do)}
        words |= names(fault.after) if fault.after else set()
    return words & {n.name for n in cluster.nodes}


def together(cluster: Cluster) -> list[set[str]]:
    """Nodes that can be left out only with each other: a direct medium has two ends."""
    groups = [{n.name} for n in cluster.nodes]
    for ends in ({n.name for n in cluster.attached(m.name)} for m in cluster.media if m.direct):
        one = {name for group in groups if group & ends for name in group}
        groups = [group for group in groups if not group & one] + ([one] if one else [])
    return groups


def _kin(node: Node, nodes: Sequence[Node]) -> int:
    """How many of its kind are left."""
    def kind(n: Node) -> tuple[str, int]:
        return n.name.rstrip("0123456789"), n.count
    return sum(kind(n) == kind(node) for n in nodes) if node.count > 1 else 1


def without(cluster: Cluster, dropped: set[str]) -> Cluster:
    """The cluster as a file says it that names these nodes nowhere; a Problem where it cannot do without them."""
    left = [n for n in cluster.nodes if n.name not in dropped]
    nodes = [dataclasses.replace(n, number=cluster.first + i, count=_kin(n, left)) for i, n in enumerate(left)]
    expect = dataclasses.replace(
        cluster.expect, output={n: t for n, t in cluster.expect.output.items() if n not in dropped},
        exit={n: t for n, t in cluster.expect.exit.items() if n not in dropped})
    media = [m for m in cluster.media if m.outside or any(m.name in n.media for n in nodes)]
    part = dataclasses.replace(cluster, nodes=nodes, media=media, expect=expect,
                               until="" if cluster.until and names(cluster.until) & dropped else cluster.until)
    return clusters.parse(dump.cluster_text(part, [], cluster.seed, cluster.for_ns), cluster.path)


class Smaller:
    """One failing run on its way down."""

    def __init__(self, cluster: Cluster, options: run.Options, faults: list[Fault], broken: set[str],
                 runner: Runner, limit: int, tell: Tell) -> None:
        self.cluster, self.options, self.faults = cluster, options, faults
        self.broken, self.runner, self.limit = broken, runner, limit
        self.tell = tell
        self.probes = 0

    def run(self, cluster: Cluster, faults: Sequence[Fault], for_ns: int | None = None) -> result.Result:
        self.probes += 1
        self.tell(f"run {self.probes}, {len(faults)} of {len(self.faults)} faults, {len(cluster.nodes)} of "
                  f"{len(self.cluster.nodes)} nodes")
        one = dataclasses.replace(self.options, faults=list(faults), for_ns=for_ns or self.options.for_ns)
        return self.runner(cluster, one)

    def fewer_faults(self) -> bool:
        """Whether some could be left out."""
        few, _ = shrink.ddmin(self.faults, lambda some: same_failure(self.run(self.cluster, some), self.broken),
                              self.limit)
        fewer = len(few) < len(self.faults)
        self.faults = few
        return fewer

    def fewer_nodes(self) -> bool:
        """Likewise."""
        needed = named(self.cluster, self.faults)
        others = [group for group in together(self.cluster) if not group & needed]
        if not others:
            return False
        whole, vain = self.cluster, missed(self.run(self.cluster, self.faults))

        def dropped(some: Sequence[set[str]]) -> set[str]:
            return {name for group in others if group not in some for name in group}

        def fails(some: Sequence[set[str]]) -> bool:
            return not dropped(some) or self.stands(whole, dropped(some), vain)

        few, _ = shrink.ddmin(others, fails, self.limit)
        if len(few) == len(others):
            return False
        self.cluster = without(whole, dropped(few))
        return True

    def stands(self, whole: Cluster, dropped: set[str], vain: set[str]) -> bool:
        """Whether the failure is still there, and because of the faults, when these nodes are not."""
        try:
            part = without(whole, dropped)
            if any(f.target == "medium" and f.name not in {m.name for m in part.media} for f in self.faults):
                return False
            out = self.run(part, self.faults)
            if not same_failure(out, self.broken) or not missed(out) <= vain:
                return False
            return self.run(part, []).ok if self.faults else missed(out) == vain
        except Problem:
            return False


def same_failure(out: result.Result, broken: set[str]) -> bool:
    """Still the failure that is being shrunk, not another one."""
    return bool(failing(out) & broken)


def whole(cluster: Cluster, options: run.Options, seed: int) -> Small:
    """Nothing left out."""
    faults = cluster.all_faults(seed)
    return Small(cluster, faults, options.for_ns or cluster.for_ns, 0, len(faults), len(cluster.nodes))


def shrink_failure(cluster: Cluster, options: run.Options, seed: int, broken: set[str], runner: Runner,
                   limit: int = 100, tell: Tell = lambda _: None) -> Small:
    """Faults and nodes in turn until neither can spare one, then time; `tell` hears how far it is."""
    for_ns = options.for_ns or cluster.for_ns
    faults = cluster.all_faults(seed)
    options = dataclasses.replace(options, seed=seed)
    small = Smaller(cluster, options, faults, broken, runner, limit, tell)
    small.fewer_faults()
    while small.fewer_nodes() and small.fewer_faults():
        pass

    def fails(length: int) -> bool:
        return same_failure(small.run(small.cluster, small.faults, length), broken)

    short = shrink.least(for_ns, fails, max(1, for_ns // 16))
    return Small(small.cluster, small.faults, short, small.probes, len(faults), len(cluster.nodes))
