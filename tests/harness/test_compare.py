# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis compare`: H19 (Table 1's operations in four places, with spread), L33 (four kinds of
invocation), L35 (delay against size), L36 (a call's parts add up to the whole), P29.

tests/interop has the rows on real Xen.
"""

import argparse
import dataclasses
import json
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree
from typing import Any

import pytest

from osmo import bench_factors, breakdown, compare, compare_plot, delays, paths, places, qemu
from osmo.errors import Problem

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = str(TOP / "harness" / "osmosis")
BUILT = (all(paths.image(i).is_file() for i in ("control", "node", "fabric")) and paths.hypervisor().is_file()
         and (paths.build() / "programs" / "compare").is_file() and shutil.which(qemu.BINARY) is not None)
KINDS = ("user call", "system call", "call of a process, same host", "call of a process, other host")
needs_machine = pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
pytestmark = pytest.mark.usefixtures("frozen")

CONSOLE = """{"ticks_per_ms": 2000000}
noise {"row": "T1", "name": "null kernel call", "value": 80.5, "unit": "ticks", "X": 0.00, "F": 0.00}
{"row": "T1", "name": "null kernel call", "value": 90, "unit": "ticks"}
{"row": "T1", "name": "null kernel call", "value": 0.000, "unit": "ticks"}
{"row": "L35", "name": "remote 64", "value": 1000, "unit": "ticks"}
{"row": broken
"""


def test_rows_are_taken_from_consoles() -> None:
    table: compare.Table = {}
    compare.take(table, "osmosis", "count", CONSOLE)
    compare.take(table, "osmosis", "real", CONSOLE)
    cell = table["T1", "null kernel call"]["osmosis"]
    assert cell.counts == [80.5, 90.0] and cell.times == [40.25, 45.0] and cell.instructions == 85.25
    assert cell.summary()["ns_spread"] == [40.2, 45.0] and table["L35", "remote 64"]["osmosis"].counts == [1000.0]


def test_places_are_measured_there_and_back() -> None:
    order = compare.schedule(["native", "xen", "hosted"], 8)
    assert order == [("native", "count", 1), ("xen", "count", 3), ("native", "real", 4), ("xen", "real", 1),
                     ("hosted", "real", 4), ("hosted", "real", 4), ("xen", "real", 1), ("native", "real", 4)]


def test_what_cannot_be_measured_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_clock: str, _rounds: int) -> str:
        raise Problem("no Xen here")
    monkeypatch.setitem(compare.RUNNERS, "xen", fails)
    said: list[str] = []
    table, missing = compare.measure(["xen"], 2, said.append)
    assert table == {} and missing == {"xen": "no Xen here"} and len(said) == 1
    doc = compare.document(table, {}, missing)
    assert "not measured: xen: no Xen here" in compare.text_table(doc)


def measured(*where: str) -> dict[str, Any]:
    """A document of these places; times grow from place to place, the first row has no instructions."""
    table: compare.Table = {}
    for name, row in (("remote 0", "L35"), ("local 64", "L35"), ("null kernel call", "T1"), ("user call", "L33")):
        for number, place in enumerate(where, 1):
            table.setdefault((row, name), {})[place] = compare.Cell(
                [40.0 * number] if place != "hosted" else [], [2.0 * number, 3e5 * number, 4e6 * number])
    return compare.document(table, {}, {})


def test_the_table_has_what_was_measured_and_no_more() -> None:
    """Rows of a kind together; a ratio and a note only where there are the places that they speak of; spread where
    it fits."""
    alone, both = measured("hosted"), measured("osmosis", "xen", "hosted")
    assert [r["row"] for r in alone["rows"]] == ["L33", "T1", "L35", "L35"]
    text = compare.text_table(alone)
    assert text[0].split()[-2:] == ["(least-most)", "hosted"] and text[1].endswith("300 (0.002-4,000)")
    assert not any("ratio" in line and "prediction" not in line or "instructions" in line for line in text)
    assert not any("xen" in note.lower() or "native" in note for note in alone["notes"]) and alone["notes"]
    lines = compare.text_table(both)
    assert lines[0].split() == ["row", "instructions", "osmosis", "xen", "ratio"]
    assert lines[1].split() == ["L33", "user", "call", "40", "80", "0.500"] and "ratio: osmosis to xen" in lines
    assert any(note.startswith("xen:") for note in both["notes"])
    narrow = compare.text_table(both, 60)
    assert "600 (0.004-8,000)" in "".join(lines) and "(0.004" not in "".join(narrow)
    assert max(map(len, narrow)) < 60 and max(map(len, lines)) <= compare.WIDE


def test_the_plot_has_what_was_measured_and_no_more(tmp_path: pathlib.Path) -> None:
    """Axes of what nobody measured would have numbers nobody meant."""
    titles = ("Operations of Table 1, and kinds of invocation", "The same in an emulator's time",
              "Delay of a call against its size", "Where a call goes")
    for places_, expected in ((("hosted",), [1]), (("osmosis", "hosted"), [0, 1, 2]), ((), [])):
        compare_plot.write(measured(*places_), tmp_path / "a.svg")
        words = [e.text or "" for e in xml.etree.ElementTree.parse(tmp_path / "a.svg").getroot().iter()]
        assert [n for n, title in enumerate(titles) if title in words] == expected
        assert ("nothing was measured" in words) == (not places_)


def test_cuts_are_where_a_packet_more_is_taken() -> None:
    sizes = [size - 1 for size in range(1, 4097) if delays.packets(size) > delays.packets(size - 1)]
    assert delays.cuts(4096) == sizes and len(sizes) == 8


def test_a_look_that_fails_leaves_the_table(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    """Ten minutes' rows are not lost to what comes behind them; places that were not asked for are not visited."""
    def fails(_say: object) -> dict[str, Any]:
        raise Problem("gone")
    monkeypatch.setattr(compare, "breakdowns", fails)
    monkeypatch.setattr(compare, "curves", fails)
    monkeypatch.setattr(compare, "RUNNERS", dict.fromkeys(compare.PLACES, lambda _clock, _rounds: CONSOLE))
    for where, status in (("osmosis", 1), ("hosted", 0)):
        given = argparse.Namespace(where=[where], rounds=2, short=False, json=False, out=tmp_path)
        assert compare.command(given) == status
        shown = capsys.readouterr().out
        assert "null kernel call" in shown and ("delay against size: gone" in shown) == bool(status)
        assert json.loads((tmp_path / "compare.json").read_text())["missing"].keys() == (
            {"where a call goes", "delay against size"} if status else set())


def log(*steps: tuple[int, int]) -> bytes:
    return b"".join(b"Trace 0: 0x7f0 [0000000000000000/%016x/%08x/ff020201] \n" % step for step in steps)


def test_a_log_is_folded_by_ring_and_image() -> None:
    """Two images at one address are told apart by where their instructions begin. Whole turns count, but for one
    into which something else fell."""
    guest, ring3 = breakdown.GUEST, breakdown.GUEST | breakdown.RING
    host = breakdown.Image("host", [0x100], [("svm_enter", "hyp/virt/svm/enter.S")], {0x100, 0x104})
    node = breakdown.Image("node", [0x100], [("call_send", "guest/kernel/send.c")], {0x100, 0x103, 0x105})
    fabric = breakdown.Image("fabric", [0x100], [("memcpy", "base/memory.c")], {0x100, 0x102, 0x104})
    program = breakdown.Image("compare", [0x10], [("main", "??")], {0x10, 0x11})
    turn = [(0x10, ring3), (0x11, ring3), (0x100, guest), (0x103, guest), (0x105, guest), (0x104, 0),
            (0x100, guest), (0x102, guest), (0x104, guest), (0x100, 0)]
    longer = [*turn, *[(0x104, 0)] * len(turn)]
    said = log(*turn[5:], *turn * 2, *longer, *turn * 2, *turn[:3])
    found = breakdown.attribute(said, host, [node, fabric], program)
    assert found.calls == 4 and found.total == len(turn)
    assert found.functions == {"compare: main": 2, "node: call_send": 3, "fabric: memcpy": 3, "host: svm_enter": 2}
    again = breakdown.attribute(log(*turn * 4), host, [node, fabric], None, "call_send")
    assert again.calls == 4 and again.total == found.total
    assert found.factors == {"program and its library": 2, "kernel: links, queues, delivery": 3, breakdown.COPY: 3,
                             "hypervisor: exits and domain switches": 2}


def test_a_log_without_calls_is_a_problem() -> None:
    empty = breakdown.Image("x", [], [], set())
    with pytest.raises(Problem):
        breakdown.attribute(b"", empty, [empty], empty)


def figure(doc: dict[str, Any], row: str, name: str, place: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in doc["rows"] if (r["row"], r["name"]) == (row, name))["places"][place]
    return found


@needs_machine
@pytest.mark.slow
def test_the_short_form(tmp_path: pathlib.Path) -> None:
    """Three places by one command: every row, its spread, one table, one plot, one JSON."""
    done = subprocess.run([OSMOSIS, "compare", "--short", "--where", "native", "osmosis", "hosted", "--json",
                           "--out", str(tmp_path)], capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    doc = json.loads(done.stdout)
    assert doc == json.loads((tmp_path / "compare.json").read_text()) and doc["missing"] == {}
    names = {(r["row"], r["name"]) for r in doc["rows"]}
    assert len([n for r, n in names if r == "L33"]) == 4 and len([n for r, n in names if r == "T1"]) == 6
    for row, name in (n for n in names if "remote" not in n[1] and "other host" not in n[1]):
        native, domain = (figure(doc, row, name, p)["I"] for p in ("native", "osmosis"))
        # Where a message goes to another process, a domain has a few exits more or less.
        assert domain / native < 1.2, (row, name)
        assert figure(doc, row, name, "hosted")["rounds"] >= 1
    kinds = [figure(doc, "L33", kind, "osmosis")["I"] for kind in KINDS]
    assert kinds == sorted(kinds) and kinds[3] > 100 * kinds[0], "L33: from a fraction of one to tenths of a ms"
    delay = {int(n.split()[1]): figure(doc, "L35", n, "osmosis")["I"] for r, n in names
             if r == "L35" and n.startswith("remote")}
    slope = (delay[16384] - delay[8192]) / 8192
    assert len(delay) == 18 and delay[64] < delay[4096] < delay[8192]
    assert delay[4096] + 4096 * slope == pytest.approx(delay[8192], rel=0.15), "linear beyond some packets"
    assert delay[1024] - delay[0] < delay[8192] - delay[4096]
    text = (tmp_path / "compare.txt").read_text()
    assert "What may be compared" in text and "null kernel call" in text
    svg = xml.etree.ElementTree.parse(tmp_path / "compare.svg").getroot()
    shown = " ".join(e.text or "" for e in svg.iter() if e.tag.endswith("text"))
    assert "Delay of a call against its size" in shown and "osmosis, remote" in shown


@needs_machine
@pytest.mark.slow
def test_delays_grow_by_bytes_and_step_with_each_packet() -> None:
    """L35: over the paper's simulated ether a byte costs its 800 ns each way, and one more packet, wherever the
    network has to cut, the header and the gap of one more frame."""
    delay = delays.measured(dataclasses.replace(delays.ETHER, most=1152))
    byte, frame = 2 * 800, 64 * 800 + 9600
    for size in range(128, 1153, 128):
        more = delays.packets(size) - delays.packets(size - 128)
        assert more in (0, 1) and more == (size in (896, 1024))
        assert delay[size] - delay[size - 128] == pytest.approx(128 * byte + more * frame, rel=0.05), size


@needs_machine
@pytest.mark.slow
def test_delays_are_flat_within_a_packet_where_the_way_is_long() -> None:
    """L35: 100 us away by 1 Gb/s a call takes the same whatever it carries, until it takes two packets more;
    that is one step, more than all before it together."""
    delay = delays.measured(dataclasses.replace(delays.DISTANT, most=1536, step=256))
    assert [delays.packets(size) for size in delay] == [2, 2, 2, 2, 4, 4, 4]
    assert delay[768] < 1.03 * delay[0]
    assert delay[1024] - delay[768] > max(delay[768] - delay[0], delay[1536] - delay[1024])


@needs_machine
@pytest.mark.slow
def test_a_call_adds_up(tmp_path: pathlib.Path) -> None:
    """L36: what the parts of a call have together is what the counter says of the whole."""
    table: compare.Table = {}
    compare.take(table, "native", "count", places.native("count", 1))
    parts = {size: breakdown.local(size) for size in (0, 1024)}
    for size, found in parts.items():
        whole = table["L35", f"local {size}"]["native"].instructions
        assert whole and found.total == pytest.approx(whole, rel=0.03) and found.calls > 20
        assert found.whole == pytest.approx(whole, rel=0.03)
    assert parts[1024].factors[breakdown.COPY] > 200  # 1,024 bytes each way, by sixteen; nothing for none
    assert breakdown.COPY not in parts[0].factors
    doc = compare.document(table, {f"local {s}": b for s, b in parts.items()}, {}, {"a way": {0: 9.0, 64: 12.0}})
    assert "          12  64" in compare.text_table(doc)
    compare_plot.write(doc, tmp_path / "a.svg")
    compare_plot.write(doc, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@needs_machine
@pytest.mark.slow
@pytest.mark.parametrize("size", bench_factors.SIZES)
def test_a_remote_call_adds_up(size: int) -> None:
    """L36: so do those of a call to another node, empty or with a kilobyte: each factor has its row of `bench`,
    and together they are what the counter says of such calls, but for alarms and signs of life between."""
    found = breakdown.remote(size)
    rows = bench_factors.listed(size, found)
    parts = {r.name.split(": ", 1)[1]: r.I for r in rows if r.I is not None}
    assert found.whole and sum(parts.values()) == pytest.approx(found.whole, rel=0.03) and found.calls > 10
    assert rows[-1].value == pytest.approx(found.total / found.whole, abs=1e-4)
    assert list(parts) == list(breakdown.NAMES) and parts["other"] < 0.01 * found.total
    for kind in ("kernel: entry, exit, process switch", "kernel: marshalling", "kernel: links, queues, delivery",
                 "network: RP", "network: NFSM", "network: waiting for acknowledgements",
                 "device rings", "fabric and medium", "events, store and clock of a domain",
                 "hypervisor: exits and domain switches", "hypervisor: events and the rest", breakdown.COPY):
        assert parts[kind] > 0.01 * found.total, kind
    # Neighbours that know each other look up no route, and lent buffers need no call for a frame.
    assert parts["network: routing"] == 0 and parts["hypervisor: grants"] == 0
    # What there is of a kilobyte more: a copy at each end of each ring, and the check that its sender makes.
    assert parts["network: CRC"] > (400 if size else 50)
    if size:
        assert parts[breakdown.COPY] > 2000
