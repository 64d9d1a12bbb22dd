# SPDX-License-Identifier: BSD-2-Clause
"""A running cluster attended: ps, top, console, fault, pause, step, break (H12, H24, L31).

One run serves most of it; what is seeded can be looked at and halted, and not be talked to.
"""

import contextlib
import fcntl
import io
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import types
from collections.abc import Iterator
from typing import Any

import pytest

from osmo import abi, cluster, door, paths, qemu, top, units, watch
from osmo.attendance import Attendance
from osmo.collect import Collector
from osmo.errors import Problem
from osmo.memory import Frame
from osmo.session import Ending
from osmo.types import Kernel, Net, acts_as
from osmo.view import View, clip

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = str(TOP / "harness" / "osmosis")
CLUSTERS = TOP / "harness" / "clusters"
BUILT = (paths.hypervisor().is_file() and all(paths.image(i).is_file() for i in ("control", "node", "fabric"))
         and shutil.which(qemu.BINARY) is not None)


machine = pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
pytestmark = pytest.mark.usefixtures("frozen")


class Running:
    """`osmosis run` in the background, with doors of its own."""

    def __init__(self, folder: pathlib.Path, *words: str) -> None:
        self.env = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
        self.process = subprocess.Popen([OSMOSIS, "run", *words, "--json"], env=self.env, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, *words: str, status: int = 0, typed: str = "") -> str:
        done = subprocess.run([OSMOSIS, *words], env=self.env, capture_output=True, text=True, check=False,
                              input=typed, timeout=100)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def status(self) -> dict[str, Any]:
        given: dict[str, Any] = json.loads(self.ask("ps", "--json"))
        return given

    def until(self, what: str, holds: Any, seconds: float = 200) -> dict[str, Any]:
        """The first status for which it holds; before the run is up there is none."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            done = subprocess.run([OSMOSIS, "ps", "--json"], env=self.env, capture_output=True, text=True,
                                  check=False)
            if done.returncode == 0 and holds(status := json.loads(done.stdout)):
                return dict(status)
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.1)
        raise AssertionError(f"never: {what}")

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=100)


@pytest.fixture(name="short_folder")
def fixture_short_folder() -> Iterator[pathlib.Path]:
    """A socket's path has at most 107 bytes, and pytest's own are long."""
    import tempfile
    with tempfile.TemporaryDirectory(prefix="osmo-") as folder:
        yield pathlib.Path(folder)


def by_name(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {n["name"]: n for n in status["nodes"]}


def summed(data: bytes) -> bytes:
    """A snapshot with its sum put right: guest/control/snapshot.h, mix.h."""
    digest, words = 0, bytearray(data)
    words[16:24] = bytes(8)
    for (word,) in struct.iter_unpack("<Q", words):
        digest = (digest ^ word) * 0x9e3779b97f4a7c15 & 2**64 - 1
        digest ^= digest >> 29
    words[16:24] = struct.pack("<Q", digest)
    return bytes(words)


def written_down_and_put_back(run: Running, folder: pathlib.Path) -> None:
    """A node ends and goes on from a file, with what its processes had; a second time it comes from the past.
    Files that are no such thing are refused in words, and change nothing."""
    file, bad = str(folder / "desk.snapshot"), folder / "bad"

    def has(name: str) -> str:
        """In figures that nobody has typed."""
        return run.ask("console", "desk", "--seconds", "60", "--until", (name + "0").encode().hex(),
                       typed=f"give {name}\n")
    run.ask("console", "desk", "--seconds", "60", "--until", "7a7a300a",
            typed="".join(f"put {name} {name}0\n" for name in ("one", "two", "six", "zz")) + "give zz\n")
    assert " KiB" in run.ask("snapshot", "desk", file, "--end")
    run.until("it is gone", lambda s: by_name(s)["desk"]["state"] == "destroyed")
    run.ask("restore", "desk", file)
    assert "from the past" not in has("one")
    data = pathlib.Path(file).read_bytes()
    assert summed(data) == data
    for wrong, says in ((b"", "empty"), (data[:-1], "cut"), (data[:-4096], "cut: of"),
                        (bytes(4096), "no snapshot"),
                        (data[:-1] + bytes([data[-1] ^ 1]), "damaged"),
                        (summed(data[:32] + struct.pack("<Q", 1 << 20) + data[40:]), "of a domain of 1024 K"),
                        (summed(data[:8] + b"\x02" + data[9:]), "version 2")):
        bad.write_bytes(wrong)
        assert says in run.ask("restore", "desk", str(bad), status=2), says
    assert "is of desk, not of other" in run.ask("restore", "other", file, status=2)
    assert "no domain" in run.ask("snapshot", "nobody", status=2)
    assert "from the past" not in has("two")
    run.ask("restore", "desk", file)
    assert "node: comes from the past" in has("six")


def carried_whole_or_not_at_all(run: Running, folder: pathlib.Path) -> None:
    """More than 256 KiB come over byte for byte, both ways. A file whose carrier is interrupted or killed, that
    finds no room or a directory, leaves what was there and nothing of itself, and the next one is served."""
    big, back = str(folder / "big"), folder / "back"
    whole = bytes(range(256)) * 1031 + b"\n\r"
    pathlib.Path(big).write_bytes(whole)
    run.ask("put", big, "desk:box")
    pathlib.Path(big).write_bytes(bytes(2 << 20))
    for number in (signal.SIGINT, signal.SIGKILL):
        with subprocess.Popen([OSMOSIS, "put", big, "desk:box"], env=run.env, stderr=subprocess.DEVNULL) as put:
            run.until("it has begun", lambda s: by_name(s)["desk"]["said"].endswith("taking"))
            put.send_signal(number)
        assert put.returncode != 0
        assert "no such file" in run.ask("get", "desk:box~", status=2)
    run.ask("console", "desk", "--seconds", "60", "--until", "none: ",
            typed="mkdir dir\n" + "".join(f"cp box {i}\n" for i in range(16)) + "rm 0\nrm none\n")
    assert "take: file error -2, the disk is full" in run.ask("put", big, "desk:big", status=2)
    for name in ("big", "big~"):
        assert "no such file" in run.ask("get", f"desk:{name}", status=2)
    assert "take: file error -5, it exists" in run.ask("put", str(folder / "carried"), "desk:dir", status=2)
    run.ask("get", "desk:box", str(back))
    assert back.read_bytes() == whole


@machine
@pytest.mark.slow
def test_a_cluster_is_talked_to_while_it_runs(short_folder: pathlib.Path) -> None:
    """The shell types back, faults strike and are lifted, a node is stopped for good. H21: its state goes into a
    file, and out of it."""
    run = Running(short_folder, str(CLUSTERS / "shell.toml"), "--clock", "real", "--for", "10m")
    try:
        up = run.until("two nodes with their servers",
                       lambda s: [len(n["processes"]) >= 2 for n in s["nodes"]] == [True, True])
        assert by_name(up)["desk"]["state"] == "running" and up["virtual_ns"] > 0 and not up["paused"]
        said = run.ask("console", "desk", "--until", "spoken words", "--seconds", "60",
                       typed="put file spoken words\ncat file\n")
        assert "demos>" in said and "spoken words" in said
        carried = short_folder / "carried"
        carried.write_bytes(b"\n\r")
        assert "file error" in run.ask("get", "desk:nothing", status=2)
        assert "file error" in run.ask("put", str(carried), "desk:no/where", status=2)
        assert "no place" in run.ask("get", "desk", status=2) and "no node" in run.ask("get", "x:y", status=2)
        said = run.ask("top", "--looks", "2", "--every", "0.5", "--json")
        looks = [json.loads(line) for line in said.splitlines()]
        desk = next(d for d in looks[-1]["domains"] if d["name"] == "desk")
        assert len(looks) == 2 and desk["memory"] > 1 << 20 and desk["overhead"] > 4096 and desk["exits"] > 0
        written_down_and_put_back(run, short_folder)
        carried_whole_or_not_at_all(run, short_folder)
        said = run.ask("fault", "loss", "0.5", "--medium", "net", "--for", "1s")
        assert said.startswith("fault net loss 0.5\nat ")
        assert "loss P" in run.ask("fault", "loss", "--medium", "net", status=2)
        assert "carries no medium nat (a direct one" in run.ask("fault", "loss 0.5", "--medium", "nat", status=2)
        run.ask("fault", "crash", "--node", "other")
        run.until("the node is gone", lambda s: by_name(s)["other"]["state"] == "destroyed")
        assert json.loads(run.ask("tell", "list"))["domains"][-1]["name"] == "desk"
        assert "no domain" in run.ask("tell", "pause", "nobody", status=2)
        stood = json.loads(run.ask("pause", "--json"))["virtual_ns"]
        time.sleep(0.3)
        assert run.status()["virtual_ns"] == stood and run.status()["paused"]
        assert "stands still" in run.ask("tell", "list", status=2)
        run.ask("continue")
        run.until("it goes on", lambda s: s["virtual_ns"] > stood)
    finally:
        run.end()
    assert list((short_folder / f"osmosis-{os.getuid()}").iterdir()) == []


OFTEN = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
from osmo import view
view.PERIOD = 0.01
sys.argv[:2] = []
runpy.run_path(sys.argv[0])
"""


