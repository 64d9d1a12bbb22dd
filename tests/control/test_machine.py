# SPDX-License-Identifier: BSD-2-Clause
"""The control domain on the hypervisor: domains are built, talk, end and leave nothing; plans
and the command port do what guest/control/README.md says.
"""

import json
import os
import pathlib
import re
import sys
import time
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from machine import TOP, Port, machine_setup, run  # noqa: E402
from osmo import abi  # noqa: E402
from osmo.memory import MailboxPage, OutputRing  # noqa: E402
from osmo.qemu import Qemu  # noqa: E402

LONG = os.environ.get("OSMOSIS_LONG") == "1"


def pair(left: str, right: str, mem: str = "4M", words: str = "rounds=200") -> str:
    return f"""
create {left} image=pair mem={mem} cmdline="role=left {words}"
create {right} image=pair mem={mem} cmdline="role=right peer={{{left}}} {words}"
write /local/domain/{{{left}}}/data/peer {{{right}}}
start {left}
start {right}
"""


PAIR = pair("left", "right")


@pytest.mark.parametrize("clock", ["real", "count", "event"])
def test_a_domain_lives_and_ends(tmp_path: pathlib.Path, clock: str) -> None:
    """H05, H15, H16: start information, clock, timer, store and console of one domain."""
    ended = run(tmp_path, 'create n1 image=hello mem=8M cmdline="sleep_ms=20" start=yes\n',
                ["hello"], clock=clock)
    assert ended.status == 0, ended.serial
    assert 'hello from Osmosis: domain 1, 7808 KiB' in ended.serial
    assert '"sleep_ms=20"' in ended.serial
    assert "the store calls me n1" in ended.serial
    (death,) = ended.events("exit")
    (start,) = ended.events("start")
    assert death["reason"] == "poweroff" and death["name"] == "n1"
    assert int(str(death["ns"])) - int(str(start["ns"])) >= 20_000_000


def test_two_domains_talk(tmp_path: pathlib.Path) -> None:
    """H06, H07: a page lent by grant, messages announced by events, and the page taken back, on two
    processors; so do two others by FIFO ports beyond those that the 2-level form has."""
    ended = run(tmp_path, PAIR + pair("west", "east", "64M", "rounds=200 ports=4200"), ["pair"], cpus=2)
    assert ended.status == 0, ended.serial
    assert ended.serial.count("left hears: answer 200 from the right") == 2, ended.serial
    assert ended.serial.count("right hears: message 200 from the left") == 2
    assert ended.serial.count("left has its page back") == 2
    near, far = sorted(map(int, re.findall(r"200 rounds in \d+ ns by port (\d+)", ended.serial)))
    assert near < 100 and far > 4200


@pytest.mark.parametrize("clock", ["count", "event"])
def test_the_same_plan_gives_the_same_bytes(tmp_path: pathlib.Path, clock: str) -> None:
    """I10: everything said, virtual times included, is the same in a second run."""
    first, second = (run(tmp_path, PAIR, ["pair"], clock=clock).serial for _ in range(2))
    assert "left has its page back" in first, first
    assert first == second


def test_an_image_is_shared_until_written(tmp_path: pathlib.Path) -> None:
    """H02, P27: domains of one image read the same frames; what one writes into its constants
    the others do not see, and the module stays as it was for those that come later."""
    ended = run(tmp_path, """
create a image=test-abi mem=52M start=yes
create b image=test-abi mem=52M start=yes
when exit a create c image=test-abi mem=52M start=yes
when exit c finish
""", ["test-abi"], cpus=2)
    assert ended.status == 0, ended.serial
    assert ended.serial.count("Test result: SUCCESS") == 3, ended.serial


SKIPPED = {(29, 1), (24, 1), (24, 2), (24, 11)}  # would stop or end the guest that tries
ROW = re.compile(r"^\| \w+ \| (\d+) \| \w+ \| (\d+) \|", re.M)
SUB_OP = re.compile(r"^sub-op (\d+)\.(\d+) ", re.M)


def pairs(pattern: "re.Pattern[str]", text: str) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in pattern.findall(text)} - SKIPPED


