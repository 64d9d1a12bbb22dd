# SPDX-License-Identifier: BSD-2-Clause
"""Demand paging by the DEMOS kernel of Z8000 nodes to a pager on another machine: the user
processor is held in the reference until its page has come."""

import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from osmo import paths, qemu
from z8000_step import TOP

Z8000 = TOP / "build" / "demos-z8000"
X86 = TOP / "build" / "demos-node"
LARGE = "large: 3 times round 63 KB, all as it was written\n"
PAIR = "pair: 200 round trips, 1000 bytes there and back\n"
STORE = ("+kernel switchboard global", "=disk ramdisk 8", "=pager pager", "announce pager")


@pytest.fixture(autouse=True)
def programs() -> None:
    if not (TOP / "build" / "z8000" / "demos" / "large.bin").exists():
        pytest.skip("no Z8000 programs (harness/z8k-binutils builds their assembler)")


def command(program: pathlib.Path, number: int, ether: pathlib.Path, *words: str) -> list[str]:
    """A node on the ether; words that are no options are commands to run."""
    options = [o for word in words for o in ((word,) if word.startswith("--") else ("--run", word))]
    return [str(program), "--net", str(ether), "--id", str(number), *options]


@contextlib.contextmanager
def store(ether: pathlib.Path) -> Iterator[subprocess.Popen[bytes]]:
    """Node 1 has the disk and the pager."""
    with subprocess.Popen(command(X86, 1, ether, "--memory=64", *STORE), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def finish(arguments: list[str]) -> tuple[int, str, dict[str, int]]:
    done = subprocess.run(arguments, timeout=60, text=True, stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)
    words = done.stderr.split()
    return done.returncode, done.stdout, {key: int(value) for key, value in zip(words[::2], words[1::2])}


@pytest.mark.parametrize("page", ["512", "1024", "2048"])
def test_larger_than_the_board(tmp_path: pathlib.Path, page: str) -> None:
    """DV16, DV04, DV09: 63 KB of data with 48 KB of memory, first writes and uses seen by holds alone;
    without a pager the same program ends."""
    with store(tmp_path):
        status, text, report = finish(command(Z8000, 2, tmp_path, "--memory=64", f"--page={page}", "--report",
                                              "+kernel paging 300", "wait", "large"))
    assert (status, text) == (0, LARGE)
    assert report["pages-asked"] > 10 and report["pages-written"] > 10 and report["held"] > 0
    status, text, _ = finish(command(Z8000, 2, tmp_path, "--memory=64", f"--page={page}", "large"))
    assert status == 1 and "ended by exception 8" in text


@pytest.mark.parametrize("page", ["512", "1024", "2048"])
def test_larger_than_the_board_on_its_own_disk(page: str) -> None:
    """DV04, DV14: the same without another machine: pages go through the board's parallel port, served while
    the user processor is held. Where the disk is too small a page that had no room ends its process, and the
    node goes on."""
    start = [str(Z8000), "--memory=64", f"--page={page}", "--report", "--run=+kernel +disk paging", "--run=wait"]
    status, text, report = finish([*start, "--disk=128", "--run=large"])
    assert (status, text) == (0, LARGE)
    assert report["disk-reads"] == report["pages-asked"] > 10 and report["disk-writes"] > 10 and report["held"] > 0
    status, text, _ = finish([*start, "--disk=4", "--run=large", "--run=wait", "--run=hello"])
    assert status == 1 and text.startswith("large: ended by exception 7 at 0x2"), text
    assert text.endswith("hello from a Z8001\n")


def test_calls_whose_pages_are_on_its_own_disk() -> None:
    """Arguments, messages and MOVEDATA's areas come from there in the middle of kernel calls."""
    pairs = ["--run=+kernel pair"] * 8
    status, text, report = finish([str(Z8000), "--memory=64", "--disk=512", "--report",
                                   "--run=+kernel +disk paging", "--run=wait", *pairs, "--run=large"])
    assert (status, sorted(text.splitlines(True))) == (0, [LARGE] + [PAIR] * 8)
    assert report["disk-reads"] > 100


def test_no_disk_no_link_to_it() -> None:
    done = subprocess.run([Z8000, "--run", "+disk hello"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2 and "cannot be given its links" in done.stderr


def test_calls_whose_pages_are_away(tmp_path: pathlib.Path) -> None:
    """Eight pairs of processes in 48 KB: arguments, messages and MOVEDATA's areas are fetched in
    the middle of kernel calls."""
    with store(tmp_path):
        status, text, report = finish(command(Z8000, 2, tmp_path, "--memory=64", "--report",
                                              "+kernel paging 300", "wait", *["+kernel pair"] * 8, "large"))
    assert (status, sorted(text.splitlines(True))) == (0, [LARGE] + [PAIR] * 8)
    assert report["pages-asked"] > 100


def test_no_more_room_at_the_pager(tmp_path: pathlib.Path) -> None:
    """A page that cannot come ends its process by a segment trap after the instruction; the node
    goes on."""
    with store(tmp_path):
        status, text, _ = finish(command(Z8000, 2, tmp_path, "--memory=64", "+kernel paging 4", "wait", "large",
                                         "wait", "hello"))
    assert status == 1 and text.startswith("large: ended by exception 7 at 0x2"), text
    assert text.endswith("hello from a Z8001\n")


def test_a_paged_process_moves(tmp_path: pathlib.Path) -> None:
    """Its memory is fetched from the pager on its way to the other node, and back."""
    with store(tmp_path):
        other = command(Z8000, 3, tmp_path, "--serve", "--page=512")
        with subprocess.Popen(other, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            try:
                status, text, _ = finish(command(Z8000, 2, tmp_path, "--memory=64", "+kernel paging 300", "wait",
                                                 "+kernel pair 3", "large"))
            finally:
                process.kill()
    assert (status, sorted(text.splitlines(True))) == (0, [LARGE, PAIR])


def killed_after(seconds: float, ether: pathlib.Path) -> dict[str, int]:
    """A program whose pages nobody brings, killed from another node so much later; what its node counted."""
    with store(ether) as pager:
        with subprocess.Popen(command(Z8000, 2, ether, "--memory=64", "--report", "+kernel paging 300", "wait",
                                      "hello", "wait", "large forever", "wait", "hello"),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as node:
            try:
                assert node.stdout is not None and node.stdout.readline() == "hello from a Z8001\n"
                pager.send_signal(signal.SIGSTOP)
                time.sleep(seconds)
                until = time.monotonic() + 60
                while finish(command(Z8000, 3, ether, "+kernel@2 kill kernel@2 large"))[0] != 0:
                    assert time.monotonic() < until
                text, report = node.communicate(timeout=100)
            finally:
                node.kill()
    assert (node.returncode, text) == (0, "hello from a Z8001\n")
    words = report.split()
    return {key: int(value) for key, value in zip(words[::2], words[1::2])}


def test_a_process_killed_while_its_processor_is_held(tmp_path: pathlib.Path) -> None:
    """DV04, DV11: the machine with the pages has stopped, so the reference is never served. When the process
    is killed from another node the user processor is let go, and the next process runs."""
    seconds, counts = 0.5, {"held": 0}
    while counts["held"] <= 100_000:  # until it has written to more than there is, on any host
        assert seconds < 60, counts
        counts, seconds = killed_after(seconds, tmp_path), 4 * seconds
    assert counts["holds"] > 100, counts


@pytest.mark.skipif(not paths.hypervisor().is_file() or shutil.which(qemu.BINARY) is None,
                    reason="no images, or no QEMU")
def test_nobody_runs_while_a_page_comes(tmp_path: pathlib.Path) -> None:
    """DV11, DV17: two nodes share a paging device. A process that computes for a second makes the
    node whose other process waits for pages a second later: it cannot use those times. A third pages to
    its own disk, 400 pages at least, at 5,000 bytes a second."""
    done = subprocess.run([TOP / "harness" / "osmosis", "run", TOP / "harness" / "clusters" / "z8000-paging.toml",
                           "--json", "--out", tmp_path], capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert all(kind["broken"] == 0 for kind in result["invariants"].values())
    ended = {node["name"]: node["ended_ns"] / 1e9 for node in result["nodes"] if node.get("ended_ns")}
    assert ended["beside"] > ended["alone"] + 0.95
    assert ended["own"] > 400 * 512 / 5000