def on_a_terminal(*words: str) -> str:
    """What a command that ends well shows on a screen of 110 columns, all of it, drawn anew so often that also a
    fast host does not run past it."""
    screen, tty = pty.openpty()
    fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 110, 0, 0))
    shown = bytearray()
    command = [sys.executable, "-c", OFTEN, str(TOP / "harness"), OSMOSIS, *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=tty, stderr=tty) as process:
        os.close(tty)
        with contextlib.suppress(OSError):  # a terminal that nobody holds any more
            while got := os.read(screen, 65536):
                shown += got
    os.close(screen)
    assert process.returncode == 0, shown[-3000:].decode(errors="replace")
    return shown.decode()


def the_view_is_live(shown: str) -> None:
    """Nodes with their processes, messages and rates, virtual time and the faults in force, while it goes on."""
    pictures = re.sub(r"\x1b\[\d*[A-Za-z]", lambda m: "\f" if m[0][-1] == "A" else "", shown).split("\f")
    assert len(pictures) > 5 and pictures[0].startswith("machine: TCG, clock `count`")
    times = [float(m[1]) for p in pictures if (m := re.search(r"lossy .* ([\d.]+) m?s of 4s", p))]
    assert len(set(times)) > 3, times
    rows = [tuple(int(g.replace(",", "")) for g in m.groups()) for p in pictures
            for m in re.finditer(r"● server +running +(\d+) +([\d,]+) +([\d,]+) +([\d,]+)", p)]
    assert any(processes >= 3 and sent > 20 and received > 20 and rate > 0
               for processes, sent, received, rate in rows), rows[-5:]
    assert [sent for _, sent, _, _ in rows] == sorted(sent for _, sent, _, _ in rows)
    hit = ["loss 0.2" in p for p in pictures]
    assert any(hit) and not hit[-1] and re.search(r"[1-9]\d* frames lost", pictures[-1])
    assert "ok: lossy, seed 5, clock count" in pictures[-1]
    assert "Ctrl-C" in pictures[-2] and not re.search("Ctrl-C|waiting", pictures[-1])


