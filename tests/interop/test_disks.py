# SPDX-License-Identifier: BSD-2-Clause
"""Linux with disks: its own xen-blkfront on our disk domain, and what is on the disks afterwards,
by the tools of the host (H17).
"""

import hashlib
import pathlib
import shutil
import subprocess

import pytest

from osmo import cluster, debian, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("linux")]
SIZE = 8 << 20


def ext4(path: pathlib.Path, size: int = SIZE) -> None:
    if not shutil.which("mke2fs"):
        pytest.skip("mke2fs is not installed (e2fsprogs)")
    with path.open("wb") as file:
        file.truncate(size)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-F", path], check=True, capture_output=True)


def check(path: pathlib.Path, *flags: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["e2fsck", *flags, path], check=False, capture_output=True, text=True)


def content(path: pathlib.Path, name: str) -> bytes:
    return subprocess.run(["debugfs", "-R", f"cat {name}", path], check=True, capture_output=True).stdout


def play(tmp_path: pathlib.Path, text: str) -> run.Outcome:
    if debian.kernel() is None:
        pytest.skip("no Debian Linux kernel (linux-image-amd64)")
    path = tmp_path / "disks.toml"
    path.write_text(text)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    outcome = run.execute(run.prepare(cluster.load(path), run.Options(), scratch))
    run.save(outcome, tmp_path / "out")
    return outcome


def words(script: str) -> str:
    return script.replace(" ", "~")


def test_three_disks_are_what_they_say(tmp_path: pathlib.Path) -> None:
    """A file, an empty one and a read-only one: sizes, rights, bytes. What is discarded reads
    as zeros. The files that the disks began as are as they were."""
    ext4(tmp_path / "data.img")
    before = (tmp_path / "data.img").read_bytes()
    script = words(
        "cat /sys/block/xvd[abc]/size /sys/block/xvd[abc]/ro | xargs echo sizes; "
        "mount -t ext4 /dev/xvda /mnt && seq 100000 >/mnt/numbers && umount /mnt && echo written; "
        "seq 300000 | head -c 1000000 | dd of=/dev/xvdb bs=1000k conv=fsync 2>/dev/null; "
        "blkdiscard -o 512 -l 512 /dev/xvdb && echo discarded; "
        "dd if=/dev/zero of=/dev/xvdc count=1 2>/dev/null || echo refused; "
        "md5sum /dev/xvdc")
    outcome = play(tmp_path, f"""
for = "120s"
until = "exit lin"
[nodes.lin]
machine = "linux"
disk = ["data.img", {{ size = "2M" }}, {{ file = "data.img", readonly = true }}]
cmdline = "osmosis.run={script}"
""")
    said = outcome.collector.text("lin")
    assert "sizes 16384 4096 16384 0 0 1" in said and "written" in said and "refused" in said, said[-3000:]
    out = tmp_path / "out" / "disks"
    assert check(out / "lin-0.img", "-fn").returncode == 0, said[-3000:]
    assert content(out / "lin-0.img", "numbers") == b"".join(b"%d\n" % n for n in range(1, 100001))
    stream = bytearray(b"".join(b"%d\n" % n for n in range(1, 200001))[:1000000])
    if "discarded" in said:
        stream[512:1024] = bytes(512)
    second = (out / "lin-1.img").read_bytes()
    assert second == stream + bytes((2 << 20) - len(stream))
    assert (out / "lin-2.img").read_bytes() == before == (tmp_path / "data.img").read_bytes()


def test_destroyed_hard_the_disk_recovers(tmp_path: pathlib.Path) -> None:
    """Linux dies between two instructions while it writes: ext4's journal is replayed on the host,
    nothing else is to be mended, and what was synced is there."""
    ext4(tmp_path / "data.img")
    script = words("mount -t ext4 /dev/xvda /mnt; seq 50000 >/mnt/safe; sync; echo synced; "
                   "i=0; while true; do i=$((i+1)); seq $i $((i+3000)) >/mnt/f$((i%40)); "
                   "[ $((i%7)) = 0 ] && sync; [ $i = 60 ] && echo enough; done")
    outcome = play(tmp_path, f"""
for = "120s"
until = "output lin enough"
[nodes.lin]
machine = "linux"
disk = "data.img"
cmdline = "osmosis.run={script}"
[[faults]]
after = "output lin enough"
node = "lin"
do = "crash"
""")
    said = outcome.collector.text("lin")
    assert "synced" in said and "enough" in said, said[-3000:]
    image = tmp_path / "out" / "disks" / "lin-0.img"
    mended = check(image, "-p")
    assert mended.returncode in (0, 1) and "recovering journal" in mended.stdout, mended
    assert check(image, "-fn").returncode == 0
    assert content(image, "safe") == b"".join(b"%d\n" % n for n in range(1, 50001))


def test_a_kept_disk_outlives_the_run(tmp_path: pathlib.Path) -> None:
    """The file is a virtio-blk function that the disk domain drives: what one Linux wrote and synced
    before it was destroyed, another finds in the next run."""
    ext4(tmp_path / "data.img")
    cluster_file = """
for = "500s"
until = "{until}"
[nodes.lin]
machine = "linux"
disk = {{ file = "data.img", keep = true }}
cmdline = "osmosis.run={script}"
{more}
"""
    first = words("mount -t ext4 /dev/xvda /mnt; seq 20000 >/mnt/safe; sync; echo synced; "
                  "while true; do seq 5000 >/mnt/noise; done")
    fault = """[[faults]]
after = "output lin synced"
node = "lin"
do = "crash"
"""
    outcome = play(tmp_path, cluster_file.format(script=first, until="output lin synced", more=fault))
    assert "synced" in outcome.collector.text("lin"), outcome.collector.text("lin")[-3000:]
    shutil.rmtree(tmp_path / "scratch")
    second = words("mount -t ext4 /dev/xvda /mnt; md5sum /mnt/safe; umount /mnt")
    outcome = play(tmp_path, cluster_file.format(script=second, until="exit lin", more=""))
    assert hashlib.md5(b"".join(b"%d\n" % n for n in range(1, 20001))).hexdigest() \
        in outcome.collector.text("lin"), outcome.collector.text("lin")[-3000:]
    assert check(tmp_path / "data.img", "-fn").returncode == 0
