"""The dual-processor node with its kernel side in Z8000 assembly: Table 1 in emulated time,
the handshake as a signal trace, page maps allotted to the segment used longest ago."""

import json
import pathlib
import re
import subprocess
from typing import Any

import pytest

from z8000_step import TOP

TOOL = TOP / "build" / "z8000" / "z8000-node"


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


def test_noise_in_most_frames() -> None:
    """One byte in 1,499 spoils seven of ten frames. The kernel's eight attempts do not always do, so that the
    process sends once more what it was refused; and where an acknowledgement is lost both sides send: then a
    message stands for it. (It ended never: each side waited for the other.)"""
    noisy = json.loads(node("noise", "1499"))
    assert noisy["intact"] and noisy["resent"] > 24


def events(path: pathlib.Path) -> list[tuple[int, str, int]]:
    """The changes of a value change dump (IEEE 1364, 18.2), read as strictly as any viewer would."""
    header, body = path.read_text().split("$enddefinitions $end\n")
    declared = re.findall(r"\$(\w+)\s+(.*?)\s*\$end\n", header)
    assert "".join(f"${word} {rest} $end\n".replace("  ", " ") for word, rest in declared) == header
    assert [word for word, _ in declared if word != "var"] == ["timescale", "scope", "upscope"]
    names: dict[str, str] = {}
    for word, rest in declared:
        if word == "var":
            kind, width, code, name = rest.split()
            assert (kind, width) == ("wire", "1") and code not in names and name not in names.values()
            names[code] = name
    found: list[tuple[int, str, int]] = []
    level: dict[str, int] = {}
    clock = -1
    for line in body.splitlines():
        if line[0] == "#":
            assert int(line[1:]) >= clock, "time does not go back"
            clock = int(line[1:])
            continue
        name, value = names[line[1:]], int(line[0])
        assert clock >= 0 and value in (0, 1) and level.get(name) != value
        if name in level:  # else it is where the line begins
            found.append((clock, name, value))
        level[name] = value
    assert set(level) == set(names.values()), "each line has a value"
    return found


def test_handshake_trace(tmp_path: pathlib.Path) -> None:
    """DV06: fault, WAIT, the map is set, release; and for a call the interrupt each way, in this order."""
    trace = tmp_path / "handshake.vcd"
    node("vcd", str(trace))
    names = [(name, value) for _, name, value in events(trace)]
    first = names.index(("to_kernel", 1))
    assert ("user_wait", 0) in names[:first], "the first fetch of the process faults and is served"
    served = [n for n in names[:first] if n[0] in ("fault", "user_wait", "release", "map_set")]
    assert [n for i, n in enumerate(served) if n not in served[:i]] == [
        ("fault", 1), ("user_wait", 1), ("fault", 0), ("map_set", 1), ("map_set", 0), ("release", 1),
        ("release", 0), ("user_wait", 0),
    ], "latched, held, acknowledged, the map loaded, released"
    calls = [n for n in names[first:] if n[0] in ("to_kernel", "to_user")]
    assert calls[:8] == [("to_kernel", 1), ("to_kernel", 0), ("to_user", 1), ("to_user", 0)] * 2


def test_maps_are_a_scarce_resource() -> None:
    """DV07, DV08: sixteen segments live; the seventeenth in a cycle evicts every time."""
    table = {row["segments"]: row for row in json.loads(node("maps"))}
    assert table[12]["faults_per_round"] == 0, "12 segments of data and one of code fit"
    assert table[16]["evictions_per_round"] == 17, "in a cycle of 17 the oldest is always the next"


def test_least_recent_use_and_not_first_in() -> None:
    """DV08: of sixteen maps the one goes whose segment the kernel has heard of longest ago: the code's for a
    seventeenth segment, then the code is back for segment 4's, and not for that of 3, which came first but
    was seen again."""
    assert json.loads(node("lru")) == {"3": 2, "4": 3, "5": 2, "6": 2}


def test_paging_share() -> None:
    """DV11-DV13, DV09, DT08: with memory full, the share falls with a faster processor, with remote paging
    and with larger pages; it rises where a fault lets another process run, and where software sees what is
    used, by references to pages that are out of the map. A held processor's share is what faults leave."""
    rows = {row["study"]: row for row in json.loads(node("paging", "60", "64"))["rows"]}
    share = {study: row["busy"] for study, row in rows.items()}
    base = share["1983, pages of 512"]
    assert share["processor at 10 MHz"] < base
    assert share["remote paging, 280 ms for 1024 bytes"] < base
    assert share["1983, pages of 2048"] < share["1983, pages of 1024"] < base
    assert share["processor that restarts"] > base
    assert share["paging device of 50,000 bytes/s"] > base
    assert share["1983, a second chance"] > base
    for row in rows.values():
        transfers = row["faults_per_second"] + row["writes_per_second"]
        held = transfers * (row["device_ms"] / 1000 + row["page_bytes"] / row["bytes_per_second"])
        assert row["restartable"] or abs(row["busy"] + held - 1) < 0.05, row
