# SPDX-License-Identifier: BSD-2-Clause
"""Several domains in the machine, made by a guest of one file: what happens to one of them,
what the scheduler gives to each, and how the hypervisor protects itself."""

import re
import time

import pytest

from osmo import abi
from osmo.memory import MailboxPage, OutputRing
from osmo.qemu import Qemu, Setup
from test_boot import END, GUESTS, HYPERVISOR, passed, run


def test_two_share_and_caps_hold() -> None:
    """H03: two spinning domains within 2 % of a half, caps and weights within 2 %, no exit and
    no time for one that waits; the same figures each time."""
    said = [run("share", append="clock=count", clock="count") for _ in range(2)]
    assert passed(said[0]), said[0]
    figures = [re.findall(r"^time .*$", s, re.M) for s in said]
    assert len(figures[0]) == 4 and figures[0] == figures[1]


@pytest.mark.parametrize("clock", ["count", "real"])
def test_one_domains_end_is_its_own(clock: str) -> None:
    """H03, F26: endless exits, a state that VMRUN refuses, and memory that is promised and not there
    end that domain with a report; injected exceptions and pre-emption strike where they were
    aimed; debug keys show everybody."""
    said = run("lives", append=f"clock={clock}", clock=clock, memory_mib=144)
    assert passed(said), said
    assert re.search(r"^domain 2 crashed: endless exits: guest-physical [0-9a-f]+ is touched", said, re.M), said
    assert re.search(r"^domain 3 crashed: exit f+, which cannot be handled$", said, re.M), said
    greedy = r"^domain 4 crashed: out of memory: no frame for guest-physical [4-7]\w{7}$"
    assert re.search(greedy, said, re.M), said
    assert len(re.findall(r"^    exit -0: code", said, re.M)) >= 3, said
    assert re.search(r"^    rip 0018:", said, re.M), said
    assert "domain 1 crashed" not in said and "domain 0 crashed" not in said
    for words in (r"key d: domains and vCPUs", r"domain 1: live", r"domain 2: shut down",
                  r"memory: \d+ of \d+ frames free", r"domain 0: \d+ grant frames of \d+",
                  r"domain 0 port \d+: unbound 1/0 vcpu 0", r"domain 0 port \d+: unbound 2/0 vcpu 0"):
        assert re.search(words, said), (words, said)


def test_what_happens_is_written_down() -> None:
    """H24: a record of each kind, two CPUs' in the order of time; what has no room in a ring of records or
    in the machine's output is counted, and there is room again when its reader has made some."""
    setup = Setup(kernel=HYPERVISOR, clock="real", append="clock=real output=64K", machine="microvm", cpus=2,
                  modules=[(GUESTS / "records", "")])
    with Qemu(setup) as machine:
        def until(words: str) -> "re.Match[str]":
            limit = time.monotonic() + 400
            while time.monotonic() < limit and machine.alive() and not END.search(machine.serial()):
                if found := re.search(words, machine.serial()):
                    return found
                time.sleep(0.02)
            found = re.search(words, machine.serial())
            assert found, machine.serial()
            return found

        told = int(until(r"(\d+) frames lost\r?\n")[1])
        page = MailboxPage.find(machine.ram)
        assert page
        ring = OutputRing(machine.ram, page.get().output, page.get().output_size)
        before = list(ring.frames())
        assert ring.lost() >= told > 0 and ring.produced() > ring.capacity - 4096
        assert {len(f.data) for f in before if f.stream == abi.Stream.RESULT} == {2048}
        ring.free()
        until(r"finished with status \d.*\n")
        assert passed(machine.serial()), machine.serial()
        after = list(ring.frames())
        assert len([f for f in after if f.stream == abi.Stream.CAPTURE]) >= 2
        assert not [f for f in after if f.stream == abi.Stream.RESULT]


def test_two_processors_at_work() -> None:
    """H01, H06, H07: round trips, mapping with its flushes, and a thousand domains made and
    destroyed, with two CPUs that run the two domains at once."""
    said = run("rows", cpus=2)
    assert passed(said), said


@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("clock", ["count", "real"])
def test_an_interrupt_line_is_an_event(machine: str, clock: str) -> None:
    """H16: once for each rise, and not before the end of interrupt."""
    said = run("line", append=f"clock={clock}", clock=clock, machine=machine, second_serial=True)
    assert passed(said), said


def test_the_image_is_code_or_data_never_both() -> None:
    """W^X of the hypervisor itself: no page of its image or of the direct map can be written
    and executed, and nothing below is left mapped."""
    setup = Setup(kernel=HYPERVISOR, clock="real", modules=[(GUESTS / "hello", "")])
    with Qemu(setup) as machine:
        limit = time.monotonic() + 400
        while time.monotonic() < limit and not END.search(machine.serial()):
            time.sleep(0.05)
        pages = [line.split() for line in machine.monitor.human("info tlb").splitlines()]
        root = re.search(r"CR3=([0-9a-f]+)", machine.monitor.human("info registers"))
        assert root
        slots = machine.monitor.human(f"xp /512gx {int(root[1], 16):#x}")
    entry = [int(value, 16) for line in slots.splitlines() for value in line.split(":")[1].split()]
    flags = {int(at.rstrip(":"), 16): words for at, _, words in (p for p in pages if len(p) == 3)}
    image = {at: words for at, words in flags.items() if at >= 0xffffffff80000000}
    assert len(image) > 20 and len(flags) > len(image)
    assert all(at >= 1 << 47 for at in flags)
    # "X" is the no-execute bit of the last level, "W" may be written, "U" is the user's.
    assert [at for at, words in image.items() if "X" not in words]
    assert not [hex(at) for at, words in image.items() if "W" in words and "X" not in words]
    assert not [hex(at) for at, words in flags.items() if "U" in words]
    # All else hangs below entries of the first level that forbid execution.
    assert not entry[511] >> 63 and [i for i in range(511) if entry[i]]
    assert all(entry[i] >> 63 for i in range(511) if entry[i])
