# SPDX-License-Identifier: BSD-2-Clause
"""From a finished session to a result: invariants, expectations, nodes, faults as they fired."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from osmo import abi, disks, faults as faults_of, invariants, media_words, packets, result, units
from osmo.cluster import Cluster
from osmo.collect import Collector, Event
from osmo.faults import Fault
from osmo.history import History, Life
from osmo.invariants import Case
from osmo.ledger import Ledger
from osmo.session import Ending
from osmo.types import DISK_STRUCK, DISK_WHY, Kernel, Net, cause

# While one of these lasts, nothing need arrive; the others only make the way harder.
OUTAGES = {"cut", "partition", "flap", "stall", "pause", "slow", "crash", "restart", "queue", "rate",
           "skew", "strobe", "drift", "freeze", "unplug", "hang", "snapshot", "save", "restore"}
STOPS = {"crash", "restart", "flip", "exception", "fail_frame", "fail_grant", "fail_port"}
# By which record of the hypervisor a fault of a node shows.
SHOWN_AS = {"pause": "pause", "skew": "clock", "strobe": "clock", "drift": "clock", "freeze": "clock",
            "crash": "end", "restart": "end", "squeeze": "squeeze"}
# What is done by the plan alone and leaves no record of its own.
BY_PLAN = ("slow", "unplug", "hang", "kill", "foe-", "snapshot", "save", "restore")

Strike = tuple[int, str, str]  # when, at a frame from whom to whom


def history(numbers: dict[str, int], events: list[Event], trace: bytes) -> History:
    """Nodes' lives from the start, exit and destroyed events; `numbers` by node name."""
    lives: list[Life] = []
    domids: dict[int, int] = {}
    open_life: dict[str, int] = {}
    last: dict[str, int] = {}
    for event in events:
        if event.fields.get("restored") == "on" and event.name in last:
            # The life that was written down goes on, in another domain.
            domids[int(event.fields["domid"])] = open_life[event.name] = last[event.name]
            lives[last[event.name]] = dataclasses.replace(lives[last[event.name]], end_ns=None, reason="")
        elif event.event == "start" and "domid" in event.fields:
            _close(lives, open_life, event.name, event.ns, "restarted")
            domids[int(event.fields["domid"])] = open_life[event.name] = last[event.name] = len(lives)
            lives.append(Life(event.name, numbers.get(event.name, 0), event.ns, None))
        elif event.event in ("exit", "destroyed"):
            _close(lives, open_life, event.name, event.ns, str(event.fields.get("reason", event.event)))
    return History(trace, lives, domids)


def _close(lives: list[Life], open_life: dict[str, int], name: str, ns: int, reason: str) -> None:
    index = open_life.pop(name, None)
    if index is not None:
        lives[index] = dataclasses.replace(lives[index], end_ns=ns, reason=reason)


def moments(faults: list[Fault], events: list[Event]) -> dict[Fault, int]:
    """When each fault that waited for a condition began, of those whose condition came."""
    at = {str(e.fields.get("command")): e.ns for e in reversed(events) if e.event == "fired"}
    return {f: at[f.lines()[0]] for f in faults if f.after and f.lines()[0] in at}


def calm_after(faults: list[Fault], end_ns: int, begun: Mapping[Fault, int] | None = None) -> int:
    """When the last outage is over; never, if one has no end."""
    calm = 0
    for fault in faults:
        words = fault.do.split()
        at = fault.at_ns if fault.at_ns is not None else (begun or {}).get(fault)
        if words[0] not in OUTAGES or at is None:
            continue
        over = at + fault.for_ns if fault.for_ns is not None else end_ns
        if words[0] in ("crash", "restart", "snapshot", "restore"):
            over = at
        elif words[0] in ("stall", "hang"):
            over = at + units.time_ns(words[1])
        elif words[0] in ("skew", faults_of.STROBE):
            # What waits for a time that a clock was set back from waits that much longer.
            over = at + (fault.for_ns or 0) + abs(faults_of.step_ns(words))
        calm = max(calm, over)
    return min(calm, end_ns)


def case(cluster: Cluster, collector: Collector, faults: list[Fault], end_ns: int,
         undisturbed: dict[str, int] | None = None) -> Case:
    told = history({n.name: n.number for n in cluster.nodes}, collector.events, bytes(collector.trace))
    hit = {f.name for f in faults if f.target == "node" and f.do.split()[0] in STOPS}
    return Case(told, Ledger(told), collector.events, hit,
                calm_after(faults, end_ns, moments(faults, collector.events)), end_ns,
                cluster.expect.heal_ns, undisturbed or {})