def test_the_abi(tmp_path: pathlib.Path) -> None:
    """H04: the self-test guest passes in a domain, and the calls and sub-operations it finds
    are those that hyp/dom/README.md lists, no more and no fewer."""
    ended = run(tmp_path, "create abi image=test-abi mem=52M start=yes\n", ["test-abi"])
    assert "Test result: SUCCESS" in ended.serial, ended.serial
    listed = pairs(ROW, (TOP / "hyp" / "dom" / "README.md").read_text())
    walked = {12, 17, 18, 20, 24, 29, 32, 34, 55}
    found = pairs(SUB_OP, ended.serial)
    assert not [p for p in found if p[0] == 33], "physdev_op, without devices"
    assert {p for p in found if p[0] in walked} == {p for p in listed if p[0] in walked}
    numbers = {int(line.split()[1]) for line in ended.serial.splitlines()
               if line.startswith("hypercall ")}
    assert numbers >= walked | {15, 21, 35, 36}


def test_the_abi_test_skips_on_the_bare_machine(tmp_path: pathlib.Path) -> None:
    """The runtime's native start (QEMU -kernel, by the PVH note)."""
    from machine import HYPERVISOR, IMAGES
    from osmo.qemu import Setup
    assert HYPERVISOR.exists()
    with Qemu(Setup(kernel=IMAGES / "test-abi", machine="microvm", clock="real")) as machine:
        limit = time.monotonic() + 400
        while time.monotonic() < limit and machine.alive():
            time.sleep(0.05)
        assert "Test result: SKIP" in machine.serial()
        assert not machine.alive()


@pytest.mark.timeout(700)
def test_create_and_destroy_leak_nothing(tmp_path: pathlib.Path) -> None:
    """H12, I7: frames of the machine, the hypervisor's memory and the store's are what they
    were, after 10,000 cycles, and after 100 of domains that run (1,000 in the long run)."""
    count, running = 10_000, 1_000 if LONG else 100
    ended = run(tmp_path, f"churn c count={count} image=hello mem=8M\n"
                          f"churn d count={running} image=hello mem=8M start=yes\nfinish\n",
                ["hello"], seconds=600)
    cycles = [r for r in ended.results if "cycles" in r]
    assert [r["cycles"] for r in cycles] == [count, running], ended.serial[-2000:]
    for r in cycles:
        assert r["free_before"] == r["free_after"], r
        assert r["overhead_before"] == r["overhead_after"], r
        assert r["store_before"] == r["store_after"], r


HOSTILE_CALLS = 100_000_000 if LONG else 1_000_000
CALLS_MADE = re.compile(r"(\d+) calls made: \d+ served, \d+ refused, \d+ unknown, 0 of (\d+) from ring 3 served")
VICTIM_SAYS = re.compile(r"^[1-9]\d* rounds, 0 words changed, at most \d+ us late\n"
                         r"had \d+ thousandths of the time it wanted\nTest result: SUCCESS$", re.M)


@pytest.mark.timeout(12000 if LONG else 600)
@pytest.mark.parametrize(("vcpus", "cpus", "share"), [(1, 1, 450), (3, 2, 850)])
def test_a_hostile_guest_reaches_nobody(tmp_path: pathlib.Path, vcpus: int, cpus: int, share: int) -> None:
    """H23, F27, I5, I7: half a million random and edge calls from one vCPU on one processor, as many
    from three at once on two processors that rewrite each other's arguments, all from rings 0 and 3,
    while a bystander checks its memory and its share of the time: half of the one processor, or (it
    has one vCPU) one of the two. 100,000,000 in the long run."""
    calls = HOSTILE_CALLS // 2
    ended = run(tmp_path, f"""
create victim image=test-victim mem=8M start=yes cmdline="share={share}"
create hostile image=test-hostile mem=8M vcpus={vcpus} start=yes cmdline="calls={calls} seed=7 vcpus={vcpus}"
when exit hostile shutdown victim
when exit victim finish
""", ["test-victim", "test-hostile"], seconds=11500 if LONG else 500, cpus=cpus)
    assert ended.status == 0, ended.serial[-3000:]
    reasons = {e["name"]: e["reason"] for e in ended.events("exit")}
    assert reasons == {"victim": "poweroff", "hostile": "poweroff"}, ended.serial[-3000:]
    made = CALLS_MADE.search(ended.serial)
    assert made and int(made[1]) >= calls and int(made[2]) > calls // 10, ended.serial[-3000:]
    assert re.search(r"^\(d2\) Test result: SUCCESS$", ended.serial, re.M), ended.serial[-3000:]
    assert VICTIM_SAYS.search(ended.serial), ended.serial[-3000:]


