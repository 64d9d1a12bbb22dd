"""The dual-processor node with its kernel side in Z8000 assembly: Table 1 in emulated time,
the handshake as a signal trace, page maps allotted to the segment used longest ago."""

import json
import pathlib
import subprocess
from typing import Any

import pytest

from z8000_step import TOP

TOOL = TOP / "build" / "z8000" / "z8000-node"
LINES = {"w": "wait", "f": "fault", "r": "release", "k": "to_kernel", "u": "to_user"}


def node(*arguments: str) -> str:
    if not (TOOL.parent / "kernel.bin").exists():
        pytest.skip("no Z8000 programs (harness/z8k-binutils builds their assembler)")
    return subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=True, timeout=100).stdout


Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def tables() -> dict[str, Rows]:
    return {kind: {row["row"]: row for row in rows} for kind, rows in json.loads(node("table")).items()}


@pytest.fixture
def rows(tables: dict[str, Rows]) -> Rows:
    return tables["table1"]


def test_rates_bound_rows(rows: Rows) -> None:
    """DT03, DT05, DT06: what the 5,000 bytes/s interface dictates, nothing added."""
    assert abs(rows["disk block, 512 bytes"]["ratio"] - 1) < 0.1
    remote = rows["send and receive 1024 bytes, remote"]
    assert remote["measured_ms"] > remote["line_bytes"] / 5.0
    assert abs(remote["ratio"] - 1) < 0.1
    assert remote["line_bytes"] == 1024 + 2 * (20 + 14), "two messages, two acknowledgements"
    assert rows["1024 bytes there and back, remote"]["measured_ms"] > 410


def test_calls_cost_what_they_do(rows: Rows) -> None:
    """DT01, DT02, DT04: two calls cost more than twice one; a copy costs its clocks."""
    null = rows["null kernel call"]["clocks"]
    assert 300 < null < 2000, "a trap, two interrupts and two register files at least"
    assert rows["create and destroy link"]["clocks"] > 2 * null
    empty = rows["send and receive 0 bytes, local"]["clocks"]
    full = rows["send and receive 1024 bytes, local"]["clocks"]
    assert 1024 * 9 < full - empty < 1024 * 9 * 1.2


def test_model_adds_up(rows: Rows) -> None:
    """DT07: named parts make up what was measured; with code counted as often as assumed, the model."""
    for row in rows.values():
        model = row["model"]
        once = sum(model[part] for part in ("line_ms", "handshake_ms", "device_ms", "copies_ms", "sums_ms",
                                            "interrupts_ms"))
        assert abs(once + model["code_ms"] - row["measured_ms"]) < 0.01 and model["code_ms"] > 0
        assert abs(once + model["code_ms"] * model["compiled_code_factor"] - model["model_ms"]) < 0.01
    assert rows["null kernel call"]["model"]["interrupts"] == 3, "the trap, and one each way"


def test_causes_of_the_figures(tables: dict[str, Rows]) -> None:
    """DT07: what a faster clock, a faster line and one processor instead of two would change, and what not."""
    was, clock, line = (tables[k] for k in ("table1", "clock_10_mhz", "line_1250000_bytes_per_second"))
    one = tables["one_processor"]
    call, block, away = "null kernel call", "disk block, 512 bytes", "send and receive 1024 bytes, remote"
    assert abs(clock[call]["measured_ms"] * 5 / was[call]["measured_ms"] - 1) < 0.01
    assert clock[block]["measured_ms"] > 0.95 * was[block]["measured_ms"], "the line decides, not the processor"
    assert line[away]["measured_ms"] < 0.25 * was[away]["measured_ms"]
    assert line[call]["clocks"] == was[call]["clocks"]
    assert one[call]["clocks"] < 0.5 * was[call]["clocks"], "most of a null call is between the processors"
    assert set(one) == {row for row in was if "remote" not in row and row != block}


def test_noise_on_the_line() -> None:
    """The protocol of the remote rows is one: with wrong bytes on the line all messages arrive as they
    were sent, some of them at a second attempt."""
    clean, noisy = (json.loads(node("noise", every)) for every in ("0", "5003"))
    assert clean["intact"] and clean["resent"] == 0
    assert noisy["intact"] and noisy["resent"] > 0 and noisy["measured_ms"] > clean["measured_ms"]


def events(path: pathlib.Path) -> list[tuple[int, str, int]]:
    found, clock = [], 0
    for line in path.read_text().split("$enddefinitions $end\n")[1].splitlines()[8:]:
        if line[0] == "#":
            clock = int(line[1:])
        elif line[1] in LINES:
            found.append((clock, LINES[line[1]], int(line[0])))
    return found


def test_handshake_trace(tmp_path: pathlib.Path) -> None:
    """DV06: fault, WAIT, release; and for a call the interrupt each way, in this order."""
    trace = tmp_path / "handshake.vcd"
    node("vcd", str(trace))
    names = [(name, value) for _, name, value in events(trace)]
    first = names.index(("to_kernel", 1))
    assert ("wait", 0) in names[:first], "the first fetch of the process faults and is served"
    assert names[:6] == [
        ("fault", 1), ("wait", 1), ("fault", 0), ("release", 1), ("release", 0), ("wait", 0),
    ], "latched, held, acknowledged, released"
    calls = [n for n in names[first:] if n[0] in ("to_kernel", "to_user")]
    assert calls[:8] == [("to_kernel", 1), ("to_kernel", 0), ("to_user", 1), ("to_user", 0)] * 2
    clocks = [clock for clock, _, _ in events(trace)]
    assert clocks == sorted(clocks)


def test_maps_are_a_scarce_resource() -> None:
    """DV07, DV08: sixteen segments live; the seventeenth in a cycle evicts every time."""
    table = {row["segments"]: row for row in json.loads(node("maps"))}
    assert table[12]["faults_per_round"] == 0, "12 segments of data and one of code fit"
    assert table[16]["evictions_per_round"] == 17, "in a cycle of 17 the oldest is always the next"


def test_paging_share() -> None:
    """DV11-DV13, DV09: the share falls with a faster processor and with remote paging, and
    rises where a fault lets another process run."""
    shares: dict[str, dict[int, float]] = {}
    for row in json.loads(node("paging", "4"))["rows"]:
        shares.setdefault(row["study"], {})[row["memory_kb"]] = row["busy"]
    base = shares["1983, pages of 512"]
    for memory in (64, 80, 96):
        assert shares["processor at 10 MHz"][memory] < base[memory]
        assert shares["remote paging, 280 ms for 1024 bytes"][memory] < base[memory]
        assert shares["processor that restarts"][memory] > base[memory]
