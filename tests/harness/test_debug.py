# SPDX-License-Identifier: BSD-2-Clause
"""Cores of nodes and processes: page tables walked, files that gdb opens, and a run that cannot tell."""

import json
import pathlib
import shutil
import struct
import subprocess

import pytest
from test_attend import OSMOSIS, Running, fixture_short_folder, machine  # noqa: F401

from osmo import corefile, inside, waits
from osmo.errors import Problem
from osmo.inside import LARGE, NO_EXECUTE, PRESENT, USER, WRITE, Domain, Mapping, Vcpu
from osmo.memory import Ram
from osmo.waits import Wait

ALL = PRESENT | WRITE | USER
PAGE = 4096
CLUSTER = """
clock = "count"
for = "1s"
[nodes.quiet]
programs = ["counter-server"]
[nodes.busy]
programs = ["+kernel ring 8 1000000"]
[nodes.short]
programs = ["hello"]
[nodes.struck]
programs = ["counter-server"]
on_crash = "keep"
[media.net]
[nodes.server]
media = ["net"]
programs = ["+kernel =board switchboard global", "=counter counter-server", "announce counter"]
[nodes.client]
media = ["net"]
programs = ["+kernel with counter counter-client 200 5"]
[[faults]]
at = "250ms"
for = "700ms"
medium = "net"
do = "cut client"
[[faults]]
at = "200ms"
node = "struck"
do = "exception after=1 arg=6"
"""


def table(**rows: int) -> bytes:
    data = [0] * 512
    for row, entry in rows.items():
        data[int(row[1:])] = entry
    return struct.pack("<512Q", *data)


def reader(memory: dict[int, bytes]) -> object:
    return lambda address, _length: memory.get(address)


def test_tables_are_walked_and_neighbours_joined() -> None:
    memory = {0x1000: table(r0=0x2000 | ALL, r511=0x2000 | ALL), 0x2000: table(r0=0x3000 | ALL),
              0x3000: table(r0=0x4000 | ALL, r1=0x400000 | ALL | LARGE, r2=0x9000 | ALL),
              0x4000: table(r3=0x7000 | ALL, r4=0x8000 | ALL, r5=0x9000 | PRESENT | USER | NO_EXECUTE)}
    read = reader(memory)
    low = list(inside.walk(read, 0x1000, high=False))  # type: ignore[arg-type]
    assert low == [Mapping(0x3000, 0x7000, 0x2000, WRITE | USER),
                   Mapping(0x5000, 0x9000, 0x1000, USER | NO_EXECUTE),
                   Mapping(0x200000, 0x400000, 0x200000, WRITE | USER)]
    high = list(inside.walk(read, 0x1000, low=False))  # type: ignore[arg-type]
    assert [m.virtual for m in high] == [0xFFFFFF8000003000, 0xFFFFFF8000005000, 0xFFFFFF8000200000]


def test_a_table_that_points_at_itself_ends(tmp_path: pathlib.Path) -> None:
    """Four levels and no more, whatever a guest wrote."""
    (tmp_path / "ram").write_bytes(bytes(PAGE) + table(r0=PAGE | ALL, r1=1 << 51 | ALL))
    ram = Ram(tmp_path / "ram")
    domain = Domain(ram, 1, PAGE, 2 * PAGE, [])
    assert domain.pages == [Mapping(0, PAGE, PAGE, WRITE | USER)]
    assert domain.read(0, 8) == struct.pack("<Q", PAGE | ALL) and domain.read(2 * PAGE, 1) is None
    with pytest.raises(Problem, match="nothing at"):
        domain.reader(0)(0xFFFFFFFF00000000, 8)
    ram.close()


def test_processors_in_a_guest_are_known_by_their_flags() -> None:
    text = """CPU#0
RAX=0000000000000001 RBX=0000000000000002
R8 =0000000000000003 R9 =0000000000000004
RIP=ffffffff80123456 RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0
CS =0008 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]
CR0=80010031 CR2=0000000000000000 CR3=0000000000001000 CR4=00000020
CPU#1
RIP=ffffffff80100000 RFL=00000002 [-------] CPL=0
"""
    assert inside.processors(text) == {}
    (found,) = inside.processors(text.replace("CR0=", "HFL=002000b0 CR0=")).items()
    assert found[0] == 0 and found[1]["rip"] == 0xFFFFFFFF80123456 and found[1]["rflags"] == 0x246
    assert found[1]["r8"] == 3 and found[1]["cs"] == 8 and found[1]["cr3"] == 0x1000


@pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")
def test_gdb_opens_what_is_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ram").write_bytes(bytes(PAGE) + table(r0=0x2000 | ALL) + table(r0=0x3000 | ALL)
                                   + table(r0=0x4000 | ALL) + table(r2=0x5000 | ALL) + b"here it is"
                                   + bytes(PAGE - 10))
    ram = Ram(tmp_path / "ram")
    registers = {name: number for number, name in enumerate(inside.REGISTERS)}
    domain = Domain(ram, 1, PAGE, 4 * PAGE, [Vcpu(registers, 0, 0, 0, 8, 16)])
    # Twice, the second time with a device's page far above, which takes its own length in the file.
    maps = [Mapping(0x7000, 0x2000, PAGE, WRITE), Mapping(0xA000, 0xFEE00000, PAGE, 0),
            Mapping(0xC000, 0x2000, PAGE, 0)]
    corefile.write(tmp_path / "core", domain, maps,
                   [corefile.Thread(7, {**registers, "cs": 8, "ss": 16})], "made by hand")
    ram.close()
    assert (tmp_path / "core").stat().st_size <= 4 * PAGE
    done = subprocess.run(["gdb", "-nx", "-batch", "-ex", "x/s 0x7000", "-ex", "x/s 0xc000", "-ex",
                           "p $rip", "-ex", "p $r15", "-ex", "p $cs", "-c", str(tmp_path / "core")],
                          capture_output=True, text=True, check=True)
    assert done.stdout.count('"here it is"') == 2 and "made by hand" in done.stdout and "LWP 7" in done.stdout
    assert done.stdout.split("$1 = ")[1].split()[2] == str(hex(16)) and "$2 = 15" in done.stdout
    assert "$3 = 8" in done.stdout


