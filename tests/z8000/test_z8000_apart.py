# SPDX-License-Identifier: BSD-2-Clause
"""The user processor on a processor of its own, a thread of the hosted node (here with every access
watched by ThreadSanitizer) or a domain's second vCPU in clock `real`, and as a coroutine: the same
programs say the same (DV01, DV04, DV10)."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from osmo import cluster, paths, plan, qemu
from osmo.errors import Problem
from z8000_step import TOP

COROUTINES = TOP / "build" / "demos-z8000"
APART = TOP / "build" / "tests" / "z8000" / "race"
X86 = TOP / "build" / "demos-node"
PROGRAMS = TOP / "build" / "z8000" / "demos"
STORE = ("+kernel switchboard global", "=disk ramdisk 8", "=pager pager", "announce pager")
LARGE = "large: 3 times round 63 KB, all as it was written\n"
PAIR = "pair: 200 round trips, 1000 bytes there and back\n"


@pytest.fixture(autouse=True)
def programs() -> None:
    if not (PROGRAMS / "large.bin").exists():
        pytest.skip("no Z8000 programs (harness/z8k-binutils builds their assembler)")


def options(*words: str) -> list[str]:
    """Words that are no options are commands to run."""
    return [o for word in words for o in ((word,) if word.startswith("--") else ("--run", word))]


def apart(*words: str) -> list[str]:
    return [str(APART), f"--programs={PROGRAMS}", "--apart", *options(*words)]


WATCHED = {**os.environ, "TSAN_OPTIONS": "exitcode=66 halt_on_error=1"}


def finish(command: list[str]) -> tuple[int, list[str]]:
    """Its status, 66 of ThreadSanitizer's where two processors met; and its lines, which processes that
    run side by side write in any order."""
    done = subprocess.run(command, timeout=100, text=True, stdin=subprocess.DEVNULL, capture_output=True,
                          check=False, env=WATCHED)
    assert done.returncode != 66, done.stderr[-4000:]
    return done.returncode, sorted(done.stdout.splitlines(True))


@pytest.mark.parametrize("words", [
    ("hello", "+kernel pair", "spin"),
    (*["hello"] * 8, "--page=2048"),
    ("wild", "wild x", "wild x x", "+kernel pair"),
    ("--memory=64", "--disk=128", "+kernel +disk paging", "wait", "large", "spin"),
    ("--memory=64", "--disk=128", "--page=1024", "+kernel +disk paging", "wait", "large", "wait", "+kernel pair"),
], ids=["alone", "more than maps", "wrong references", "paging", "paging by larger pages"])
def test_one_node_says_the_same_both_ways(words: tuple[str, ...]) -> None:
    assert finish(apart(*words)) == finish([str(COROUTINES), *options(*words)])


def test_messages_and_moves_while_it_computes(tmp_path: pathlib.Path) -> None:
    """A client, a process that goes to the other node and back, and one that computes beside them: the
    kernel's sides answer, move and ask meanwhile, and stop the user processor for what is its memory."""
    def net(number: int) -> tuple[str, ...]:
        return f"--net={tmp_path}", f"--id={number}"

    others = [[str(X86), *options(*net(1), *STORE)], apart(*net(2), "server", "large forever"),
              apart(*net(3), "--serve", "--page=512", "large forever")]
    running = [subprocess.Popen(o, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=WATCHED)
               for o in others]
    try:
        status, lines = finish(apart(*net(4), "--memory=64", "+kernel paging 300", "wait", "client", "spin",
                                     "+kernel pair 3", "large"))
        assert [process.poll() for process in running] == [None] * 3, "nobody ended it but we"
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert (status, lines) == (0, sorted(["client: counted to 10\n", PAIR, LARGE]))


def test_killed_while_it_computes(tmp_path: pathlib.Path) -> None:
    """Its maps and memory are taken from under the user processor; the next process runs."""
    lines = ("hello", "wait", "large forever", "wait", "hello")
    node = subprocess.Popen(apart(f"--net={tmp_path}", "--id=2", *lines),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=WATCHED)
    try:
        assert node.stdout is not None and node.stdout.readline() == "hello from a Z8001\n"
        killer = [str(COROUTINES), *options(f"--net={tmp_path}", "--id=3", "+kernel@2 kill kernel@2 large")]
        ends = time.monotonic() + 100
        while finish(killer)[0] != 0 and time.monotonic() < ends:
            pass
        assert node.communicate(timeout=100)[0] == "hello from a Z8001\n"
        assert node.returncode == 0
    finally:
        node.kill()


