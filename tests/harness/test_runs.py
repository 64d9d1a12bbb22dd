# SPDX-License-Identifier: BSD-2-Clause
"""Whole runs on the real machine: worked clusters, verdicts, replay bit for bit, Ctrl-C.

H20 (the same seed gives the same bytes) and DG01's ground; also on a loaded host.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import pytest

from test_attend import Running
from test_disk_nodes import check_files, fsck

from osmo import abi, cluster, experiment, paths, qemu, run, warm
from osmo.types import Kernel, Net, cause

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = str(TOP / "harness" / "osmosis")
CLUSTERS = TOP / "harness" / "clusters"

BUILT = (paths.hypervisor().is_file() and paths.image("control").is_file()
         and paths.image("node").is_file() and shutil.which(qemu.BINARY) is not None)
pytestmark = [pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)"),
              pytest.mark.slow, pytest.mark.usefixtures("frozen")]


def osmosis(*words: object, status: int | None = 0) -> str:
    done = subprocess.run([OSMOSIS, *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=500)
    assert status is None or done.returncode == status, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("clock", ["count", "event", "real"])
def test_hello_in_every_clock(clock: str, tmp_path: pathlib.Path) -> None:
    """H16: one node, one program: console with and without time stamps, exit, result files, status."""
    file, text = tmp_path / "hello.toml", (CLUSTERS / "hello.toml").read_text()
    if clock == "real":  # in which no time is enough for a host that is busy
        text = text.replace('for = "5s"', 'for = "200s"\nuntil = "exit n"')
    file.write_text(text)
    time = ["--for", "2s"] if clock != "real" else []
    out = json.loads(osmosis("run", file, "--clock", clock, *time, "--json", "--out", tmp_path))
    assert out["ok"] and out["exit"] == 0 and out["clock"] == clock
    assert out["nodes"][0]["ended"] == "poweroff" and (clock == "real" or out["virtual_ns"] >= 2 * 10**9)
    said = (tmp_path / "console" / "n.log").read_text()
    stamped = [line.split("] ", 1) for line in (tmp_path / "console" / "n.times").read_text().splitlines()]
    assert "hello" in said and [text for _, text in stamped] == [line.rstrip() for line in said.splitlines()]
    times = [float(at.lstrip("[")) for at, _ in stamped]
    assert times == sorted(times) and (times[0] > 0 or clock == "event") and times[-1] * 1e9 <= out["virtual_ns"]
    assert json.loads((tmp_path / "result.json").read_text()) == out
    assert "What had to hold" in (tmp_path / "report.html").read_text()
    how_it_ran_is_told(out, clock, tmp_path)


def how_it_ran_is_told(out: dict[str, Any], clock: str, folder: pathlib.Path) -> None:
    """Commit, machine, time on the wall, digests of what is beside it, and what each domain has used."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=TOP, capture_output=True, text=True, check=False)
    assert out["git"].rstrip("+") == head.stdout.strip()
    assert out["qemu"]["argv"][0] == qemu.BINARY and ("-icount" in out["qemu"]["argv"]) == (clock == "count")
    assert out["qemu"]["version"].startswith("QEMU") and 0 < out["wall_ms"] < 250_000
    assert f"{out['qemu']['accelerator'].upper()}, " in out["qemu"]["why"]
    memory = {"memory"} if clock == "count" else set()
    assert set(out["digests"]) == {"trace", "console", "capture", "results"} | memory
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in out["digests"].values())
    for name in ("trace", "capture"):
        file = folder / {"trace": "trace", "capture": "capture.pcapng"}[name]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == out["digests"][name]
    (used,) = out["used"]
    assert used["name"] == "n" and used["lives"] == 1 and used["run_ns"] < out["virtual_ns"]
    assert (used["run_ns"] == 0) == (clock == "event")  # by which computing takes no time
    assert used["exits"] > 10 and used["frames"] > 100 and used["overhead"] > 4096
    assert "<h2>Resources</h2>" in (folder / "report.html").read_text()
    page = (TOP / "harness" / "TRACE.md").read_text()
    for path in (p.relative_to(folder) for p in folder.rglob("*") if p.is_file() and p.name != "hello.toml"):
        assert f"`{path}`".replace("/n.", "/NODE.") in page, "the page says what a run leaves"


