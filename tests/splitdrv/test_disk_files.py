# SPDX-License-Identifier: BSD-2-Clause
"""`disk =` in cluster files: what is wrong is said with its remedy, what is right becomes lines of
the plan (H17); and disks as they come out of a machine."""

import pathlib
import struct

import pytest

from osmo import abi, cluster, disks, dump, memory, plan
from osmo.errors import Problem

NODE = "[nodes.a]\n{}\n"


def load(tmp_path: pathlib.Path, text: str) -> cluster.Cluster:
    (tmp_path / "image").write_bytes(bytes(8192))
    (tmp_path / "odd").write_bytes(bytes(700))
    path = tmp_path / "c.toml"
    path.write_text(text)
    return cluster.load(path)


@pytest.mark.parametrize("line, says", [
    ('disk = 5', "expected a file's name"),
    ('disk = "nothing"', "name a raw image, relative to the cluster file"),
    ('disk = "odd"', "a multiple of 512"),
    ('disk = { size = "0" }', "more than 0"),
    ('disk = {}', "say file = or size ="),
    ('disk = { file = "image", size = "1M" }', "one of them"),
    ('disk = { size = "1M", keep = true }', "truncate -s"),
    ('disk = { size = "1M", rw = true }', "nodes.a.disk.rw is unknown"),
    ('disk = ["image", { sise = "1M" }]', "did you mean size?"),
    ('count = 2\ndisk = { file = "image", keep = true }', "a file of its own"),
])
def test_what_is_wrong_is_said(tmp_path: pathlib.Path, line: str, says: str) -> None:
    with pytest.raises(Problem) as problem:
        load(tmp_path, NODE.format(line))
    assert says in f"{problem.value}"


def test_kept_disks_need_the_clock_real(tmp_path: pathlib.Path) -> None:
    kept = load(tmp_path, NODE.format('disk = { file = "image", keep = true }'))
    assert [d.function for d in disks.drives(kept, "real")] == ["5.0"]
    with pytest.raises(Problem, match="--clock real"):
        disks.drives(kept, "count")


def test_the_plan_makes_and_gives_them(tmp_path: pathlib.Path) -> None:
    made = plan.compile_cluster(load(tmp_path, NODE.format(
        'count = 2\nprograms = []\ndisk = ["image", { size = "1M", readonly = true }]')), [])
    lines = made.text.splitlines()
    (create,) = [line for line in lines if line.startswith("create disks ")]
    assert create.count(" module=disk-") == 2 and "a1-0" in create and "a2-0" in create
    assert "write /osmosis/disk/a1-1/bytes 1048576" in lines and "write /osmosis/disk/a1-1/readonly 1" in lines
    assert "write /osmosis/disk/a2-0/module a2-0" in lines
    second = [line for line in lines if line.startswith("device vbd a2 ")]
    assert "51712" in second[0] and "back.disk=a2-0 back.mode=w" in second[0]
    assert "51728" in second[1] and "back.disk=a2-1 back.mode=r" in second[1]
    assert len([m for m in made.modules if m.startswith("disk-")]) == 1  # of one file


FAULTY = NODE.format('disk = { size = "1M", readonly = true }')


def test_faults_of_disks(tmp_path: pathlib.Path) -> None:
    """F24, H20: they begin and end in the store; a shrunk cluster's file keeps disks and faults."""
    text = FAULTY + '[[faults]]\nat = "1s"\nfor = "1ms"\ndisk = "a-0"\ndo = "disk-torn 0.5"\n'
    made = load(tmp_path, text)
    assert [line for line in plan.compile_cluster(made, made.faults).text.splitlines() if "fault/" in line] == [
        "at 1s write /osmosis/disk/a-0/fault/torn 2147483648", "at 1001ms write /osmosis/disk/a-0/fault/torn 0"]
    again = load(tmp_path, dump.cluster_text(made, made.faults, 1, 10**9))
    assert again.nodes[0].disks == made.nodes[0].disks and again.faults == made.faults
    drawn = load(tmp_path, FAULTY + '[random]\nkinds = ["disk-full", "disk-delay 5ms"]\ndisks = ["a-0"]\n')
    assert {f.name for f in drawn.all_faults(7)} == {"a-0"} == {f.name for f in drawn.all_faults(8)}


@pytest.mark.parametrize("words, says", [
    ('disk = "a-1"\ndo = "disk-full"', "known: a-0"),
    ('disk = "a-0"\nnode = "a"\ndo = "disk-full"', "one of them"),
    ('disk = "a-0"\ndo = "disk-error 2"', "no probability"),
    ('disk = "a-0"\ndo = "disk-delay"', "say `disk-delay TIME`"),
    ('disk = "a-0"\ndo = "crash"', "no fault of a disk"),
    ('node = "a"\ndo = "disk-full"', "no fault of a node"),
])
def test_wrong_faults_of_disks(tmp_path: pathlib.Path, words: str, says: str) -> None:
    with pytest.raises(Problem) as problem:
        load(tmp_path, f'{FAULTY}[[faults]]\nat = "1s"\n{words}\n')
    assert says in f"{problem.value}"


def piece(name: str, size: int, first: int, frames: list[int]) -> bytes:
    return abi.DISK_PIECE.pack(name.encode(), size, first, len(frames)) + struct.pack(f"<{len(frames)}Q", *frames)


def test_contents_come_out_of_the_machine(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ram").write_bytes(b"".join(bytes([n]) * 4096 for n in range(16)))
    ram = memory.Ram(tmp_path / "ram")
    found = disks.Map()
    found.take(piece("a-0", 4096 * 3 + 512, 0, [5, abi.NO_FRAME]))
    found.take(piece("a-0", 4096 * 3 + 512, 2, [0, 7]))
    images = found.images(ram)
    expected = b"\5" * 4096 + bytes(8192) + b"\7" * 512
    assert images["a-0"].content() == expected
    disks.save(images, tmp_path)
    assert (tmp_path / "disks" / "a-0.img").read_bytes() == expected
    before = disks.digest(images)
    ram.write(5 * 4096 + 9, b"x")
    assert disks.digest(found.images(ram)) != before
    for nonsense in (b"short", piece("a-0", 1, 9, [1]), piece("b", 1, 0, [1])[:-1]):
        with pytest.raises(Problem):
            found.take(nonsense)
    found.take(piece("a-0", 4096, 0, [1 << 40]))
    with pytest.raises(Problem, match="does not have"):
        found.images(ram)