def test_a_loud_console_takes_nobodys_room(tmp_path: pathlib.Path) -> None:
    """I8: what one domain prints in a seeded run is kept up to its share, and that it was more is an error; its
    neighbour's words are all there. Without the share the output ring would be full, and the run at its end."""
    names = [f"loud{i}" for i in range(2)]
    loud = "image=test-victim mem=4M start=yes cmdline=print=1000"
    ended = run(tmp_path, "".join(f"create {n} {loud}\n" for n in names)
                + "create quiet image=test-victim mem=4M start=yes\n"
                + "".join(f"when output {n} 000001 shutdown {n}\n" for n in names)
                + "when exit loud1 shutdown quiet\nwhen exit quiet finish\nat 60s finish status=1\n",
                ["test-victim"], clock="count", append="clock=count output=4M")
    assert ended.status == 0, ended.serial[-2000:]
    assert sorted(str(e["name"]) for e in ended.events("error")) == names
    assert "Test result: SUCCESS" in ended.serial


@pytest.mark.parametrize("image", ["stays", "hostile"])
def test_no_stay_in_the_hypervisor_is_long(tmp_path: pathlib.Path, image: str) -> None:
    """H23, F27: in instructions, as `count` counts them: the largest calls that are right, and
    100,000 that are not, never keep a guest from its ticks for more than 130,000 of them."""
    tick = 20_000
    ended = run(tmp_path, f"""
create n1 image=test-{image} mem=32M start=yes cmdline="calls=100000 seed=11 watch={tick}"
when exit n1 finish
""", [f"test-{image}"], clock="count", shift=0)
    assert "Test result: SUCCESS" in ended.serial, ended.serial[-3000:]
    found = re.search(r"^longest (\d+) ticks, in call", ended.serial, re.M)
    assert found and 1000 < int(found.group(1)) < tick + 130_000, ended.serial[-3000:]


@pytest.mark.parametrize(("line", "says"), [
    ("create n1 image=none", "there is no module named none"),
    ("create n1 image=osmosis", "lacks Xen's ELF note PHYS32_ENTRY (18)"),
    ("create n1 image=hello mem=1M", "at least 2M"),
    ("create n1 image=hello vcpus=200", "1 to 128 vCPUs"),
    ("create n1 image=hello mem=2000G", "less than 1 TiB"),
    ("create n1 image=hello colour=red", "colour=red is not understood here"),
    ("create n/1 image=hello", "a domain's name"),
    ("start n1", "there is no domain named n1"),
    ("read /nothing", "the store says ENOENT"),
    ("rename a b", "there is no command rename"),
    ("inject", "inject takes 1 to 1 words"),
])
def test_errors_are_sentences(tmp_path: pathlib.Path, line: str, says: str) -> None:
    """A command that cannot be done says why, and the run goes on."""
    ended = run(tmp_path, f"{line}\nfinish\n", ["hello", "../hyp/osmosis"])
    (error,) = ended.events("error")
    assert says in str(error["error"]) and error["line"] == 1, ended.serial
    assert ended.status == 0


def test_a_plan_that_cannot_be_read_names_its_line(tmp_path: pathlib.Path) -> None:
    """It ends the run before it begins."""
    ended = run(tmp_path, "log one\n\nat noon finish\n", ["hello"])
    assert ended.status == 2
    assert "line 3 of the plan: a time is a number" in ended.serial
    assert not ended.events("log")


