# SPDX-License-Identifier: BSD-2-Clause
"""The ledger finds each kind of breach, and only what is one (H20, DN15 from outside)."""

import dataclasses
import pathlib
import random
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from osmo import bystanders, invariants, types
from osmo.collect import Event
from osmo.faults import Fault
from osmo.history import Life
from osmo.invariants import Case
from osmo.types import Kernel
from synthetic import MS, World

TOP = pathlib.Path(__file__).resolve().parents[2]


def broken(case: Case) -> dict[str, int]:
    return {name: v.broken for name, v in invariants.check(case).items() if v.broken}


def test_sound_traffic_breaks_nothing_and_is_counted() -> None:
    world = World()
    world.traffic()
    verdicts = invariants.check(world.case())
    assert not any(v.broken for v in verdicts.values())
    assert verdicts["loss"].checked == verdicts["order"].checked == 30


def test_the_order_in_which_domains_are_drained_does_not_matter() -> None:
    world = World()
    world.traffic()
    random.Random(3).shuffle(world.records)
    world.records.sort(key=lambda r: r.domid)
    world.records = sorted(world.records, key=lambda r: (r.domid, r.ns))
    assert broken(world.case()) == {}


def test_a_lost_message() -> None:
    world = World()
    world.traffic()
    world.send(50 * MS, 1, 2)
    case = world.case()
    assert broken(case) == {"loss": 1, "liveness": 1}
    assert "message 11 from n1/5 to n2/5, sent at 50 ms" in invariants.check_loss(case).first[0]


def test_sent_too_late_to_be_due() -> None:
    world = World()
    world.send(950 * MS, 1, 2)
    assert broken(world.case()) == {}


def test_a_lasting_fault_extends_the_time() -> None:
    world = World()
    number = world.send(50 * MS, 1, 2)
    world.deliver(700 * MS, 1, 2, number)
    assert broken(world.case()) == {"liveness": 1}
    assert broken(world.case(calm_ns=650 * MS)) == {}


def test_a_duplicate() -> None:
    world = World()
    number = world.message(MS, 1, 2)
    world.at(9 * MS, 2, Kernel.RECEIVE, 5, 1 << 32 | 5, number)
    assert broken(world.case()) == {"duplicate": 1}


def test_disorder() -> None:
    world = World()
    one, two = world.send(MS, 1, 2), world.send(2 * MS, 1, 2)
    world.deliver(3 * MS, 1, 2, two)
    world.deliver(4 * MS, 1, 2, one)
    assert broken(world.case()) == {"order": 1}


def test_order_is_per_pair_of_processes() -> None:
    world = World()
    one, two = world.send(MS, 1, 2), world.send(2 * MS, 1, 3)
    world.deliver(3 * MS, 1, 3, two)
    world.deliver(4 * MS, 1, 2, one)
    assert broken(world.case()) == {}


def test_a_forgery() -> None:
    world = World()
    world.deliver(3 * MS, 1, 2, 77)
    assert broken(world.case()) == {"isolation": 2}


def test_two_live_copies() -> None:
    world = World()
    world.at(5 * MS, 2, Kernel.CREATE, 7, 7, 1 << 32 | 1)
    world.at(5 * MS, 3, Kernel.CREATE, 7, 7, 1 << 32 | 1)
    world.at(6 * MS, 2, Kernel.SEND, 7, 1 << 32 | 5, 1)
    assert broken(world.case(end_ns=7 * MS)) == {"one-copy": 1}


def test_a_migration_with_its_queue_is_no_breach() -> None:
    """Delivered at the old place, sent on, delivered at the new one, received there."""
    world = World()
    one, two = world.send(MS, 1, 2), world.send(2 * MS, 1, 2)
    for number in (one, two):
        world.at(3 * MS, 2, Kernel.DELIVER, 5, 1 << 32 | 5, number)
    world.at(4 * MS, 3, Kernel.CREATE, 5, 5, 2 << 32 | 1)
    for number in (one, two):
        world.deliver(5 * MS, 1, 3, number)
    world.at(6 * MS, 2, Kernel.CREATE, 5, 5, 2 << 32 | 1)
    three = world.send(7 * MS, 1, 2)
    world.deliver(8 * MS, 1, 2, three)
    assert broken(world.case()) == {}


def test_what_is_sent_to_the_dead_is_excused() -> None:
    world = World()
    number = world.send(MS, 1, 2)
    world.at(2 * MS, 2, Kernel.DROP, 5, 1 << 32 | 5, number)
    world.send(3 * MS, 1, 3)
    world.at(4 * MS, 3, Kernel.END, 5, 0, 0)
    assert broken(world.case()) == {}