def stood_still(records: list[abi.Record], events: list[dict[str, Any]]) -> None:
    """A node stands at the record that a fault waits for until the fault has happened, to the instruction."""
    named = {(e["name"], n): e["domid"] for n, e in enumerate(e for e in events if e["event"] == "start")}
    first = {name: domid for (name, _), domid in sorted(named.items(), key=lambda at: -at[0][1])}
    assert sum(r.type == Kernel.SEND and r.domid == first["client2"] for r in records) == 40
    fell = next(e["ns"] for e in events if e["event"] == "destroyed" and e["name"] == "fabric")
    up = next(r for r in records if r.type == Kernel.MIGRATE and r.domid == first["host1"] and r.a == 2)
    assert not [r for r in records if r.domid == first["host1"] and r.type >= Kernel.SEND and up.ns < r.ns < fell]


def to_and_fro(records: list[abi.Record], events: list[dict[str, Any]]) -> None:
    """One clock steps each 7 ms for 0.4 s, as often ahead as back."""
    named = {e["name"]: e["domid"] for e in events if e["event"] == "start"}
    steps = [r.a for r in records if r.type == abi.Trace.SKEW and r.domid == named["client1"]
             and 13 * 10**8 <= r.ns <= 17 * 10**8 + 10**7]
    assert len(steps) == 58 and steps.count(2 * 10**8) == steps.count(2**64 - 2 * 10**8) == 29