@machine
@pytest.mark.slow
def test_steps_and_breaks_do_not_show_in_a_seeded_run(short_folder: pathlib.Path) -> None:
    """Halted at times and at events, a run gives the same bytes as one that nobody looked at."""
    words = (str(CLUSTERS / "lossy.toml"), "--seed", "5")
    the_view_is_live(on_a_terminal("run", *words, "--out", str(short_folder / "alone")))
    alone = json.loads((short_folder / "alone" / "result.json").read_text())
    run = Running(short_folder, *words, "--paused")
    try:
        stood = run.until("it stands still", lambda s: s["paused"])["virtual_ns"]
        for _ in range(2):
            again = json.loads(run.ask("step", "1ms", "--json"))["virtual_ns"]
            assert again >= stood + 10**6
            stood = again
        found = json.loads(run.ask("break", "kernel.receive", "client1", "--json"))
        assert found["node"] == "client1" and stood <= found["event_ns"] <= found["virtual_ns"]
        assert run.status()["paused"]
        assert "seeded" in run.ask("fault", "crash", "--node", "client1", status=2)
        assert "no trace event" in run.ask("break", "kernel.nothing", status=2)
        assert "no node" in run.ask("break", "kernel.send", "nobody", status=2)
        run.ask("console", "client1", "--seconds", "0.1")
        run.ask("continue")
        out, errors = run.process.communicate(timeout=500)
    finally:
        run.end()
    seen = json.loads(out)
    assert seen["ok"], errors
    assert seen["digests"] == alone["digests"]


