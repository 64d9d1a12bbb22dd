# SPDX-License-Identifier: BSD-2-Clause
"""What must hold whatever fails, checked from the trace and the end of each node.

loss, duplicate, order: guaranteed messages arrive once, in the order of (sender, receiver);
one-copy: a process acts in one place; isolation: no node ends by a crash that no fault asked
for, nothing is delivered that nobody sent, and a bystander's memory is what it is without the
faults; leak: what was held at the start is free at the end; liveness: when faults are over, what
is waiting arrives within a bounded time.
"""

import dataclasses
from collections.abc import Callable

from osmo import bystanders, schema, units
from osmo.collect import Event
from osmo.history import History, Step
from osmo.ledger import Ledger, Message
from osmo.result import Verdict


@dataclasses.dataclass
class Case:
    """A finished run as the checks see it. `hit`: nodes that a fault stopped or may have
    broken, so that their end is no surprise; `calm_ns`: when the last fault was over;
    `undisturbed`: what bystanders' memory comes to without the faults."""

    history: History
    ledger: Ledger
    events: list[Event]
    hit: set[str]
    calm_ns: int
    end_ns: int
    heal_ns: int
    undisturbed: dict[str, int] = dataclasses.field(default_factory=dict)


def _where(step: Step) -> str:
    return f"{units.short_time(step.record.ns)}, node {step.node}"


def _name(case: Case, process: tuple[int, int]) -> str:
    return f"{case.history.name_of(process[0])}/{process[1]}"


def _words(case: Case, m: Message) -> str:
    return (f"message {m.sequence} from {_name(case, m.sender)} to {_name(case, m.target)}, "
            f"sent at {units.short_time(m.sent_ns)}")


def _stops(case: Case) -> dict[int, int]:
    """When each machine first stopped, by its number."""
    stops: dict[int, int] = {}
    for life in case.history.lives:
        if life.end_ns is not None:
            stops[life.number] = min(life.end_ns, stops.get(life.number, life.end_ns))
    return stops


def _bound(case: Case, m: Message) -> int:
    """By when it must have arrived."""
    return max(m.sent_ns, case.calm_ns) + case.heal_ns


def _excused(case: Case, m: Message, stops: dict[int, int]) -> bool:
    """Its target is no more, or one of the two machines stopped before its time was up."""
    never = case.end_ns + 1
    return (m.dropped or m.to_kernel or m.target in case.ledger.ended
            or min(stops.get(m.sender[0], never), stops.get(m.target[0], never)) <= _bound(case, m))


def check_loss(case: Case) -> Verdict:
    """Sent long enough before the end, to a process that lives: it was delivered."""
    verdict = Verdict()
    stops = _stops(case)
    for m in case.ledger.messages.values():
        if m.delivered_ns is None and (_bound(case, m) > case.end_ns or _excused(case, m, stops)):
            continue
        verdict.checked += 1
        if m.delivered_ns is None:
            verdict.breach(_words(case, m) + " never arrived")
    return verdict


def check_duplicate(case: Case) -> Verdict:
    verdict = Verdict(checked=case.ledger.receipts)
    for step, m in case.ledger.duplicates:
        verdict.breach(f"{_where(step)}: {_words(case, m)} was received again")
    return verdict


def check_order(case: Case) -> Verdict:
    verdict = Verdict(checked=case.ledger.deliveries)
    for step, last in case.ledger.order:
        verdict.breach(f"{_where(step)}: message {step.record.b} of "
                       f"{step.record.a >> 32}/{step.record.a & 0xffffffff} came after {last}")
    return verdict


def check_one_copy(case: Case) -> Verdict:
    verdict = Verdict(checked=case.ledger.acts)
    for step in case.ledger.copies:
        verdict.breach(f"{_where(step)}: process {_name(case, case.ledger.process(step))} acts here "
                       "though it lives elsewhere")
    return verdict


def check_isolation(case: Case) -> Verdict:
    verdict = Verdict(checked=len(case.history.lives) + case.ledger.deliveries)
    for step in case.ledger.forged:
        verdict.breach(f"{_where(step)}: got message {step.record.b} of "
                       f"{step.record.a >> 32}/{step.record.a & 0xffffffff}, which nobody sent")
    for event in case.events:
        if event.event == "exit" and event.fields.get("reason") == "crash" and event.name not in case.hit:
            verdict.breach(f"{units.short_time(event.ns)}: node {event.name} crashed, and no fault hit it")
    seen = bystanders.digests(case.events)
    for name, digest in case.undisturbed.items():
        verdict.checked += 1
        if seen.get(name) != digest:
            verdict.breach(f"the memory of {name}, a bystander, is not what it is without the faults")
    return verdict


def check_leak(case: Case) -> Verdict:
    """A `held` event at the end says what domains hold once all of them are gone, and what was held before
    the first: WHAT_before and WHAT_after. Runs with disks in memory have none."""
    verdict = Verdict()
    for event in case.events:
        for key, before in event.fields.items() if event.event == "held" else ():
            what = key.removesuffix("_before")
            if what == key:
                continue
            verdict.checked += 1
            after = event.fields.get(f"{what}_after")
            if after != before:
                verdict.breach(f"{what} held before {before}, after {after}")
    return verdict


def check_liveness(case: Case) -> Verdict:
    """What was on its way when the last fault ended has arrived within the bound."""
    verdict = Verdict()
    stops = _stops(case)
    for m in case.ledger.messages.values():
        bound = _bound(case, m)
        if m.delivered_ns is None and (bound > case.end_ns or _excused(case, m, stops)):
            continue
        verdict.checked += 1
        if m.delivered_ns is None or m.delivered_ns > bound:
            verdict.breach(_words(case, m) + f" had not arrived by {units.short_time(bound)}")
    return verdict


CHECKS: dict[str, Callable[[Case], Verdict]] = {
    "loss": check_loss,
    "duplicate": check_duplicate,
    "order": check_order,
    "one-copy": check_one_copy,
    "isolation": check_isolation,
    "leak": check_leak,
    "liveness": check_liveness,
}
assert tuple(CHECKS) == schema.INVARIANTS


def check(case: Case, names: list[str] | None = None) -> dict[str, Verdict]:
    return {name: CHECKS[name](case) for name in names or CHECKS}