def out_of_time(records: list[abi.Record], events: list[dict[str, Any]]) -> None:
    """A node's clock stands from 0.4 to 3.4 s: the other has ended meanwhile, it has not; what it does records
    by the time that all share."""
    named = {e["name"]: e["domid"] for e in events if e["event"] == "start"}
    ended = {e["name"]: int(str(e["ns"])) for e in events if e["event"] == "exit"}
    assert ended["awake"] < 34 * 10**8 < ended["late"]
    when = {r.ns // 10**8 for r in records if r.domid == named["late"] and r.type >= Kernel.SEND}
    assert {3, 34, 35} <= when and [t for t in when if 4 < t < 34]


def away_and_back(records: list[abi.Record], _events: list[dict[str, Any]]) -> None:
    """All that the toolstack wants back goes, in steps while the programs run, and comes back."""
    steps = [r for r in records if r.type == Kernel.MEMORY]
    assert max(r.a for r in steps) == (8192 - 5500) * 1024 and steps[-1].a == 0
    assert steps[0].a < steps[0].b and sum(r.b > 0 for r in steps) > 5


def written_down(records: list[abi.Record], events: list[dict[str, Any]]) -> None:
    """One life in two domains, in which each token is sent on once; and a server that is put back, whose clients
    hear of its new boot from the network, once."""
    domids: dict[str, list[object]] = {}
    for event in events:
        if event["event"] == "start":
            domids.setdefault(str(event["name"]), []).append(event["domid"])
    assert [len(domids[name]) for name in ("a", "away", "server")] == [1, 2, 2]
    assert [e["restored"] for e in events if "restored" in e] == ["on", "past"]
    tokens = [sum(r.type == Kernel.RECEIVE and r.domid == d for r in records) for d in domids["away"]]
    assert all(n > 100 for n in tokens) and 3000 <= sum(tokens) < 3030, tokens
    boots = {r.who for r in records if r.type == Net.REBOOT}
    assert len(boots) == 1 and sum(r.type == Net.REBOOT for r in records) >= 2, boots


def by_two_ways(records: list[abi.Record], events: list[dict[str, Any]]) -> None:
    """A conversation moves to the other interface when frames no longer arrive by the one, and back when that
    is so of the other."""
    named = {e["name"]: e["domid"] for e in events if e["event"] == "start"}
    moves = [(r.ns, (r.a, r.b)) for r in records if r.type == Net.REBIND and r.domid == named["client1"]]
    assert [ns for ns, way in moves if way == (0, 1) and 13 * 10**8 < ns < 28 * 10**8]
    assert [ns for ns, way in moves if way == (1, 0) and 3 * 10**9 < ns < 38 * 10**8]


def apart_as_said(records: list[abi.Record], events: list[dict[str, object]]) -> None:
    """Who is served while halves do not hear each other, one is alone, one is between the others, all a ring."""
    named = {str(e["name"]): e["domid"] for e in events if e["event"] == "start"}
    for begin, end, served in ((300, 1200, ""), (1850, 2050, "23"), (2250, 2400, "1"), (2600, 2800, "13")):
        heard = {r.domid for r in records if r.type == Kernel.RECEIVE and begin < r.ns / 10**6 < end}
        assert {n for n in "123" if named[f"client{n}"] in heard} == set(served), (begin, served)


def each_way_its_own(records: list[abi.Record], planned: list[dict[str, Any]]) -> None:
    """Ways that are cut at one time have each struck what was lost on them, and all together all that was."""
    for at in (2200, 2550):
        struck = [f["struck"] for f in planned if f["at_ns"] == at * 10**6]
        lost = [r for r in records if r.type == Net.MEDIUM_DROP and cause(r.b) == "cut"
                and 0 <= r.ns / 10**6 - at <= 250]
        assert len(struck) > 1 and all(struck) and sum(struck) == len(lost), (at, struck, len(lost))


def every_deed_acted(said: str) -> None:
    """Each kind of misbehaviour began, acted and ended."""
    told = re.findall(r"^foe: (\w+), after (\d+) acts on", said, re.M)
    acts = {deed: int(after) - int(before) for (deed, before), (ended, after) in zip(told[::2], told[1::2])
            if ended == "nothing"}
    assert set(acts) == {"request", "rewrite", "index", "grant", "hoard", "events", "store"}, said
    assert len(told) == 2 * len(acts) and all(n > 0 for n in acts.values()), said


def both_have_the_same(out: pathlib.Path) -> None:
    """Two file systems: the four of one on four nodes and on their way, the other's pair beside its disk. Each of
    the four has moved, and what users see and what is on the disks is the same."""
    said = {log.stem: log.read_text() for log in (out / "console").glob("*.log")}
    for node, server in (("first", "disk"), ("second", "buffers"), ("third", "directories"), ("fourth", "files")):
        visited = re.findall(rf"^tour: {server} is on machine (\d)", said[node], re.M)
        assert len(visited) >= 4 and "not" not in said[node], said[node]
    assert said["user"].count("Test result: SUCCESS") == 5 and "found 40\n" in said["user"], said["user"]
    listed = []
    for node in ("first", "second"):
        image = out / "disks" / f"{node}-0.img"
        fsck(image)
        for folder in ("here", "there"):
            check_files(image, 40, folder)
            listed.append(subprocess.run([paths.build() / "demos-fs", "ls", image, folder], check=True,
                                         capture_output=True).stdout)
    assert listed[0] == listed[2] and listed[1] == listed[3]


CHECKS = {"moment": stood_still, "skew": to_and_fro, "freeze": out_of_time, "squeeze": away_and_back,
          "weather": by_two_ways, "saved": written_down, "partition": apart_as_said}
REPLAYED = ("foe", "freeze", "moment", "saved", "skew", "squeeze")
LOADED = ("moment", "skew")  # replayed where others work, too


@contextlib.contextmanager
def busy_host() -> Iterator[None]:
    """Two processes that compute without an end."""
    hogs = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


@pytest.mark.parametrize("name", sorted(p.stem for p in CLUSTERS.glob("*.toml")))
def test_every_worked_cluster_holds(name: str, tmp_path: pathlib.Path) -> None:
    """Its expectations and every invariant; every fault of a medium struck (F01 to F07), each way to fall
    apart among them (F06); a driver domain, or a node, that dies at each step of their handshake (F09); a path
    that is cut is left for another one (DN16, DN17); no frame is still held when all domains are gone (disks in
    memory are read first); no record is from later than the end, whatever a node's clock showed. H21: a node
    that is written down, with messages in flight, goes on; one that is put back is a new boot to its peers. Both
    file systems of storage.toml, one of four that wander, one of a pair, have the same (DS16, L19)."""
    what = cluster.load(CLUSTERS / f"{name}.toml")
    if any(n.machine == "z8000" for n in what.nodes) and \
            not (paths.build() / "z8000" / "demos" / "trap.bin").is_file():
        pytest.skip("no Z8000 assembler (harness/z8k-binutils), so no programs for its nodes")
    out = json.loads(osmosis("run", what.path, "--clock", "count", "--json", "--out", tmp_path))
    records = abi.records((tmp_path / "trace").read_bytes())
    assert all(r.ns <= out["virtual_ns"] for r in records)
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    held = [e for e in events if e.get("event") == "held"]
    assert len(held) == (not any(n.disks for n in what.nodes))
    assert not held or out["invariants"].get("leak", {"checked": 2})["checked"] == 2
    if name == "moment":
        assert out["invariants"]["liveness"]["checked"]
        assert len([e for e in events if e.get("event") == "fired"]) == 3
    for fault in out["faults"]:
        assert fault["target"] != "medium" or fault["struck"], fault
    if name in CHECKS:
        CHECKS[name](records, [e for e in events if "event" in e])
    if name in REPLAYED:
        with busy_host() if name in LOADED else contextlib.nullcontext():
            assert osmosis("replay", tmp_path).strip() == "identical"
    if name == "partition":
        each_way_its_own(records, out["faults"])
    if name == "foe":
        every_deed_acted((tmp_path / "console" / "foe.log").read_text())
    if name == "storage":
        both_have_the_same(tmp_path)
    if name in ("upcalls", "backend", "edges", "stall"):  # of a node, fabric, store, control domain
        assert len(out["faults"]) >= 3 and all(f["struck"] for f in out["faults"]), out["faults"]


@pytest.mark.parametrize("clock,name", [("count", "demo"), ("event", "lossy"), ("event", "moment")])
def test_the_same_seed_gives_the_same_bytes(clock: str, name: str, tmp_path: pathlib.Path) -> None:
    """Trace, results, consoles; in `count` all of the machine's memory too. Once in peace and
    once beside two busy processes. In `moment` nodes stand at a record, with interrupts off and some pending."""
    osmosis("run", CLUSTERS / f"{name}.toml", "--clock", clock, "--for", "2s", "--json", "--out", tmp_path,
            status=None)
    assert "identical" in osmosis("replay", tmp_path)
    with busy_host():
        assert json.loads(osmosis("replay", tmp_path, "--json"))["identical"]


@pytest.mark.parametrize("clock", ["count", "event"])
def test_a_restored_machine_gives_the_bytes_of_a_fresh_one(clock: str) -> None:
    """Trace, results, consoles and memory of three runs from one snapshot, with another run
    in between, against a boot (P33's ground)."""
    c = cluster.load(CLUSTERS / "demo.toml")
    one, other = (run.Options(clock=clock, seed=s, for_ns=3 * 10**9) for s in (1, 2))
    fresh = experiment.run_once(c, one)
    machine = warm.Warm(c, one)
    try:
        for options in (one, other, one, one):
            again = machine.run(c, options)
            assert again.ok, again.error
            if options is one:
                assert [k for k, v in again.digests.items() if fresh.digests[k] != v] == []
    finally:
        machine.close()


def test_how_long_the_boot_took_does_not_show(tmp_path: pathlib.Path) -> None:
    """H20: a run's time begins with the run, for the scheduler and the hypervisor's own looks at the time, too."""
    c = cluster.load(CLUSTERS / "lossy.toml")
    seen = []
    for number, words in enumerate(("", " dom0_mem=64M")):  # more to clear
        folder = tmp_path / str(number)
        folder.mkdir()
        prepared = run.prepare(c, run.Options(clock="count"), folder)
        prepared.setup.append += words
        with qemu.Qemu(prepared.setup) as machine:
            collected, ending = run.drive(machine, prepared)
        assert ending.good, ending.reason
        seen.append((ending.virtual_ns, collected.digests()))
    assert seen[0] == seen[1]


def test_a_plan_has_the_room_it_needs(tmp_path: pathlib.Path) -> None:
    """As one of ten thousand nodes has, which is longer than the room for one that is handed over."""
    prepared = run.prepare(cluster.load(CLUSTERS / "hello.toml"), run.Options(clock="count"), tmp_path)
    with (tmp_path / "plan").open("a") as text:
        text.writelines(f"# line {i:09}\n" for i in range(100_000))
    with qemu.Qemu(prepared.setup) as machine:
        collected, ending = run.drive(machine, prepared)
    assert ending.good and "hello, world" in collected.text("n"), ending.reason


def test_a_panic_before_anything_is_ready_is_told_at_once(tmp_path: pathlib.Path) -> None:
    prepared = run.prepare(cluster.load(CLUSTERS / "hello.toml"), run.Options(clock="count"), tmp_path)
    prepared.setup.append = "clock=sundial"
    with qemu.Qemu(prepared.setup) as machine:
        _, ending = run.drive(machine, prepared)
    assert (ending.how, ending.reason) == ("panic", "clock=sundial is unknown: say real, count or event")
    assert "PANIC on CPU 0" in ending.dump


def test_five_nodes_are_up_in_two_seconds() -> None:
    """From the command to messages of all five, by the emulator, in processor time, of which others take none."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = json.loads(osmosis("run", CLUSTERS / "demo.toml", "--clock", "count", "--for", "250ms", "--json",
                             status=None))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert len(out["nodes"]) == 5 and all(node["sent"] > 0 for node in out["nodes"]), out["nodes"]
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def rest(screen: int) -> str:
    """What a terminal that nobody holds any more has shown and nobody has read."""
    shown = bytearray()
    with contextlib.suppress(OSError):
        while got := os.read(screen, 1 << 16):
            shown += got
    os.close(screen)
    return shown.decode()


def test_a_difference_is_shown(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file names beside it is found again from anywhere. A replay that must differ says where, and what was
    made anew since; on a terminal how far it is, in one line that is gone at the end."""
    folder, out = tmp_path / "mine", tmp_path / "out"
    folder.mkdir()
    shutil.copy(paths.build() / "programs" / "hello", folder / "own")
    (folder / "disk").write_bytes(bytes(65536))
    (folder / "c.toml").write_text('name = "hello"\n[nodes.n]\ndisk = { file = "disk" }\nprograms = ["./own"]\n')
    monkeypatch.chdir(folder)
    osmosis("run", "c.toml", "--clock", "count", "--for", "1s", "--json", "--out", out)
    monkeypatch.chdir(tmp_path)
    assert osmosis("replay", "out") == "identical\n"
    (folder / "disk").write_bytes(b"x" * 65536)
    log = out / "console" / "n.log"
    log.write_text(log.read_text().replace("hello", "hullo"))
    (out / "plan").write_text((out / "plan").read_text().replace("start n\n", "start m\n"))
    result = json.loads((out / "result.json").read_text())
    result["digests"]["console"] = result["options"]["plan"] = "0" * 64
    result["qemu"]["version"] = "QEMU 1.0"
    (out / "result.json").write_text(json.dumps(result))
    screen, tty = pty.openpty()
    done = subprocess.run([OSMOSIS, "replay", str(out)], stdout=subprocess.PIPE, stderr=tty, text=True,
                          check=False, timeout=500)
    os.close(tty)
    shown, said = rest(screen), done.stdout
    assert done.returncode == 1 and "replay of hello: " in shown and " of 1s, " in shown
    assert shown.endswith("\r\x1b[K") and "\n" not in shown and "replay of" not in said
    assert "differs in console: n, line 1: was 'hullo" in said and "differs in disks" in said
    assert "made anew since: what disks begin as\n" in said
    assert "QEMU has changed since: QEMU 1.0 then, QEMU " in said
    assert re.search(r"^the plan has changed since: line \d+: was 'start m', is 'start n'$", said, re.M)


def test_what_was_not_said_fails_the_run(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('clock = "event"\nfor = "1s"\n[nodes.n]\nprograms = ["hello"]\n'
                    '[expect.output]\nn = "goodbye"\n')
    out = json.loads(osmosis("run", file, "--json", status=1))
    assert not out["ok"] and "expected 'goodbye'" in out["error"]


def test_ctrl_c_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """No machine, and nothing of the one there was; on a terminal the run has said how far it was."""
    screen, tty = pty.openpty()
    command = [OSMOSIS, "run", str(CLUSTERS / "demo.toml"), "--clock", "real", "--for", "10m", "--headless"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=tty, text=True,
                          env={**os.environ, "TMPDIR": str(tmp_path)}) as process:
        shown = ""
        while not (far := re.search(r"demo: [\d.]+ m?s of 600s, \d+ %", shown)):
            shown += os.read(screen, 1 << 16).decode()
        (machine,) = _children(process.pid)
        folder = pathlib.Path(f"/proc/{machine}/cwd").resolve()
        assert (folder / "ram").is_file()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    os.close(tty)
    errors = rest(screen)
    assert process.returncode == 130 and "nothing is left running" in errors
    assert far and said.startswith("machine: TCG, ")
    assert not pathlib.Path(f"/proc/{machine}").exists() and not folder.exists()
    assert [file for file in tmp_path.rglob("*") if not file.is_dir()] == []


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_machine_that_dies_or_stands_still_is_told_of(how: str, tmp_path: pathlib.Path) -> None:
    """QEMU killed from outside ends the run in words; one that shows no life is asked for the hypervisor's state,
    which is kept. Both are a failure by the command's status."""
    with tempfile.TemporaryDirectory(prefix="osmo-") as doors:
        run = Running(pathlib.Path(doors), str(CLUSTERS / "ring.toml"), "--clock", "real", "--for", "10m",
                      "--patience", "2", "--out", str(tmp_path))
        try:
            run.until("it runs", lambda s: s["virtual_ns"] > 10**8)
            (machine,) = _children(run.process.pid)
            if how == "killed":
                os.kill(machine, signal.SIGKILL)
            while how == "stopped" and run.process.poll() is None:  # again if the harness did not come to look
                os.kill(machine, signal.SIGSTOP)
                time.sleep(4)
                os.kill(machine, signal.SIGCONT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    run.process.wait(timeout=15)
            out, errors = run.process.communicate(timeout=60)
        finally:
            run.end()
    result = json.loads(out)
    assert run.process.returncode == result["exit"] == 1 and not result["ok"], errors
    dump = tmp_path / "dump.txt"
    if how == "killed":
        assert result["error"].startswith("died: QEMU ended")
    else:
        assert result["error"].startswith("wedged: no sign of life for 2 s") and "rip" in dump.read_text()


@pytest.mark.parametrize("command,file,said", [
    (["run", "--headless"], "trace", "hello, world"),
    (["experiment", "--seeds", "1..2", "--jobs", "1"], "junit.xml", "2 runs, 0 failed")])
def test_a_full_disk_is_said_after_the_verdict(tmp_path: pathlib.Path, command: list[str], file: str,
                                               said: str) -> None:
    (tmp_path / file).symlink_to("/dev/full")
    done = subprocess.run([OSMOSIS, *command, str(CLUSTERS / "hello.toml"), "--clock", "count", "--for", "300ms",
                           "--out", str(tmp_path)], capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 2 and said in done.stdout
    assert "No space left on device (what is there is not whole" in done.stderr and "Traceback" not in done.stderr


def _children(pid: int) -> list[int]:
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except (OSError, ValueError):
            continue
    return found


def test_a_campaign_finds_saves_and_shrinks(tmp_path: pathlib.Path) -> None:
    """A node crash breaks what was expected; of the faults drawn, the crash alone is left."""
    file = tmp_path / "c.toml"
    file.write_text("""
for = "300ms"
[nodes.a]
programs = ["hello"]
[nodes.b]
programs = ["+kernel ring 8 1000000"]
[random]
count = 4
from = "50ms"
until = "200ms"
kinds = ["crash", "pause", "slow 50%"]
nodes = ["b"]
for = "10ms"
[expect.exit]
b = "running"
""")
    out = tmp_path / "out"
    said = json.loads(osmosis("experiment", file, "--clock", "count", "--seeds", "1..4", "--jobs", "2",
                              "--json", "--out", out, status=None))
    assert said["runs"] == 4 and (out / "junit.xml").exists() and (out / "report.html").exists()
    for seed, small in said["shrunk"].items():
        assert [f.split(": ")[-1] for f in small["faults"]] == ["crash"]
        osmosis("run", out / f"seed-{seed}.toml", "--clock", "count", "--json", status=1)
    assert said["shrunk"], "no seed of these drew a crash"


def test_a_failing_plan_over_five_nodes_shrinks_to_two(tmp_path: pathlib.Path) -> None:
    """Of five nodes and two faults two and one are left: the cut, whom it cuts off, and whom that one needs."""
    file = tmp_path / "c.toml"
    file.write_text("""
for = "200ms"
clock = "event"
[media.net]
[nodes.server]
media = ["net"]
programs = ["+kernel =board switchboard global", "=counter counter-server", "announce counter"]
[nodes.client]
count = 3
media = ["net"]
programs = ["+kernel with counter counter-client 5 5"]
[nodes.bystander]
media = ["net"]
programs = ["+kernel ring 8 10"]
""" + "".join(f'[[faults]]\nat = "{at}"\nmedium = "net"\ndo = "{do}"\n' for at, do in (
        ("1ms", "jitter 1ms"), ("3ms", "cut client2")))
        + '[expect.output]\n' + "".join(f'client{n} = "first 5, second 15"\n' for n in (1, 2, 3)))
    out = tmp_path / "out"
    said = json.loads(osmosis("experiment", file, "--clock", "event", "--seeds", "7", "--jobs", "1", "--json",
                              "--out", out, status=1))
    small = said["shrunk"]["7"]
    assert small["nodes"] == ["server", "client2"] and small["from_nodes"] == 5
    assert [f.split(": ")[-1] for f in small["faults"]] == ["cut client2"] and small["from"] == 2
    assert small["for_ns"] < 2 * 10**8
    again = json.loads(osmosis("run", out / "seed-7.toml", "--json", status=1))
    assert [n["name"] for n in again["nodes"]] == ["server", "client2"] and "client2: expected" in again["error"]
    assert "2 of 5" in (out / "report.html").read_text()


def test_a_bystander_is_spared(tmp_path: pathlib.Path) -> None:
    """Isolation by the digest of all of a node's memory, with a foe, losses, a death and memory pressure by it."""
    out = json.loads(osmosis("run", CLUSTERS / "bystander.toml", "--json", "--out", tmp_path))
    assert out["ok"] and out["clock"] == "event" and all(f["struck"] for f in out["faults"])
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [e["name"] for e in events if e.get("event") == "digest"] == ["apart"]


@pytest.mark.parametrize("flips", [False, True])
def test_a_bit_that_flips_in_a_bystander_is_found(tmp_path: pathlib.Path, flips: bool) -> None:
    """Isolation broken on purpose: one bit of memory that the node itself never looks at."""
    text = """
clock = "event"
for = "50ms"
[nodes.other]
programs = ["+kernel ring 8 10", "+kernel shell"]
[nodes.apart]
bystander = true
programs = ["+kernel ring 8 10", "+kernel shell"]
[[faults]]
at = "5ms"
for = "5ms"
node = "other"
do = "pause"
"""
    prepared = run.prepare(cluster.parse(text), run.Options(), tmp_path)
    prepared.plan.text += f"at 0ns inject apart point=flip after=1 arg={0x7f0000 << 3}\n" if flips else ""
    (tmp_path / "plan").write_text(prepared.plan.text)
    out = run.execute(prepared).result
    assert out.ok != flips and out.invariants["isolation"]["broken"] == flips
    assert ("memory of apart" in out.error) == flips