def test_files_go_onto_disk_images_and_off(tmp_path: pathlib.Path) -> None:
    image, tool = tmp_path / "disk", paths.build() / "demos-fs"
    if not tool.is_file():
        pytest.skip("demos-fs is not built")
    subprocess.run([tool, "make", image, "256K"], check=True)
    (tmp_path / "a").write_bytes(bytes(range(256)) * 20)
    for words in (("put", str(tmp_path / "a"), f"{image}:b"), ("get", f"{image}:b", str(tmp_path / "c"))):
        subprocess.run([OSMOSIS, *words], check=True)
    assert (tmp_path / "c").read_bytes() == (tmp_path / "a").read_bytes()
    done = subprocess.run([OSMOSIS, "get", f"{image}:none"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("osmosis: demos-fs: ")


def test_no_run_is_said(short_folder: pathlib.Path) -> None:
    done = subprocess.run([OSMOSIS, "ps"], env={**os.environ, "XDG_RUNTIME_DIR": str(short_folder)},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "no cluster runs" in done.stderr


def test_a_folder_that_others_can_write_is_refused(short_folder: pathlib.Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    door.folder().chmod(0o777)
    with pytest.raises(Problem, match="not this user's alone"):
        door.folder()


class Still:
    """As much of a session as the door and the view look at."""

    def __init__(self) -> None:
        self.collector = Collector()
        self.paused = False
        self.page = None
        self.ending: Ending | None = None

    def pause(self) -> None:
        self.paused = True

    def go_on(self) -> None:
        self.paused = False

    def event(self, ns: int, **fields: Any) -> None:
        self.collector.take(Frame(abi.Stream.RESULT, ns, json.dumps({"ns": ns, **fields}).encode() + b"\n"))

    def record(self, *fields: int) -> None:
        self.collector.take(Frame(abi.Stream.TRACE, fields[0], abi.Record(*fields).pack()))


@pytest.fixture(name="still")
def fixture_still() -> Still:
    still = Still()
    for domid, name in ((1, "a1"), (2, "a2")):
        still.event(0, event="start", name=name, domid=domid)
    return still


def small() -> cluster.Cluster:
    return cluster.parse('for = "10s"\nabout = "two nodes"\n[nodes.a]\ncount = 2\nprograms = ["hello"]\n')


def test_messages_processes_and_moves_are_counted(still: Any) -> None:
    seen = watch.Watch(small())
    still.record(10, Kernel.CREATE, 1, 7, 7, 1 << 32 | 3)
    still.record(20, Kernel.SEND, 1, 7, 2 << 32 | 1, 1)
    seen.look(still)
    assert seen.nodes["a1"].processes == {(1, 7)} and seen.nodes["a1"].sent == 1 and seen.moves == 0
    here = acts_as((1, 7), 2)
    still.record(30, Kernel.CREATE, 2, here, 7, 1 << 32 | 3)
    still.record(35, Kernel.CREATE, 2, 7, 7, 2 << 32 | 3)  # one of its own has that serial, too
    still.record(40, Kernel.RECEIVE, 2, here, 1, 1)
    fresh = seen.look(still)
    assert [r.ns for r in fresh] == [30, 35, 40] and seen.moves == 1
    assert seen.nodes["a1"].processes == set() and seen.nodes["a2"].processes == {(1, 7), (2, 7)}
    still.record(50, Kernel.END, 2, here, 0, 0)
    seen.look(still)
    assert seen.nodes["a2"].processes == {(2, 7)}


def test_rates_are_of_virtual_time(still: Any) -> None:
    seen = watch.Watch(small())
    for step in range(4):
        seen.virtual_ns = step * 5 * 10**8
        seen.nodes["a1"].sent = 100 * step
        seen.tick()
    assert seen.rate("a1") == 200.0 and seen.rate("a2") == 0.0
    assert seen.spark("a1", 5) == "  ███" and seen.spark("a2", 3) == "   "


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 8)])
def test_the_view_fits(still: Any, size: tuple[int, int]) -> None:
    """At most a screen, whatever the number of nodes; what does not fit is counted."""
    many = cluster.parse('for = "10s"\n[nodes.a]\ncount = 300\nprograms = ["hello"]\n')
    for c in (small(), many):
        seen = watch.Watch(c)
        seen.tick()
        lines = View(c, seen).picture(still, *size)
        assert len(lines) < size[1]
        plain = [clip(line, size[0] - 1) for line in lines]
        assert any("a1" in line and "running" in line for line in plain)
        assert ("more, " in "".join(plain)) == (c is many)


@pytest.mark.parametrize("size", [(40, 10), (40, 8), (20, 6), (80, 24)])
def test_the_view_fits_whatever_there_is_to_say(still: Any, size: tuple[int, int]) -> None:
    """A long word about the cluster and faults in force give way to the nodes: on a small terminal their lines
    made the screen scroll with each picture, and the first, with the time, was never seen."""
    fault = '[[faults]]\nat = "0ms"\nmedium = "m"\ndo = "{}"\n'
    c = cluster.parse('for = "10s"\nabout = "' + "words and lines " * 30 + '"\n[nodes.a]\ncount = 5\n[media.m]\n'
                      + "".join(fault.format(f"{do} 0.1")
                                for do in ("loss", "pad", "truncate", "corrupt", "biterror")))
    seen = watch.Watch(c)
    lines = [clip(line, size[0] - 1) for line in View(c, seen).picture(still, *size)]
    plain = [re.sub(r"\x1b\[\d*m", "", line) for line in lines]
    assert len(plain) < size[1] and c.name[:7] in plain[0]
    assert any(" a1 " in line for line in plain) or "more, " in "".join(plain), plain
    assert any("⚡" in line for line in plain) and any("words" in line for line in plain) == (size[1] > 10)


def test_the_view_says_what_goes_on(still: Any) -> None:
    """Processes, messages, the rate and its picture, the time, what was lost and the faults in force."""
    c = cluster.parse('for = "10s"\n[nodes.a]\ncount = 2\n[media.m]\n[[faults]]\nat = "1s"\nfor = "2s"\n'
                      'medium = "m"\ndo = "loss 0.5"\n[[faults]]\nat = "3s"\nmedium = "m"\ndo = "jitter 1ms"\n')
    seen = watch.Watch(c)
    still.record(0, Kernel.CREATE, 1, 7, 7, 1 << 32 | 1)
    seen.look(still)
    seen.tick()
    for number in range(1, 1501):
        still.record(number * 10**6, Kernel.SEND, 1, 7, 2 << 32 | 5, number)
    still.record(2 * 10**9, Net.MEDIUM_DROP, 9, 1, 0, 2)
    seen.look(still)
    seen.tick()
    plain = [re.sub(r"\x1b\[\d*m", "", line) for line in View(c, seen).picture(still, 120, 24)]
    assert plain[0].endswith("  2 s of 10s  1 frame lost") and "━" in plain[0]
    assert [line for line in plain if "⚡" in line] == ["  ⚡ at 1s for 2s: medium m: loss 0.5"]
    row = next(line for line in plain if " a1 " in line).split()
    assert row[:6] == ["●", "a1", "running", "1", "1,500", "0"] and row[6] == "750" and "█" in row[7]


def test_the_last_picture_is_of_the_end(still: Any, monkeypatch: pytest.MonkeyPatch,
                                        short_folder: pathlib.Path) -> None:
    """A run that is over before the next picture was due leaves none that shows nodes waiting."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    still.machine = types.SimpleNamespace(directory=short_folder)
    c = cluster.parse('for = "10s"\n[nodes.b]\ncount = 2\nprograms = ["hello"]\n')
    with Attendance(watch.Watch(c), False, True) as attendance:
        assert attendance.view
        out = attendance.view.out = io.StringIO()
        attendance.look(still)
        assert (first := out.getvalue()).count("waiting") == 2
        for domid in (3, 4):
            still.event(5, event="start", name=f"b{domid - 2}", domid=domid)
        still.event(9 * 10**9, event="exit", name="b1", domid=3, reason="poweroff")
        still.record(10**10, Kernel.SEND, 4, 7, 2 << 32 | 1, 1)
        attendance.look(still)
        assert out.getvalue() == first  # it is not due
        still.ending = Ending("done")
        attendance.look(still)
        shown = re.sub(r"\x1b\[\d*[A-Za-z]", "", out.getvalue()[len(first):])
    assert re.search(r"b1 +poweroff", shown) and re.search(r"b2 +running +0 +1 ", shown), shown
    assert "10 s of 10s" in shown and "Ctrl-C" not in shown and "waiting" not in shown


def test_a_break_is_at_the_first_event_since_it_was_asked_for(still: Any) -> None:
    """Of what comes out of the rings late, also what happened before the machine last stood still does not count,
    and of several nodes' the earliest does."""
    halt = door.Halt(event=Kernel.RECEIVE, since_ns=100)
    records = [abi.Record(ns, kind, domid, 7, 0, 0) for ns, kind, domid in
               ((97, Kernel.RECEIVE, 1), (101, Kernel.SEND, 1), (140, Kernel.RECEIVE, 1),
                (120, Kernel.RECEIVE, 2))]
    assert halt.met(still, 150, records[:2]) is False
    assert halt.met(still, 150, records) == records[3]
    halt.node = "a1"
    assert halt.met(still, 150, records) == records[2]


def test_clipping_counts_columns_not_bytes() -> None:
    assert clip("\x1b[31mabc\x1b[0mdef", 4) == "\x1b[31mabc\x1b[0md"
    assert clip("日本語", 5) == "日本"
    assert clip("a\tb", 9) == "ab"


def test_shares_are_of_the_span() -> None:
    before = {"a": {"run_ns": 0, "exits": 5, "frames": 2, "overhead": 8192}}
    after = {"a": {"run_ns": 5 * 10**8, "exits": 105, "frames": 256, "overhead": 8192},
             "b": {"run_ns": 1, "frames": 1}}
    rows = top.rows(before, after, 10**9)
    assert [r["name"] for r in rows] == ["a", "b"] and rows[0]["cpu"] == 50.0 and rows[0]["exits"] == 100
    assert rows[0]["memory"] == 1 << 20 and "a " in top.table(rows)[1]


class Peer:
    """A client of a door that nobody runs behind."""

    def __init__(self, path: pathlib.Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.settimeout(30)

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.socket.recv(1 << 20).splitlines()]


def test_a_door_bears_nonsense(still: Any, short_folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is answered, and whoever says too much without an end is shown out."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    d = door.Door(watch.Watch(small()), None)
    try:
        peer, flood = Peer(d.path), Peer(d.path)
        d.look(still)
        d.look(still)
        for line in (b"nonsense", b"[]", b'{"do": 1}', b'{"do": "console"}', b'{"do": "console", "node": "x"}',
                     b'{"do": "step", "time": "soon"}', b'{"do": "command", "line": "list"}', b"\xff\xfe"):
            peer.say(line + b"\n")
            d.look(still)
            (answer,) = peer.lines()
            assert answer["ok"] is False and answer["error"], line
        flood.say(b"x" * 70000)
        for _ in range(5):
            d.look(still)
        assert len(d.clients) == 1
        peer.say(b'{"do": "step", "time": "5ms"}\n')
        d.look(still)
        d.watch.virtual_ns = units.time_ns("5ms")
        monkeypatch.setattr(d.watch, "look", lambda _session: [])
        d.look(still)
        assert peer.lines() == [{"ok": True, "virtual_ns": 5 * 10**6}] and still.paused
    finally:
        d.close()