def test_conditions(tmp_path: pathlib.Path) -> None:
    """at, when exit, when output, when store: each fires once, in its turn."""
    ended = run(tmp_path, """
at 30ms log third
when output n1 "hello from" log first
when exit n1 write /flag up
when store /flag up log second
create n1 image=hello mem=8M cmdline="sleep_ms=5" start=yes
at 40ms finish
""", ["hello"], clock="event")
    assert [e["text"] for e in ended.events("log")] == ["first", "second", "third"], ended.serial
    assert ended.status == 0


def test_the_store_fails_on_demand(tmp_path: pathlib.Path) -> None:
    """F23: an answer of the store is an error, comes late, does not come."""
    ended = run(tmp_path, """
create a image=hello mem=8M cmdline="sleep_ms=5"
create b image=hello mem=8M cmdline="sleep_ms=5"
create c image=hello mem=8M cmdline="sleep_ms=5"
store-fault point=fail
start a
when exit a store-fault point=delay by=50ms
when exit a start b
when exit b store-fault point=lose
when exit b start c
at 300ms store-fault point=fail after=0
at 300ms finish
""", ["hello"], clock="event")
    assert ended.status == 0, ended.serial
    assert [r["fired"] for r in ended.results if "fired" in r] == [0, 1, 2, 3], ended.serial
    assert re.findall("the store calls me (.)", ended.serial) == ["b"]
    begun, over = ({str(e["name"]): int(str(e["ns"])) for e in ended.events(kind)} for kind in ("start", "exit"))
    assert set(over) == {"a", "b"} and ended.serial.count("hello from Osmosis") == 3
    assert 5_000_000 <= over["a"] - begun["a"] < 20_000_000
    assert 55_000_000 <= over["b"] - begun["b"] < 70_000_000


def test_more_ports_than_two_levels_have(tmp_path: pathlib.Path) -> None:
    """H06: the control domain and the fabric have FIFO event channels, by the runtime's code that
    test_the_abi sends through port 4,200. The control domain has two for each domain: in the long
    run so many domains that the last one's are beyond the 4,095th."""
    count = 2100 if LONG else 2
    plan = "create fabric image=fabric mem=16M start=yes\n"
    plan += "".join(f"create n{i} image=hello mem=2M overcommit=yes\n" for i in range(count))
    ended = run(tmp_path, f'{plan}when output fabric "fabric: ready" keys e\n'
                f'when output fabric "fabric: ready" start n{count - 1}\nwhen exit n{count - 1} finish\n',
                ["fabric", "hello"], memory_mib=768 if LONG else 256)
    assert ended.status == 0, ended.serial[-2000:]
    assert f"the store calls me n{count - 1}" in ended.serial
    kinds = dict(re.findall(r"domain (\d+): (FIFO|two-level) event channels", ended.serial))
    assert (kinds["0"], kinds["1"], kinds["2"]) == ("FIFO", "FIFO", "two-level")
    assert int(re.findall(r"domain 0 port (\d+): interdomain", ended.serial)[-1]) > 2 * count


def test_reboot_and_crash(tmp_path: pathlib.Path) -> None:
    """H12, F17: what a recipe says happens when a domain ends; a crash makes the run's status 1. An NMI nobody
    asked for is taken as one."""
    ended = run(tmp_path, """
create a image=hello mem=8M cmdline="sleep_ms=5" on_poweroff=restart start=yes
at 100ms destroy a
create b image=hello mem=8M start=yes cmdline="sleep_ms=50"
at 20ms inject b point=exception arg=6
at 150ms destroy b
at 60ms create c image=hello mem=8M start=yes cmdline="sleep_ms=50"
at 80ms inject c point=exception arg=2
""", ["hello", "pair"], clock="event")
    assert len([e for e in ended.events("exit") if e["name"] == "a"]) > 5, ended.serial
    assert [e["reason"] for e in ended.events("exit") if e["name"] == "b"] == ["crash"], ended.serial
    assert [e["reason"] for e in ended.events("exit") if e["name"] == "c"] == ["crash"], ended.serial
    assert "nobody handles vector 2" in ended.serial
    assert ended.status == 1, ended.serial
    assert len({e["domid"] for e in ended.events("start") if e["name"] == "a"}) > 5


