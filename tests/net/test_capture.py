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
KINDS = {"DATA": 1, "ACKS": 2, "DATAGRAM": 3, "ROUTE": 4, "REPLY": 5, "REPLY_ACK": 6, "ERROR": 7, "BULK": 8,
         "BULK_ASK": 9, "BULK_DONE": 10, "WHERE": 11, "THERE": 12}
ROUTING = [KINDS[kind] for kind in ("ROUTE", "REPLY", "REPLY_ACK", "WHERE", "THERE")]

# Where the fields stand in a frame, and how long they are: net/frame.h, for all kinds and for each.
ALL = {"version": (14, 1), "kind": (15, 1), "flags": (16, 1), "hops": (17, 1), "src": (18, 4), "dst": (22, 4),
       "src_epoch": (26, 4), "dst_epoch": (30, 4), "body_length": (34, 2), "spare": (56, 4), "crc": (60, 4)}
NEWS = {"seq": (38, 4), "cost": (42, 4), "rate": (46, 4), "block": (50, 4)}
OWN: dict[str, dict[str, tuple[int, int]]] = {
    "DATA": {"section": (36, 2), "seq": (38, 4), "length": (42, 4), "ack": (46, 4), "bits": (50, 4),
             "attempt": (54, 2), "payload": (64, 40)},
    "ACKS": {"ack": (46, 4), "bits": (50, 4), "item.seq": (64, 4), "item.attempt": (68, 2), "item.have": (72, 8),
             "item.last": (80, 8)},
    "DATAGRAM": {"seq": (38, 4), "payload": (64, 8)},
    "ROUTE": {**NEWS, "announce": (64, 5)},
    "REPLY": {**NEWS, "announce": (64, 6)},
    "REPLY_ACK": {"seq": (38, 4), "asker": (46, 4)},
    "ERROR": {"unreachable": (46, 4)},
    "BULK": {"transfer": (38, 8), "offset": (46, 8), "payload": (64, 10)},
    "BULK_ASK": {"transfer": (38, 8), "range.from": (64, 8), "range.to": (72, 8)},
    "BULK_DONE": {"transfer": (38, 8)},
    "WHERE": {"wanted": (46, 4)},
    "THERE": {"wanted": (46, 4), "address": (64, 6)},
}
AGAIN = {"item": 24, "range": 16}  # stand twice in their frames, so far apart
FLAGS = {"flags.end": 1, "flags.wide": 2, "flags.more": 4}

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


def specimen(kind: str, body: int) -> bytes:
    """As tests/net/capture.c makes it, but for the CRC."""
    frame = bytearray((KINDS[kind] * 29 + i * 7 + 1) & 255 for i in range(64 + body))
    frame[14:16] = bytes((1, KINDS[kind]))
    frame[34:36] = body.to_bytes(2, "big")
    return bytes(frame)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_every_kind_is_read(capture: pathlib.Path, kind: str) -> None:
    """Each at its place and in its length, from a frame in which no two are alike, and none that is another
    kind's (DN06)."""
    names = [*ALL, *FLAGS, *dict.fromkeys(name for own in OWN.values() for name in own), "crc_good"]
    (row,) = fields(capture, f"demos.kind == {KINDS[kind]} && demos.src > 1000", *(f"demos.{n}" for n in names))
    shown = dict(zip(names, row, strict=True))
    frame = specimen(kind, int(shown["body_length"]))
    mine = {**ALL, **OWN[kind]}
    for name in names:
        at, size = mine.get(name, (0, 0))
        times = 2 if name.split(".")[0] in AGAIN else 1
        if name in FLAGS:
            assert shown[name] in (("1", "True") if frame[16] & FLAGS[name] else ("0", "False")), name
        elif name == "crc_good":
            assert shown[name] in ("1", "True")
        elif not size:
            assert shown[name] == "", name
        elif name in ("payload", "announce", "address"):
            assert bytes.fromhex(shown[name].replace(":", "")) == frame[at:at + size], name
        elif name != "crc":
            apart = [at + i * AGAIN.get(name.split(".")[0], 0) for i in range(times)]
            assert [int(v, 0) for v in shown[name].split(",")] == \
                [int.from_bytes(frame[a:a + size], "big") for a in apart], name


def test_header_fields(capture: pathlib.Path) -> None:
    rows = fields(capture, "demos.kind == 1 && demos.src < 10", "demos.version", "demos.src", "demos.dst",
                  "demos.src_epoch", "demos.dst_epoch", "demos.body_length", "demos.length", "demos.seq",
                  "demos.section")
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
                         capture_output=True, text=True, check=False, timeout=500)
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
