# SPDX-License-Identifier: BSD-2-Clause
"""A run from READY to its end against a machine made by hand, well-behaved and not."""

import json
import pathlib
import sys
import threading
import time
from collections.abc import Callable

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake import PLAN, FakeRam
from osmo import abi, result
from osmo.collect import Collector
from osmo.errors import Problem
from osmo.memory import MailboxPage, Ram
from osmo.session import Ending, Session


class FakeMachine:
    """RAM written by a thread that plays `script` once the plan is there."""

    def __init__(self, directory: pathlib.Path, script: Callable[["FakeMachine"], None]) -> None:
        self.directory = directory
        self.fake = FakeRam(directory / "ram")
        self._ram = Ram(directory / "ram")
        self.living = True
        self.starved = False
        self.deaf = False
        self.nmis = 0
        self.stopped = 0
        self.script = script

    @property
    def ram(self) -> Ram:
        return self._ram

    def alive(self) -> bool:
        return self.living

    def stop(self) -> None:
        self.stopped += 1

    def resume(self) -> None:
        page = MailboxPage.find(self._ram)
        assert page and page.state() == abi.State.GO
        self.plan = self._ram.read(PLAN, page.get().plan_len)
        threading.Thread(target=self.script, args=(self,), daemon=True).start()

    def serial(self) -> str:
        return "dump\n" * self.nmis

    def errors(self) -> str:
        return ""

    def nmi(self) -> None:
        if self.deaf:
            raise Problem("QEMU's monitor does not answer")
        self.nmis += 1

    def delayed(self) -> float:
        return time.monotonic() if self.starved else 0.0

    def inside(self) -> dict[str, str]:
        return {}

    def say(self, **event: object) -> None:
        self.fake.emit(abi.Stream.RESULT, json.dumps(event).encode() + b"\n")


def drive(tmp_path: pathlib.Path, script: Callable[[FakeMachine], None],
          **limits: float) -> tuple[Session, Ending]:
    machine = FakeMachine(tmp_path, script)
    session = Session(machine, Collector(), seeded=True, **limits)
    assert session.ready() is None
    session.go(b"log hello\n", 7)
    return session, session.run()


def good(machine: FakeMachine) -> None:
    assert machine.plan == b"log hello\n" and machine.stopped == 1
    machine.fake.mailbox(abi.State.RUNNING)
    machine.say(ns=1, event="start", name="n1", domid=3)
    machine.fake.emit(abi.Stream.CONSOLE + 3, b"hello\r\n")
    machine.fake.emit(abi.Stream.TRACE, abi.Record(1, 2, 3, 4, 5, 6).pack())
    machine.say(ns=9, event="exit", name="n1", domid=3, reason="poweroff")
    machine.say(ns=9, event="start", name="n1", domid=4)
    machine.fake.emit(abi.Stream.CONSOLE + 4, b"again\n")
    machine.fake.mailbox(abi.State.DONE, 0, "done", 10)


def test_a_run_from_plan_to_end(tmp_path: pathlib.Path) -> None:
    session, ending = drive(tmp_path, good)
    assert ending.good and ending.reason == "done" and ending.virtual_ns == 10
    out = session.collector
    assert out.text("n1") == "hello\nagain\n" and abi.records(bytes(out.trace))[0].b == 6
    assert out.names[3] == out.names[4] == "n1" and not out.ended and not out.errors()


def test_output_that_had_no_room_is_an_error(tmp_path: pathlib.Path) -> None:
    """In `real` the reader may be too slow: then what is there is not all."""
    def lose(machine: FakeMachine) -> None:
        machine.fake.lose(3)
        good(machine)
    session, _ = drive(tmp_path, lose)
    (said,) = session.collector.errors()
    assert said.startswith("the machine had no room for 3 pieces of its output")


def test_the_same_run_has_the_same_digests(tmp_path: pathlib.Path) -> None:
    digests = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        session, _ = drive(tmp_path / name, good)
        digests.append(session.collector.digests())
    assert digests[0] == digests[1]