IDLE = """
create left image=test-victim mem=4M start=yes
create right image=test-victim mem=4M start=yes
"""


@pytest.mark.parametrize("plan", [PAIR.replace("200", "100000000"), IDLE], ids=["busy", "idle"])
def test_what_domains_use_adds_up(tmp_path: pathlib.Path, plan: str) -> None:
    """H24: what the domains ran and what the processor was idle is the time that passed, within
    1 %; each domain's counts are its own, and the machine's are no less than their sum."""
    looks = "".join(f"at {at}ms counters {who}\n" for at in (200, 700) for who in ("left", "right", "all"))
    ended = run(tmp_path, plan + looks + "at 701ms finish\n", ["pair", "test-victim"], clock="count")
    assert ended.status == 0, ended.serial[-2000:]
    said = [r for r in ended.results if "run_ns" in r]
    assert len(said) == 6, ended.serial[-2000:]
    left, right, both = ({k: int(str(now[k])) - int(str(was[k])) for k in was if isinstance(was[k], int)}
                         for was, now in zip(said[:3], said[3:]))
    assert abs(both["run_ns"] + both["idle_ns"] - both["ns"]) <= both["ns"] / 100
    for field in ("run_ns", "exits", "hypercalls", "upcalls", "sends", "grants", "faults", "copied_bytes"):
        assert 0 <= left[field] and 0 <= right[field] and left[field] + right[field] <= both[field] * 1.01, field
    if plan is IDLE:
        assert both["idle_ns"] > both["ns"] / 2 and left["exits"] > 0
    else:
        assert left["run_ns"] + right["run_ns"] > both["ns"] * 0.98 and not both["idle_ns"]
        assert left["sends"] > 1000 and abs(left["sends"] - right["sends"]) <= 2
        assert left["sends"] + right["sends"] <= left["hypercalls"] + right["hypercalls"]
    assert int(str(said[2]["grants"])) >= (0 if plan is IDLE else 1)


def traced(directory: pathlib.Path, commands: str, first: str = "") -> tuple[list[abi.Record], int]:
    """The hypervisor's records of two domains that talk for 100 ms, and how many are said to be lost."""
    plan = first + PAIR.replace("200", "100000000") + commands + "at 100ms finish\n"
    with Qemu(machine_setup(directory, plan, ["pair"], clock="count")) as machine:
        limit = time.monotonic() + 400
        page = None
        while time.monotonic() < limit and not (page and page.state() == abi.State.DONE):
            page = page or MailboxPage.find(machine.ram)
            time.sleep(0.05)
        assert page and page.state() == abi.State.DONE, machine.serial()
        box = page.get()
        frames = list(OutputRing(machine.ram, box.output, box.output_size).frames())
    said = b"".join(f.data for f in frames if f.stream == abi.Stream.RESULT).splitlines()
    (end,) = [e for e in map(json.loads, said) if e.get("event") == "finish"]
    return [r for f in frames if f.stream == abi.Stream.TRACE for r in abi.records(f.data)], end["trace_lost"]


def test_a_domain_is_traced_by_itself(tmp_path: pathlib.Path) -> None:
    """H24: classes of records are switched on for one domain or for all, and off again; what
    happens seldom is always there."""
    events = 1 << (abi.Trace.SEND >> 8)

    def domains(commands: str, since_ns: int = 0) -> set[int]:
        found, _ = traced(tmp_path, commands)
        assert {1, 2} <= {r.domid for r in found if r.type == abi.Trace.DOMAIN_CREATE}
        return {r.domid for r in found if r.type == abi.Trace.SEND and r.ns > since_ns}

    assert domains("") == set()
    assert domains(f"at 90ms trace left classes={events}\n") == {1}
    assert domains(f"at 90ms trace all classes={events}\n") >= {1, 2}
    assert domains(f"at 10ms trace all classes={events}\nat 11ms trace right classes={events}\n"
                   "at 15ms trace all classes=0\n", 16_000_000) == {2}
    assert domains(f"at 10ms trace right classes={events}\nat 15ms trace right classes=0\n", 16_000_000) == set()