def wait(name: str, process: tuple[int, int], what: str, whom: tuple[int, int] | None = None, **more: int) -> Wait:
    return Wait("n", process, name, what, more.get("channels", 0), whom, more.get("at", 0))


def test_whoever_waits_in_a_circle_is_named() -> None:
    """Each ring once, those who only wait for one of it not; and what a wait is, in words."""
    some = [wait("outer", (1, 1), "calls", (1, 2)), wait("a", (1, 2), "calls", (2, 3)),
            wait("b", (2, 3), "room", (1, 2)), wait("own", (1, 4), "page", (1, 4)), wait("c", (1, 5), "runs"),
            wait("d", (1, 6), "moves", (9, 9), at=7), wait("e", (1, 7), "receives", channels=6),
            wait("f", (1, 8), "calls", (3, 0), at=3), wait("g", (1, 9), "frame"),
            wait("h", (1, 10), "receives")]
    assert [[w.name for w in ring] for ring in waits.circles(some)] == [["a", "b"], ["own"]]
    said = waits.lines(some, {3: "third"})
    assert said[0] == "outer 1.1 on n waits for the answer of a 1.2 on n"
    assert [line.split(" on n ", 1)[1] for line in said[4:10]] == [
        "runs", "waits for data of 9.9 on machine 7", "receives on channel 1, 2",
        "waits for the answer of third's kernel", "waits for a free frame", "sleeps"]
    assert said[10:] == ["in a circle: a 1.2 on n, b 2.3 on n", "in a circle: own 1.4 on n"]


def waits_are_told(run: Running) -> None:
    """A call between two nodes whose medium is cut can only be waiting, and its server for whatever comes."""
    said = json.loads(run.ask("ps", "--waits", "--json"))
    number = {n["name"]: n["number"] for n in said["nodes"]}
    (server,) = (w for w in said["waits"] if (w["node"], w["name"]) == ("server", "counter-server"))
    (client,) = (w for w in said["waits"] if w["name"] == "counter-client")
    assert client["node"] == "client" and client["what"] == "calls" and client["whom"] == server["process"]
    assert client["at"] == server["process"][0] == number["server"]
    assert server["what"] == "receives" and server["channels"] and server["whom"] is None
    assert {w["node"] for w in said["waits"]} == {"quiet", "busy", "server", "client"}
    ring = [w for w in said["waits"] if w["node"] == "busy"]
    assert sum(w["what"] == "runs" for w in ring) >= 1 and all(w["what"] in ("runs", "receives") for w in ring)
    serial = "{}.{}".format(*server["process"])
    assert f"waits for the answer of counter-server {serial} on server\n" in run.ask("ps", "--waits")


@machine
@pytest.mark.slow
@pytest.mark.usefixtures("frozen")
@pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")
def test_nodes_and_processes_are_looked_into(short_folder: pathlib.Path) -> None:  # noqa: F811
    """H24, DG01: gdb on a node's kernel and on a process, and who waits for whom, of a seeded run whose bytes stay
    the same."""
    file = short_folder / "c.toml"
    file.write_text(CLUSTER)
    alone = subprocess.run([OSMOSIS, "run", str(file), "--json"], capture_output=True, text=True, check=False)
    run = Running(short_folder, str(file), "--paused")
    try:
        run.until("it stands still", lambda s: s["paused"])
        run.ask("step", "300ms")
        waits_are_told(run)
        said = run.ask("gdb", "quiet", "--do", "bt", "--do", "p x86.node->config.machine", "--do",
                       "p x86.node->count.processes")
        assert "rt_wait" in said and "$1 = 1\n" in said and "$2 = 2\n" in said
        said = run.ask("gdb", "quiet", "counter-server", "--do", "bt", "--do", "info line main")
        assert "counter-server 1.2 on quiet" in said and "may not match" not in said
        assert " main (" in said and "counter-server.c" in said
        core = short_folder / "core"
        line = run.ask("core", "quiet", "2", "--out", str(core)).split()
        assert line[0] == "gdb" and line[1].endswith("/counter-server")
        listed = subprocess.run(["gdb", "-nx", "-batch", "-ex", "bt", *line[1:]], capture_output=True, text=True,
                                check=True)
        assert " main (" in listed.stdout
        said = run.ask("gdb", "struck", "--do", "bt")
        assert "rt_panic (" in said and "exception %lu in the kernel" in said and " on_exception (" in said
        said = run.ask("gdb", "nobody", status=2)
        assert "no node nobody" in said
        assert "is not there: poweroff" in run.ask("core", "short", status=2)
        assert "no process nobody" in run.ask("core", "quiet", "nobody", "--out", str(core), status=2)
        assert run.status()["paused"]
        run.ask("continue")
        out, errors = run.process.communicate(timeout=500)
    finally:
        run.end()
    assert json.loads(out)["digests"] == json.loads(alone.stdout)["digests"], errors