def test_a_node_that_stopped_excuses_only_what_was_on_its_way() -> None:
    world = World()
    world.send(MS, 1, 2)
    world.send(400 * MS, 1, 2)
    world.lives[1] = Life("n2", 2, 0, 450 * MS, "destroyed")
    assert broken(world.case()) == {"loss": 1, "liveness": 1}


def test_a_restarted_node_counts_from_one_again() -> None:
    world = World()
    world.message(MS, 1, 2)
    world.lives[0] = Life("n1", 1, 0, 10 * MS, "destroyed")
    world.lives.append(Life("n1", 1, 20 * MS, None))
    world.domids[14] = 3
    world.at(21 * MS, 4, Kernel.CREATE, 5, 5, 1 << 32 | 2)
    world.at(22 * MS, 4, Kernel.SEND, 5, 2 << 32 | 5, 1)
    world.at(23 * MS, 2, Kernel.RECEIVE, 5, 1 << 32 | 5, 1)
    found = broken(world.case())
    assert "duplicate" not in found and "isolation" not in found


def test_a_crash_that_no_fault_asked_for() -> None:
    world = World()
    world.events.append(Event(5, "exit", "n2", {"reason": "crash"}))
    assert broken(world.case()) == {"isolation": 1}
    assert broken(world.case(hit={"n2"})) == {}


def test_a_leak() -> None:
    world = World()
    world.events.append(Event(5, "held", "", {"ns": 5, "frames_before": 10, "frames_after": 11,
                                              "overhead_before": 1, "overhead_after": 1}))
    case = world.case()
    assert broken(case) == {"leak": 1} and invariants.check_leak(case).checked == 2


@pytest.mark.parametrize("seed", range(10))
def test_any_single_record_left_out_of_deliveries_is_found(seed: int) -> None:
    """The checks do not sleep: whichever message loses its arrival, loss says so."""
    world = World()
    world.traffic(60)
    rng = random.Random(seed)
    victim = rng.choice([r for r in world.records if r.type == Kernel.DELIVER])
    world.records = [r for r in world.records if not (
        r.type in (Kernel.DELIVER, Kernel.RECEIVE) and (r.domid, r.a, r.b) == (victim.domid, victim.a,
                                                                               victim.b))]
    assert broken(world.case())["loss"] == 1


def test_many_records_are_read_in_reasonable_time() -> None:
    world = World()
    for i in range(20000):
        world.message(1000 * i, 1 + i % 3, 1 + (i + 1) % 3, 500)
    assert broken(dataclasses.replace(world.case(), end_ns=10**9)) == {}


def test_types_are_those_of_the_c_headers(tmp_path: pathlib.Path) -> None:
    source = tmp_path / "t.c"
    lines = [f'printf("%u\\n", (unsigned)KERNEL_T_{t.name.lower()});' for t in types.Kernel]
    lines += [f'printf("%u\\n", (unsigned)NET_T_{t.name});' for t in types.Net]
    source.write_text('#include <stdio.h>\n#include "guest/kernel/trace.h"\n#include "net/trace.h"\n'
                      'int main(void) {' + "\n".join(lines) + "return 0; }")
    subprocess.run(["gcc", "-I", str(TOP), "-o", str(tmp_path / "t"), str(source)], check=True)
    said = subprocess.run([str(tmp_path / "t")], check=True, capture_output=True, text=True).stdout
    assert [int(x) for x in said.split()] == [*map(int, types.Kernel), *map(int, types.Net)]


def test_a_bystanders_memory_must_be_what_it_is_undisturbed() -> None:
    """Isolation: another digest is a breach, and so is none; who is not expected to be spared is not asked for."""
    world = World()
    seen = [Event(5, "digest", "apart", {"name": "apart", "digest": 7}), Event(5, "digest", "b", {"digest": 1})]

    def verdict(events: list[Event], undisturbed: dict[str, int]) -> tuple[int, int]:
        one = invariants.check_isolation(world.case(events=events, undisturbed=undisturbed))
        return one.checked - len(world.lives), one.broken
    assert verdict(seen, {"apart": 7}) == (1, 0) and verdict(seen, {"apart": 8}) == (1, 1)
    assert verdict([], {"apart": 7, "b": 1}) == (2, 2) and verdict(seen, {}) == (0, 0)
    hit = Fault("pause", "node", "b", 1)
    assert bystanders.spared(seen, [hit]) == {"apart": 7}
