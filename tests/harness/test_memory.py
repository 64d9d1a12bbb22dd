# SPDX-License-Identifier: BSD-2-Clause
"""The machine's RAM from outside: mailbox, plan hand-over, output ring, hostile contents."""

import pathlib
import struct
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake import MAILBOX, PLAN, RING, FakeRam
from osmo import abi
from osmo.errors import Problem
from osmo.memory import FOUR_GIB, MailboxPage, OutputRing, Ram, low_memory


def test_the_digest_is_of_what_lies_where(tmp_path: pathlib.Path) -> None:
    """A page that nobody touched and one of zeros are the same; any byte elsewhere makes another digest."""
    def digest(*pieces: tuple[int, bytes]) -> str:
        path = tmp_path / "ram"
        with open(path, "wb") as f:
            f.truncate(8 << 20)
            for at, data in pieces:
                f.seek(at)
                f.write(data)
        ram = Ram(path)
        try:
            return ram.digest()
        finally:
            ram.close()

    one = digest((5000, b"x"))
    assert digest() == digest((4096, bytes(70000)))
    assert one == digest((5000, b"x"), (1 << 20, bytes(4096)), (0, bytes(4096)))
    assert len({one, digest(), digest((5001, b"x")), digest((5000, b"y")), digest((9096, b"x")),
                digest((5000, b"x"), ((8 << 20) - 1, b"z"))}) == 6


def test_mailbox_is_found_and_read(tmp_path: pathlib.Path) -> None:
    FakeRam(tmp_path / "ram").mailbox(abi.State.PANIC, 7, "out of frames", 12345)
    page = MailboxPage.find(Ram(tmp_path / "ram"))
    assert page is not None and page.address == MAILBOX
    box = page.get()
    assert (box.state, box.status, box.reason, box.now_ns) == (5, 7, "out of frames", 12345)


def test_no_mailbox_yet(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ram").write_bytes(bytes(1 << 20))
    assert MailboxPage.find(Ram(tmp_path / "ram")) is None


def test_another_version_is_refused(tmp_path: pathlib.Path) -> None:
    fake = FakeRam(tmp_path / "ram")
    fake.data[MAILBOX + 8:MAILBOX + 12] = struct.pack("<I", 99)
    fake.flush()
    with pytest.raises(Problem, match=rf"speaks version 99 of .*, this harness {abi.VERSION}(?s:.)*run `make`"):
        MailboxPage.find(Ram(tmp_path / "ram"))


def test_plan_reaches_the_machine_and_state_goes_last(tmp_path: pathlib.Path) -> None:
    FakeRam(tmp_path / "ram")
    ram = Ram(tmp_path / "ram")
    page = MailboxPage.find(ram)
    assert page is not None
    page.give_plan(b"plan 1\n", seed=42)
    box = page.get()
    assert (box.state, box.seed, box.plan_len) == (abi.State.GO, 42, 7)
    assert ram.read(PLAN, 7) == b"plan 1\n"
    with pytest.raises(Problem, match="not at READY"):
        page.give_plan(b"again", seed=1)


def test_plan_too_large(tmp_path: pathlib.Path) -> None:
    FakeRam(tmp_path / "ram")
    page = MailboxPage.find(Ram(tmp_path / "ram"))
    assert page is not None
    with pytest.raises(Problem, match="65536"):
        page.give_plan(bytes(65537), seed=1)


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=100), max_size=60))
def test_frames_come_back_in_order_through_wraps(tmp_path_factory: pytest.TempPathFactory,
                                                 datas: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("ring") / "ram"
    fake = FakeRam(path, capacity=1000 // 8 * 8, size=2 << 20)
    ring = OutputRing(Ram(path), RING, 1064)
    seen: list[bytes] = []
    for number, data in enumerate(datas):
        fake.emit(abi.Stream.LOG, data, number)
        if number % 3 == 0:
            seen += [f.data for f in ring.frames()]
            ring.free()
    assert seen + [f.data for f in ring.frames()] == datas


def test_overrun_is_named(tmp_path: pathlib.Path) -> None:
    fake = FakeRam(tmp_path / "ram", capacity=64)
    ring = OutputRing(Ram(tmp_path / "ram"), RING, 128)
    for _ in range(5):
        fake.emit(abi.Stream.LOG, b"12345678")
    with pytest.raises(Problem, match="overwrote"):
        list(ring.frames())


@pytest.mark.parametrize("header", [
    abi.RING.pack(0, 1, 64, 0, 0, 0, 0, 0, 0),
    abi.RING.pack(abi.RING_MAGIC, 9, 64, 0, 0, 0, 0, 0, 0),
    abi.RING.pack(abi.RING_MAGIC, 1, 1 << 60, 0, 0, 0, 0, 0, 0),
    abi.RING.pack(abi.RING_MAGIC, 1, 0, 0, 0, 0, 0, 0, 0),
])
def test_a_nonsense_ring_is_refused(tmp_path: pathlib.Path, header: bytes) -> None:
    fake = FakeRam(tmp_path / "ram")
    fake.data[RING:RING + 64] = header
    fake.flush()
    with pytest.raises(Problem):
        OutputRing(Ram(tmp_path / "ram"), RING, 4160)


def test_a_lying_frame_is_refused(tmp_path: pathlib.Path) -> None:
    fake = FakeRam(tmp_path / "ram")
    fake.emit(abi.Stream.LOG, b"x")
    fake.data[RING + 64 + 4:RING + 64 + 8] = struct.pack("<I", 0xFFFFFFF0)
    fake.flush()
    with pytest.raises(Problem, match="does not fit"):
        list(OutputRing(Ram(tmp_path / "ram"), RING, 4160).frames())


def test_a_frame_that_is_being_written_is_waited_for(tmp_path: pathlib.Path) -> None:
    fake = FakeRam(tmp_path / "ram")
    ring = OutputRing(Ram(tmp_path / "ram"), RING, 4160)
    fake.emit(abi.Stream.LOG, b"whole")
    fake.data[RING + 16:RING + 24] = struct.pack("<Q", 16)
    fake.flush()
    assert list(ring.frames()) == []
    fake.data[RING + 16:RING + 24] = struct.pack("<Q", 24)
    fake.flush()
    assert [f.data for f in ring.frames()] == [b"whole"]


def test_addresses_above_four_gib(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "ram"
    with open(path, "wb") as f:
        f.truncate(5 << 30)
    ram = Ram(path, "q35")
    assert ram.low == 2 << 30
    assert ram.offset(FOUR_GIB + 5, 10) == (2 << 30) + 5
    for bad in (3 << 30, FOUR_GIB + (3 << 30), (2 << 30) - 4):
        with pytest.raises(Problem, match="does not have"):
            ram.offset(bad, 8)


def test_low_memory_by_machine() -> None:
    assert low_memory("q35", 1 << 30) == 1 << 30
    assert low_memory("pc", 5 << 30) == 3 << 30
    assert low_memory("microvm", 4 << 30) == 3 << 30