def expectations(cluster: Cluster, collector: Collector) -> list[dict[str, Any]]:
    """The workload's own word: what consoles show and how nodes end."""
    said = []
    for node, text in cluster.expect.output.items():
        said.append({"node": node, "output": text, "ok": text in collector.text(node)})
    for node, reason in cluster.expect.exit.items():
        ended = collector.ended.get(node)
        seen = ended.reason if ended else "running"
        said.append({"node": node, "exit": reason, "seen": seen, "ok": seen == reason})
    return said


def _at_ways(told: History, faults: list[Fault], media: dict[str, int], capture: bytes) -> dict[str, list[Strike]]:
    """What media did to frames, by cause and medium: when, and from whose port to whose. Who that is takes a
    capture, and is asked only where a fault is of some ways."""
    records = [s.record for s in told.steps if s.record.type in (Net.MEDIUM_DROP, Net.MEDIUM_FAULT)]
    some = any(f.target == "medium" and media_words.ways(f.do.split()) for f in faults)
    names = packets.ports(capture, records, media) if some else {}
    strikes: dict[str, list[Strike]] = {}
    for record in records:
        source, target = packets.way(record)
        strike = (record.ns, names.get(source, ""), names.get(target, ""))
        strikes.setdefault(f"{cause(record.b)} {record.who}", []).append(strike)
    return strikes


def fired(told: History, faults: list[Fault], media: dict[str, int], events: list[Event],
          capture: bytes = b"") -> list[dict[str, Any]]:
    """Each planned fault with how often it struck, from the media's, disks' and hypervisor's records, and what the
    control domain says of its store; `media` are their numbers by name."""
    strikes: dict[str, list[int]] = {}
    frames = _at_ways(told, faults, media, capture)
    begun = moments(faults, events)
    for event in events:
        if event.event == "store-fault":
            strikes.setdefault(f"store {event.fields.get('point')}", []).extend(
                [event.ns] * int(event.fields.get("count", 1)))
    for step in told.steps:
        if step.record.type == DISK_STRUCK and step.record.a < len(DISK_WHY):
            strikes.setdefault(f"{DISK_WHY[step.record.a]} {step.record.who}", []).append(step.record.ns)
        elif step.record.type == abi.Trace.INJECT:
            strikes.setdefault(f"{abi.point(step.record.who)} {step.node}", []).append(step.record.ns)
        elif step.record.type == Kernel.MEMORY:
            strikes.setdefault(f"squeeze {step.node}", []).append(step.record.ns)
        elif step.record.type == abi.Trace.DOMAIN_PAUSE:
            strikes.setdefault(f"pause {step.node}", []).append(step.record.ns)
        elif step.record.type in (abi.Trace.SKEW, abi.Trace.DOMAIN_DESTROY):
            what = "clock" if step.record.type == abi.Trace.SKEW else "end"
            strikes.setdefault(f"{what} {step.node}", []).append(step.record.ns)
    rows = []
    for fault in faults:
        word = fault.do.split()[0]
        name = f"{'nth' if word == 'drop' else word} {media.get(fault.name, 0)}"
        if fault.target == "disk":
            name = f"{word} {disks.number(fault.name)}"
        elif fault.target == "store":
            name = " ".join(fault.do.split()[:2])
        elif word in SHOWN_AS:
            name = f"{SHOWN_AS[word]} {fault.name}"
        elif word in abi.POINTS:
            name = f"{word} {fault.name}"
        times = strikes.get(name, [])
        if fault.target == "medium":
            ways = media_words.ways(fault.do.split())
            times = [ns for ns, source, target in frames.get(name, []) if media_words.goes(source, target, ways)]
        at = fault.at_ns if fault.at_ns is not None else begun.get(fault)
        if word.startswith(BY_PLAN) and at is not None and told.times and at <= told.times[-1]:
            times = [at]
        end = (at or 0) + fault.for_ns if fault.for_ns is not None else None
        inside = [ns for ns in times if at is not None and ns >= at and (end is None or ns <= end)]
        inside = inside[:1] if word in ("crash", "restart") else inside
        rows.append({"id": fault.id, "do": fault.do, "target": fault.target, "name": fault.name,
                     "at_ns": fault.at_ns, "for_ns": fault.for_ns, "after": fault.after,
                     "struck": len(inside), "first_ns": inside[0] if inside else None})
    return rows


