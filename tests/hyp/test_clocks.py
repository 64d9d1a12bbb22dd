# SPDX-License-Identifier: BSD-2-Clause
"""Seeded runs: the same plan and seed give the same bytes, from a fresh boot with the plan as
a module and from a machine restored at READY; another seed gives others (H15).
"""

import pathlib
import re
import time

import pytest

from osmo import abi
from osmo.memory import MailboxPage, OutputRing
from osmo.qemu import Qemu, Setup

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
HYPERVISOR = TOP / "build" / "hyp" / "osmosis"
GUEST = TOP / "build" / "guests" / "planned"
PLAN = b"do what the plan says"


def wait_for(machine: Qemu, state: abi.State, seconds: float = 400) -> MailboxPage:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and machine.alive():
        page = MailboxPage.find(machine.ram)
        if page and page.state() == state:
            return page
        if page and page.state() == abi.State.PANIC:
            break
        time.sleep(0.02)
    raise AssertionError(f"not at {state.name}:\n{machine.serial()}{machine.errors()}")


def output(machine: Qemu, page: MailboxPage) -> bytes:
    box = page.get()
    assert box.status == 0, machine.serial()
    ring = OutputRing(machine.ram, box.output, box.output_size)
    assert ring.lost() == 0
    return ring.bytes_at(0, ring.produced())


def seeded(clock: str, seed: int, **changes: object) -> Setup:
    return Setup(kernel=HYPERVISOR, append=f"clock={clock} seed={seed}", machine="microvm",
                 clock="count" if clock == "count" else "real", memory_mib=64,
                 **changes)  # type: ignore[arg-type]


def fresh(clock: str, seed: int, directory: pathlib.Path) -> bytes:
    (directory / "plan").write_bytes(PLAN)
    with Qemu(seeded(clock, seed, modules=[(GUEST, ""), (directory / "plan", "")])) as machine:
        return output(machine, wait_for(machine, abi.State.DONE))


def restored(clock: str, seeds: list[int]) -> list[bytes]:
    """Boots once, then takes each seed from the same snapshot."""
    results = []
    with Qemu(seeded(clock, 0, modules=[(GUEST, "")], snapshots=True)) as machine:
        wait_for(machine, abi.State.READY)
        machine.stop()
        machine.save("ready")
        for seed in seeds:
            machine.load("ready")
            page = MailboxPage.find(machine.ram)
            assert page
            page.give_plan(PLAN, seed)
            machine.resume()
            results.append(output(machine, wait_for(machine, abi.State.DONE)))
            machine.stop()
    return results


@pytest.mark.parametrize("clock", ["count", "event"])
def test_same_plan_same_bytes(clock: str, tmp_path: pathlib.Path) -> None:
    first = fresh(clock, 7, tmp_path)
    assert PLAN in first and b"seed 7" in first and b"round 180" in first
    assert fresh(clock, 7, tmp_path) == first
    again, other, third = restored(clock, [7, 8, 7])
    assert again == first
    assert third == first
    assert other != first and b"seed 8" in other


def test_full_output_ring_ends_a_seeded_run(tmp_path: pathlib.Path) -> None:
    """A full ring is an error with a name, never lost output."""
    (tmp_path / "plan").write_bytes(PLAN)
    small = seeded("count", 7, modules=[(GUEST, ""), (tmp_path / "plan", "")])
    small.append += " output=512"
    with Qemu(small) as machine:
        limit = time.monotonic() + 400
        while time.monotonic() < limit and not re.search("finished.*\n", machine.serial()):
            time.sleep(0.05)
        page = MailboxPage.find(machine.ram)
        assert page and page.get().status == 1, machine.serial()
        assert "the output ring is full" in machine.serial()