def test_each_kind_of_record_is_written(tmp_path: pathlib.Path) -> None:
    """H24: schedule, exits with their reasons, hypercalls, events and grants of two domains, in the order
    of time; a class at a time, or all for a moment. What comes faster than the control domain takes it is
    counted lost."""
    found, lost = traced(tmp_path, "at 40ms trace all classes=4294967295\nat 41ms trace all classes=0\n"
                                   "at 60ms trace all classes=4294967295\nat 85ms trace all classes=0\n")
    assert lost > 100
    moment = [r for r in found if 40_000_000 <= r.ns < 41_000_000]
    for kind in (abi.Trace.RUN, abi.Trace.EXIT, abi.Trace.HYPERCALL, abi.Trace.SEND, abi.Trace.UPCALL,
                 abi.Trace.WAKE, abi.Trace.BLOCK):
        assert {1, 2} <= {r.domid for r in moment if r.type == kind}, kind.name
    assert {r.a for r in moment if r.type == abi.Trace.EXIT} and moment == sorted(moment, key=lambda r: r.ns)
    quiet = range(42_000_000, 60_000_000)
    assert not [r for r in found if r.ns in quiet and r.type in (abi.Trace.EXIT, abi.Trace.RUN)]
    rare = 1 << (abi.Trace.MAP >> 8) | 1 << (abi.Trace.BIND >> 8)
    found, lost = traced(tmp_path, "at 12ms trace all classes=0\n", f"trace all classes={rare}\n")
    assert not lost
    assert {r.domid for r in found if r.type == abi.Trace.MAP} == {2}  # its left neighbour's page
    assert {r.domid for r in found if r.type == abi.Trace.BIND} >= {0, 1, 2}
    assert not [r for r in found if r.type in (abi.Trace.EXIT, abi.Trace.HYPERCALL)]


def typed_ahead(port: Port) -> None:
    """What a console does not take waits, up to a bound; its ring takes 1 KiB at once."""
    assert port.ask("input n1 words")["waiting"] == 0
    assert port.ask("image typed bytes=65536")["ok"]
    assert port.ask("type n1 typed bytes=1029")["waiting"] == 10
    for line, says in (("type n1 typed bytes=65536", "nobody reads on the console of n1: 10 bytes wait"),
                       ("type n1 typed bytes=65537", "no 65537 bytes"), ("type n1 other bytes=1", "no 1 bytes")):
        refused = port.ask(line)
        assert not refused["ok"] and says in str(refused["error"]), refused
    assert port.ask("type n1 typed bytes=65526")["waiting"] == 65536
    assert not port.ask("input n1 x")["ok"]


def test_the_command_port(tmp_path: pathlib.Path) -> None:
    """Lines in, JSON out, tags, events, console input and output, and an end."""
    with Qemu(machine_setup(tmp_path, "log begun\n", ["hello"], machine="q35",
                            second_serial=True)) as machine:
        path = machine.directory / "command"
        limit = time.monotonic() + 400
        while not path.exists() and time.monotonic() < limit:
            time.sleep(0.05)
        while "begun" not in machine.serial() and time.monotonic() < limit:
            time.sleep(0.1)
        port = Port(path)
        answer = port.ask("@7 modules")
        assert port.ask("osmosis")["osmosis"] == 1  # the version that README.md describes
        assert answer["tag"] == "7" and answer["ok"]
        assert "hello" in [m["name"] for m in answer["modules"]]
        made = port.ask('create n1 image=hello mem=8M cmdline="sleep_ms=300"')
        assert made["ok"] and made["domid"] == 1
        assert port.ask("console n1 on")["ok"]
        typed_ahead(port)
        assert port.ask("start n1")["ok"]
        one = port.ask("list")["domains"][0]
        assert one["state"] == "running"
        assert port.ask("read /local/domain/1/name")["value"] == "n1"
        refused = port.ask("pause n2")
        assert not refused["ok"] and "no domain named n2" in str(refused["error"])
        while not any(e["event"] == "exit" for e in port.events):
            port.events.append(port.line())
        output = "".join(str(e["text"]) for e in port.events if e["event"] == "output")
        assert "hello from Osmosis" in output
        assert port.ask("list")["domains"] == []
        before = port.ask("counters all")
        time.sleep(1)
        after = port.ask("counters all")
        idle, ns = number(after, "exits") - number(before, "exits"), number(after, "ns") - number(before, "ns")
        assert idle * 10**9 < 50 * ns, "nobody typed, and yet the port was looked at"
        port.close()