def nodes(cluster: Cluster, collector: Collector, told: History) -> list[dict[str, Any]]:
    rows = []
    counts: dict[str, dict[int, int]] = {}
    for step in told.steps:
        mine = counts.setdefault(step.node, {})
        mine[step.record.type] = mine.get(step.record.type, 0) + 1
    for node in cluster.nodes:
        ended, mine = collector.ended.get(node.name), counts.get(node.name, {})
        rows.append({"name": node.name, "number": node.number, "machine": node.machine,
                     "memory": node.memory, "media": node.media,
                     "ended": ended.reason if ended else "running",
                     "ended_ns": ended.ns if ended else None,
                     "starts": sum(life.node == node.name for life in told.lives),
                     "sent": mine.get(Kernel.SEND, 0), "received": mine.get(Kernel.RECEIVE, 0),
                     "console_bytes": len(collector.consoles.get(node.name, b""))})
    return rows


SUMMED = ("run_ns", "exits", "hypercalls", "upcalls", "sends", "grants", "faults", "copied_bytes")


def used(collector: Collector) -> list[dict[str, Any]]:
    """What each domain has cost in all its lives; memory as its last one held it."""
    rows = []
    for name, lives in collector.used.items():
        rows.append({"name": name, "lives": len(lives),
                     **{key: sum(int(one.get(key, 0)) for one in lives) for key in SUMMED},
                     "frames": int(lives[-1].get("frames", 0)), "overhead": int(lives[-1].get("overhead", 0))})
    return sorted(rows, key=lambda row: str(row["name"]))


def first_breach(ledger: Ledger, lost: int) -> int | None:
    """The virtual time of the earliest breach the trace shows; `lost`: how many messages were."""
    times = [step.record.ns for step, _ in ledger.duplicates]
    times += [step.record.ns for step, _ in ledger.order] + [step.record.ns for step in ledger.forged]
    times += [step.record.ns for step in ledger.copies]
    if lost:
        times += [m.sent_ns for m in ledger.messages.values()
                  if m.delivered_ns is None and not m.dropped and not m.to_kernel]
    return min(times, default=None)


def servers(cluster: Cluster, collector: Collector, faults: list[Fault]) -> list[str]:
    """The fabric and the disks' domain end with the run, or by a fault."""
    known = {n.name for n in cluster.nodes} | {f.name for f in faults if f.target == "node"}
    return [f"{name}, which serves the nodes, crashed: {collector.last_line(name)}"
            for name, ended in collector.ended.items() if name not in known and ended.reason == "crash"]


def lost_records(collector: Collector) -> int:
    """Records that a ring had no room for, as the control domain counted them."""
    return sum(int(event.fields.get("trace_lost", 0)) for event in collector.events if event.event == "finish")


def judge(cluster: Cluster, collector: Collector, ending: Ending, faults: list[Fault],
          seed: int, clock: str, undisturbed: dict[str, int] | None = None) -> result.Result:
    """Everything but what belongs to the machine it ran on (qemu, git, wall time)."""
    facts = case(cluster, collector, faults, ending.virtual_ns, undisturbed)
    names = cluster.expect.invariants
    lost = lost_records(collector)
    verdicts = invariants.check(facts, names) if cluster.trace and not lost else {}
    out = result.Result(name=cluster.name, cluster=cluster.path, seed=seed, clock=clock)
    out.invariants = {name: dataclasses.asdict(v) for name, v in verdicts.items()}
    out.expected = expectations(cluster, collector)
    out.nodes = nodes(cluster, collector, facts.history)
    numbers = {m.name: number for number, m in enumerate(cluster.carried(), 1)}
    out.faults = fired(facts.history, faults, numbers, collector.events, bytes(collector.capture))
    out.media = [{"name": m.name, "kind": m.kind, "number": numbers.get(m.name, 0)} for m in cluster.media]
    out.digests = collector.digests()
    out.trace_lost = lost
    out.status, out.reason, out.virtual_ns = ending.status, ending.reason, ending.virtual_ns
    wrong = collector.errors()
    if ending.how != "done":
        wrong.insert(0, f"{ending.how}: {ending.reason}")
    elif ending.status:
        wrong.insert(0, f"the run ended with status {ending.status}: {ending.reason}")
    wrong += servers(cluster, collector, faults)
    wrong += [f"invariant {name} broken {v.broken} times: {v.first[0]}"
              for name, v in verdicts.items() if v.broken]
    wrong += [f"node {e['node']}: expected {e.get('output', e.get('exit'))!r}" for e in out.expected
              if not e["ok"]]
    out.error = "\n".join(wrong)
    out.ok, out.exit = not wrong, 1 if wrong else 0
    out.used = used(collector)
    if wrong:
        out.broken_ns = first_breach(facts.ledger, verdicts["loss"].broken if "loss" in verdicts else 0)
    return out