def test_who_has_how_many() -> None:
    """Two vCPUs where time is real, if the file does not say one; elsewhere the two take turns."""
    made = cluster.parse('[nodes.a]\nmachine = "z8000"\n[nodes.b]\nmachine = "z8000"\ncpus = 1\n[nodes.c]\n', "x")
    lines = plan.compile_cluster(made, [], clock="real").text.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("create ") and " vcpus=2" in line] == ["a"]
    assert "vcpus" not in plan.compile_cluster(made, [], clock="count").text
    made = cluster.parse('clock = "event"\n[nodes.a]\nmachine = "z8000"\ncpus = 2\n', "x")
    with pytest.raises(Problem, match="nodes.a.cpus = 2: a Z8000 node has one in clock `event`"):
        plan.compile_cluster(made, [])


IN_DOMAINS = """
for = "10m"
clock = "real"
cpus = 2
[media.ether]
[nodes.store]
memory = "64M"
media = ["ether"]
programs = ["+kernel switchboard global", "=disk ramdisk 8", "=pager pager", "announce pager"]
"""
A_NODE = """
[nodes.{name}]
machine = "z8000"
media = ["ether"]
cmdline = "memory=64 throttle=0 {more}"
programs = {programs}
"""
SAID = {
    "remote": (["+kernel paging 400", "wait", "large", "+kernel pair", "hello"], "",
               [LARGE, PAIR, "hello from a Z8001\n"]),
    "local": (["+kernel +disk paging", "wait", "large"], "disk=128", [LARGE]),
}
NODES = [("remote", 1), ("remote", 2), ("local", 2)]


@pytest.mark.slow
@pytest.mark.skipif(not paths.image("z8000").is_file() or shutil.which(qemu.BINARY) is None,
                    reason="no images, or no QEMU")
def test_domains_say_the_same_both_ways(tmp_path: pathlib.Path) -> None:
    """Nodes that page, remotely and to their own disks, on two vCPUs and on one."""
    file = tmp_path / "apart.toml"
    nodes = [A_NODE.format(name=f"{name}{cpus}", programs=json.dumps(lines), more=more) + f"cpus = {cpus}\n"
             for (name, cpus) in NODES for lines, more, _ in (SAID[name],)]
    file.write_text(IN_DOMAINS + "".join(nodes))
    with tempfile.TemporaryDirectory(prefix="osmo-") as doors:
        env = {**os.environ, "XDG_RUNTIME_DIR": doors}

        def ask(*words: str) -> dict[str, list[dict[str, object]]]:
            done = subprocess.run([TOP / "harness" / "osmosis", *words], env=env, capture_output=True, text=True,
                                  check=False, timeout=60)
            return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

        with subprocess.Popen([TOP / "harness" / "osmosis", "run", file, "--json", "--out", tmp_path / "out"],
                              env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            try:
                up: dict[object, object] = {}
                left = {"?"}
                while left and run.poll() is None:
                    for domain in ask("tell", "list").get("domains", []):
                        up[domain["name"]] = max(int(str(domain["vcpus_up"])), int(str(up.get(domain["name"], 0))))
                    left = {str(n["name"]) for n in ask("ps", "--json").get("nodes", [{"name": "?", "state": ""}])
                            if n["name"] != "store" and n["state"] != "poweroff"}
                    time.sleep(0.2)
                ask("tell", "finish")
            finally:
                run.send_signal(signal.SIGTERM if left else 0)
                said = run.communicate(timeout=60)
    assert not left, said
    for name, cpus in NODES:
        console = (tmp_path / "out" / "console" / f"{name}{cpus}.log").read_text()
        assert sorted(console.splitlines(True)) == sorted(SAID[name][2]), said
        assert up[f"{name}{cpus}"] == cpus