def number(answer: dict[str, object], field: str) -> int:
    return int(str(answer[field]))


def test_one_channel_controls_all(tmp_path: pathlib.Path) -> None:
    """H12: over the command port alone, two domains are made, stand still and go on, are struck
    by a fault and looked into; what they print is told apart; faults of a medium are handed on."""
    with Qemu(machine_setup(tmp_path, "log begun\n", ["hello", "test-victim"], machine="q35",
                            second_serial=True)) as machine:
        limit = time.monotonic() + 400
        while "begun" not in machine.serial() and time.monotonic() < limit:
            time.sleep(0.1)
        port = Port(machine.directory / "command")

        def command(line: str) -> dict[str, Any]:
            answer = port.ask(line)
            assert answer["ok"], (line, answer)
            return answer

        def until(kind: str, name: str) -> dict[str, object]:
            while not (found := [e for e in port.events if (e["event"], e.get("name")) == (kind, name)]):
                port.events.append(port.line())
            return found[0]

        for name in ("one", "two"):
            command(f"create {name} image=test-victim mem=4M on_crash=keep")
            command(f"console {name} on")
            command(f"start {name}")
        command("pause one")

        def runs(name: str, before: dict[str, Any]) -> None:
            limit = time.monotonic() + 400
            while number(command(f"counters {name}"), "run_ns") <= number(before, "run_ns"):
                assert time.monotonic() < limit, f"{name} stands still"

        stood, went = command("counters one"), command("counters two")
        time.sleep(0.3)
        runs("two", went)
        assert all(command("counters one")[f] == stood[f] for f in ("run_ns", "exits", "hypercalls"))
        states = {d["name"]: d["state"] for d in command("list")["domains"]}
        assert states == {"one": "paused", "two": "running"}
        command("unpause one")
        runs("one", stood)
        command("trace all classes=1")
        command("inject two point=exception arg=6")
        assert until("exit", "two")["reason"] == "crash"
        assert command("dump two")["rip"]
        command("shutdown one")
        assert until("exit", "one")["reason"] == "poweroff"
        command("destroy two")
        said = {n: "".join(str(e["text"]) for e in port.events if e["event"] == "output" and e["name"] == n)
                for n in ("one", "two")}
        assert "Test result: SUCCESS" in said["one"] and "words changed" not in said["two"]
        command('write /osmosis/media/0 "kind=ether name=wire"')
        command("write /osmosis/media/1 name=net")
        command("fault net loss 0.5")
        command("fault wire cut a>b")
        assert [command(f"read /osmosis/fault/{n}")["value"] for n in (0, 1)] == ["net loss 0.5", "wire cut a>b"]
        for name in ("ne", "nets", "name=net", "loss"):
            assert "carries no medium " + name in str(port.ask(f"fault {name} loss 0.5"))
        assert command("list")["domains"] == []
        port.close()


@pytest.mark.parametrize("clock", ["real", "count"])
def test_who_computes_is_alive(tmp_path: pathlib.Path, clock: str) -> None:
    """H24: the mailbox's time goes on beside a guest that never waits, which is how the harness knows that a
    machine is not wedged."""
    setup = machine_setup(tmp_path, "create a image=spin mem=4M start=yes\n", ["../guests/spin"], clock=clock)
    with Qemu(setup) as machine:
        limit, seen = time.monotonic() + 400, set[int]()
        while time.monotonic() < limit and "spinning" not in machine.serial():
            time.sleep(0.02)
        page = MailboxPage.find(machine.ram)
        assert page and page.state() == abi.State.RUNNING, machine.serial()
        while time.monotonic() < limit and len(seen) < 3:
            seen.add(page.get().now_ns)
            time.sleep(0.02)
    assert len(seen) == 3, seen