def test_a_panic_carries_its_reason(tmp_path: pathlib.Path) -> None:
    _, ending = drive(tmp_path, lambda m: m.fake.mailbox(abi.State.PANIC, 0, "BUG at x.c:1"))
    assert (ending.how, ending.good, ending.reason) == ("panic", False, "BUG at x.c:1")


def test_a_wedged_machine_is_asked_for_its_dump(tmp_path: pathlib.Path) -> None:
    _, ending = drive(tmp_path, lambda m: m.fake.mailbox(abi.State.RUNNING), patience=0.2)
    assert ending.how == "wedged" and ending.dump == "dump\n"


def test_a_machine_whose_qemu_hears_nothing_is_wedged_all_the_same(tmp_path: pathlib.Path) -> None:
    def deafen(machine: FakeMachine) -> None:
        machine.deaf = True
        machine.fake.mailbox(abi.State.RUNNING)
    _, ending = drive(tmp_path, deafen, patience=0.2)
    assert ending.how == "wedged" and ending.dump == ""
    assert ending.reason == "no sign of life for 0 s; no dump: QEMU's monitor does not answer"


def test_a_machine_that_gets_no_processor_is_not_wedged(tmp_path: pathlib.Path) -> None:
    """A busy host is no failure of the machine's: its patience does not run meanwhile."""
    def starve(machine: FakeMachine) -> None:
        machine.starved = True
        machine.fake.mailbox(abi.State.RUNNING)
    _, ending = drive(tmp_path, starve, patience=0.2, deadline=1.0)
    assert ending.how == "deadline"


def test_a_dead_machine_is_noticed(tmp_path: pathlib.Path) -> None:
    def die(machine: FakeMachine) -> None:
        machine.living = False
    _, ending = drive(tmp_path, die)
    assert ending.how == "died" and not ending.good


def test_the_wall_clock_ends_it(tmp_path: pathlib.Path) -> None:
    def busy(machine: FakeMachine) -> None:
        for ns in range(1, 500):
            machine.fake.mailbox(abi.State.RUNNING, now_ns=ns)
            time.sleep(0.01)
    _, ending = drive(tmp_path, busy, deadline=0.3)
    assert ending.how == "deadline"


def test_nonsense_in_the_result_stream_is_said(tmp_path: pathlib.Path) -> None:
    def odd(machine: FakeMachine) -> None:
        for line in (b"{]\n", b"[]\n", b'{"ns":"x"}\n',
                     b'{"event":"error","line":3,"command":"x","error":"y"}\n'):
            machine.fake.emit(abi.Stream.RESULT, line)
        machine.fake.emit(99, b"?")
        machine.fake.mailbox(abi.State.DONE)
    session, _ = drive(tmp_path, odd)
    said = session.collector.errors()
    assert len(said) == 5 and said[0] == "plan line 3: x: y"


def test_lines_cut_by_frames_are_joined(tmp_path: pathlib.Path) -> None:
    def cut(machine: FakeMachine) -> None:
        machine.fake.emit(abi.Stream.RESULT, b'{"ns":1,"event":"lo')
        machine.fake.emit(abi.Stream.RESULT, b'g","text":"x"}\n{"ns":2')
        machine.fake.emit(abi.Stream.RESULT, b',"event":"log"}\n')
        machine.fake.mailbox(abi.State.DONE)
    session, _ = drive(tmp_path, cut)
    assert [e.ns for e in session.collector.events] == [1, 2]


def test_results_are_written_and_read_back(tmp_path: pathlib.Path) -> None:
    one = result.Result(ok=True, exit=0, name="x", seed=5, digests={"trace": "00"})
    one.write(tmp_path)
    assert result.read(tmp_path) == one
    (tmp_path / "result.json").write_text('{"format": 99}')
    with pytest.raises(Exception, match="format 99"):
        result.read(tmp_path)
    for name in result.FORMATS:
        result.Result(formats={**result.FORMATS, name: 7}).write(tmp_path)
        with pytest.raises(Exception, match=f"its {name} has format 7, this command reads {result.FORMATS[name]}"):
            result.read(tmp_path)
