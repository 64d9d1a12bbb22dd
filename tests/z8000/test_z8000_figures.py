# SPDX-License-Identifier: BSD-2-Clause
"""The figures of the 1983 node as the harness gives them: Table 1 and the utilisation of the user
processor, as tables, JSON and a plot."""

import json
import pathlib
import shutil
import struct
import subprocess

import pytest

from osmo import errors, paths, qemu, table1

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = TOP / "harness" / "osmosis"


@pytest.fixture(autouse=True)
def programs() -> None:
    if not (TOP / "build" / "z8000" / "demos" / "echo.bin").exists():
        pytest.skip("no Z8000 programs (harness/z8k-binutils builds their assembler)")


def block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def test_frames_of_one_medium() -> None:
    """Only whole captures count, and of them only the medium asked for."""
    def name(text: bytes) -> bytes:
        return struct.pack("<HHIHH", 1, 0, 0, 2, len(text)) + text + bytes(-len(text) % 4) + bytes(4)

    def frame(interface: int, size: int) -> bytes:
        return block(6, struct.pack("<IIIII", interface, 0, 0, size, size) + bytes(size + -size % 4))
    whole = block(1, name(b"serial")) + block(1, name(b"parallel")) + frame(0, 60) + frame(1, 64) + frame(1, 1192)
    assert list(table1.frames(whole, "parallel")) == [64, 1192] and list(table1.frames(whole, "serial")) == [60]
    with pytest.raises(errors.Problem):
        list(table1.frames(whole[:-3], "parallel"))


@pytest.mark.skipif(not paths.hypervisor().is_file() or shutil.which(qemu.BINARY) is None,
                    reason="no images, or no QEMU")
def test_table1(tmp_path: pathlib.Path) -> None:
    """DN09, DT03-DT06: serial and parallel lines carry a switchboard and calls; the rows that the line's rate
    decides are within a tenth of the paper's; all rows have a model and what it leaves."""
    done = subprocess.run([OSMOSIS, "table1", "--json", "--out", tmp_path], capture_output=True, text=True,
                          check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    rows = {row["row"]: row for row in json.loads(done.stdout)["rows"]}
    assert len(rows) == 8 and all("model_ms" in row["routines"]["model"] for row in rows.values())
    for name in table1.RATE_BOUND:
        assert rows[name]["verdict"] == "within 10%", rows[name]
    for name, size in table1.ROWS.items():
        nodes = rows[name]["nodes"]
        assert nodes["line_bytes"] > size and nodes["measured_ms"] > 0.9 * nodes["line_ms"] > 0
    text = (tmp_path / "table1.txt").read_text()
    assert all(text.count(name) >= 3 for name in rows), "against the paper, the model, other machines"
    assert "10 MHz" in text and "one processor" in text and "left over" in text


def test_utilisation(tmp_path: pathlib.Path) -> None:
    """DV12, DV13: table, JSON and plot beside the paper's band."""
    done = subprocess.run([OSMOSIS, "utilisation", "--seconds", "1", "--out", tmp_path], capture_output=True,
                          text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    assert "the paper: 0.65 to 0.68" in done.stdout and done.stdout.count("processor that restarts") == 2
    assert json.loads((tmp_path / "utilisation.json").read_text())["seconds"] == 1
    assert (tmp_path / "utilisation.svg").read_text().count("pages of 1024") == 1
