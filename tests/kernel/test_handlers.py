# SPDX-License-Identifier: BSD-2-Clause
"""Kernel processes' code, as the compiler made it: what their handlers can reach keeps nothing but the node's
state, waits for nobody and never runs a process (DK04).

The call graph is that of the objects: calls and tail calls, from all functions of the files that have handlers.
Other libraries are reached only by the calls that guest/kernel/machine.h and net/net.h declare, and those
answer at once: what takes time they begin, and its end is a message or a call of its own.
"""

import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
OBJECTS = TOP / "build" / "host" / "guest" / "kernel"
# Whoever enters the kernel, or chooses a process to run: not for handlers.
ENTRIES = {"node_call", "node_resume", "node_next", "node_leave", "node_switch_target", "node_preempt",
           "node_exception", "node_timer", "fast_send", "fast_call", "fast_reply", "fast_receive", "fast_finish",
           "call_general", "call_go_on", "call_conclude", "call_receive", "call_send", "call_move"}
FUNCTION = re.compile(r"^[0-9a-f]+ <([\w.]+)>:$")
RELOCATION = re.compile(r"R_X86_64_(?:PLT32|PC32|32S?|64)\s+([\w.]+)")
SYSTEM = {"memcpy", "memset", "memmove", "memcmp", "strnlen", "strlen", "__stack_chk_fail"}


def dumped(*options: str) -> str:
    return subprocess.run(["objdump", *options, *map(str, sorted(OBJECTS.glob("*.o")))], check=True,
                          capture_output=True, text=True).stdout


def graph() -> dict[str, set[str]]:
    """Which symbols each function of the kernel names."""
    calls: dict[str, set[str]] = {}
    here: set[str] = set()
    for line in dumped("-dr", "--no-show-raw-insn").splitlines():
        if match := FUNCTION.match(line):
            here = calls.setdefault(match[1], set())
        elif match := RELOCATION.search(line):
            here.add(match[1])
        elif match := re.search(r"\t(?:call|jmp)\w* +[0-9a-f]+ <([\w.]+)>$", line):
            here.add(match[1])
    return calls


def handlers() -> set[str]:
    """All functions of the files that hold kernel processes' handlers and the tables of their operations."""
    files = [str(OBJECTS / f"{name}.o") for name in ("kernel", "control", "keeper", "remote")]
    said = subprocess.run(["nm", *files], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r" [tT] ([\w.]+)$", said, re.M))


@pytest.fixture(scope="module")
def reached() -> dict[str, set[str]]:
    if not (OBJECTS / "kernel.o").exists():
        pytest.skip("the kernel is not built")
    calls = graph()
    todo, seen = [*handlers()], {}
    while todo:
        name = todo.pop()
        if name not in seen:
            seen[name] = calls.get(name, set())
            todo += seen[name]
    return seen


def test_the_graph_knows_the_handlers(reached: dict[str, set[str]]) -> None:
    assert {"kernel_work", "keeper_message", "keeper_frame_message", "control_message", "migrate_message",
            "migration_step", "bulk_load", "task_end", "route"} <= set(reached)


def test_handlers_enter_no_call_and_run_no_process(reached: dict[str, set[str]]) -> None:
    assert ENTRIES & set(reached) == set()


def test_handlers_reach_nothing_that_waits(reached: dict[str, set[str]]) -> None:
    """What is outside the kernel is memory's arithmetic, or declared by the two interfaces."""
    declared = set()
    for header in ("guest/kernel/machine.h", "net/net.h", "base/heap.h", "base/keyed.h", "base/elf.h"):
        declared |= set(re.findall(r"\b(\w+)\(", (TOP / header).read_text()))
    kernel = set(graph())
    outside = {name for name in reached if name not in kernel and not name.startswith(".")}
    assert outside - declared - SYSTEM == set()
    assert not {name for name in outside if re.search("wait|sleep|block|yield|poll", name)}
