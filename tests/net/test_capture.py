# SPDX-License-Identifier: BSD-2-Clause
"""Captures of the fabric are pcapng that tshark reads, with every field of the DEMOS header.

One interface per medium, virtual time stamps in ns, faults as comments, checksums filled in;
forged frames never get onto a medium; the same seed gives the same file (DN06, DN09, F01-F05).
"""

import pathlib
import re
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
LUA = TOP / "harness" / "wireshark" / "demos.lua"
KINDS = {"DATA": 1, "ACKS": 2, "DATAGRAM": 3, "ROUTE": 4, "REPLY": 5, "REPLY_ACK": 6, "BULK": 8,
         "BULK_DONE": 10}
ROUTING = [KINDS["ROUTE"], KINDS["REPLY"], KINDS["REPLY_ACK"]]

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@pytest.fixture(scope="module", name="capture")
def fixture_capture(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("capture") / "capture.pcapng"
    with path.open("wb") as out:
        done = subprocess.run([TOP / "build/tests/net/capture"], stdout=out, stderr=subprocess.PIPE,
                              timeout=60, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return path


def fields(capture: pathlib.Path, select: str, *names: str) -> list[list[str]]:
    command = ["tshark", "-X", f"lua_script:{LUA}", "-r", str(capture), "-T", "fields",
               "-E", "separator=;", "-o", "udp.check_checksum:TRUE"]
    for name in names:
        command += ["-e", name]
    done = subprocess.run([*command, "-Y", select] if select else command, capture_output=True,
                          text=True, check=False, timeout=120)
    assert done.returncode == 0 and "rror" not in done.stderr.replace("Running as user", ""), done.stderr
    return [line.split(";") for line in done.stdout.splitlines()]


def test_every_kind_is_dissected(capture: pathlib.Path) -> None:
    seen = {int(row[0]) for row in fields(capture, "demos", "demos.kind")}
    assert set(KINDS.values()) <= seen


def test_header_fields(capture: pathlib.Path) -> None:
    rows = fields(capture, "demos.kind == 1", "demos.version", "demos.src", "demos.dst", "demos.src_epoch",
                  "demos.dst_epoch", "demos.body_length", "demos.length", "demos.seq", "demos.section")
    assert len(rows) >= 31
    whole = [row for row in rows if row[6] == row[5] and row[8] == "0"]
    assert whole
    for row in rows:
        assert row[0] == "1" and row[3] == row[4] == "1" and row[1] in "13" and row[2] in "13"
        assert int(row[8]) * 1024 + int(row[5]) <= int(row[6])
    # Conversations begin shortly before the wrap of their numbers.
    assert min(int(row[7]) for row in rows) >= 0xffffff80


def test_crc_is_right_as_sent(capture: pathlib.Path) -> None:
    rows = fields(capture, "demos", "demos.crc_good")
    assert len(rows) > 100 and all(row[0] in ("1", "True") for row in rows)


def test_announcement_rides_on_routing(capture: pathlib.Path) -> None:
    rows = fields(capture, "demos.kind == 4 && demos.src == 1", "demos.announce")
    assert rows and all(bytes.fromhex(row[0].replace(":", "")) == b"switchboard" for row in rows)


def test_interfaces_and_times(capture: pathlib.Path) -> None:
    rows = fields(capture, "", "frame.interface_name", "frame.time_epoch")
    assert {row[0] for row in rows} == {"wire", "line"}
    times = [float(row[1]) for row in rows]
    assert times == sorted(times) and times[0] < 1 and times[-1] < 61


def test_faults_are_comments(capture: pathlib.Path) -> None:
    text = "\n".join(row[0] for row in fields(capture, "frame.comment", "frame.comment"))
    for word in ("dropped: loss", "fault: bits flipped", "fault: duplicated"):
        assert word in text
    assert re.search(r"n1>n2 #\d+ ", text)


def test_blank_checksum_is_filled(capture: pathlib.Path) -> None:
    rows = fields(capture, "udp", "udp.checksum.status", "udp.checksum")
    assert [row[0] for row in rows] == ["1"] and rows[0][1] != "0x0000"


def test_forged_frames_are_not_there(capture: pathlib.Path) -> None:
    assert fields(capture, "demos.src == 99 || eth.src == 02:05:00:00:00:4d", "demos.src") == []


def test_same_run_same_file(capture: pathlib.Path) -> None:
    again = subprocess.run([TOP / "build/tests/net/capture"], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, timeout=60, check=True).stdout
    assert again == capture.read_bytes()


def test_unguaranteed_traffic_is_marked(tmp_path: pathlib.Path) -> None:
    """DN20: traffic statistics and the time of day are datagrams, the word where machines are is of the routing's
    kinds; what nodes report of it, in datagrams of which some are lost, is what the capture has."""
    cluster = TOP / "harness/clusters/traffic.toml"
    run = subprocess.run([TOP / "harness/osmosis", "run", cluster, "--headless", "--out", tmp_path],
                         capture_output=True, text=True, check=False, timeout=100)
    assert run.returncode == 0, run.stdout
    said = (tmp_path / "console" / "board.log").read_text()
    told = re.findall(r"^([123]) +(\d+) +(\d+) +(\d+) +\d+ +\d+ +(\d+) %$", said, re.M)
    rows = fields(tmp_path / "capture.pcapng", "demos", "demos.src", "demos.kind")
    assert len(told) == 3, said
    for machine, messages, plain, routing, share in told:
        kinds = [int(kind) for source, kind in rows if source == machine]
        sent = [sum(map(kinds.count, wanted)) for wanted in ([KINDS["DATA"]], [KINDS["DATAGRAM"]], ROUTING)]
        assert sent[0] >= int(messages) and sent[1] - int(plain) in range(3) and sent[2] - int(routing) in range(3)
        assert 20 <= int(share) <= 60
    came, of = map(int, re.findall(r"(\d+) of (\d+) reports came", said)[0])
    assert 30 < came < of
