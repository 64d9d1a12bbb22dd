# SPDX-License-Identifier: BSD-2-Clause
"""Who waits for whom: what each process of an x86 node waits for, read from its memory.

By the words that the kernel itself keeps in the thread (guest/kernel/task.h): of a call the link that it went
over, of a page its object's keeper, of an exception its handler. Values of enums are the image's own.
"""

import dataclasses
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

from osmo import caller, layout, paths
from osmo.debug import still
from osmo.errors import Problem
from osmo.inside import Inside
from osmo.memory import Ram
from osmo.processes import Kernel, Process

WAITERS_MOST = 4096
OBJECTS_MOST = 65536
EVERY_CHANNEL = (1 << 64) - 1
ENUMS = ("THREAD_NEW", "THREAD_READY", "THREAD_RUNNING", "THREAD_WAITING", "WAIT_MESSAGE", "WAIT_REPLY",
         "WAIT_ROOM", "WAIT_MOVE", "WAIT_PAGE", "WAIT_FAULT", "DEMOS_KINDS")
LINK_INDEX_BITS = 24  # guest/kernel/link.h
OF_LINK = ("WAIT_REPLY", "WAIT_ROOM", "WAIT_MOVE")
SAYS = {"runs": "runs", "receives": "receives on", "calls": "waits for the answer of", "room": "waits for room at",
        "moves": "waits for data of", "page": "waits for a page of", "frame": "waits for a free frame",
        "handler": "waits for the exception handler", "stopped": "is stopped", "new": "has not begun"}
ALONE = ("runs", "frame", "stopped", "new")


@dataclasses.dataclass(frozen=True)
class Wait:
    """One process and what it does; `whom` is the process it waits for, by the machine that made that one and its
    serial, and `at` the machine on which it was last seen. Serial 0 is that machine's kernel."""

    node: str
    process: tuple[int, int]
    name: str
    what: str  # a key of SAYS
    channels: int = 0
    whom: tuple[int, int] | None = None
    at: int = 0


class Waits:
    """What the processes of one node wait for."""

    def __init__(self, node: str, kernel: Kernel, image: pathlib.Path) -> None:
        of = layout.member
        self.node = node
        self.kernel = kernel
        self.at = layout.ask(
            image, state=of("thread", "state"), wait=of("thread", "wait"), set=of("thread", "wait_set"),
            args=of("thread", "args"), run=of("thread", "run"), slots=of("task", "links.slots"),
            fresh=of("task", "links.fresh"), slot="sizeof(struct link_slot)", number=of("link_slot", "number"),
            link=of("link_slot", "link"), to=of("link", "to.machine"), serial=of("link", "to.serial"),
            hint=of("link", "hint"), kind=of("link", "kind"), handler=of("task", "exception"),
            waiters=of("page", "waiters"), object=of("page", "object"), all=of("object", "all"),
            keeper=of("object", "keeper"), objects=of("node", "paging.objects"),
            hungry=of("node", "paging.hungry"), default=of("node", "paging.keeper"), **dict(zip(ENUMS, ENUMS)))

    def all(self) -> list[Wait]:
        return [self._of(p) for p in self.kernel.processes()]

    def _is(self, value: int, *names: str) -> bool:
        return value in [self.at[name] for name in names]

    def _of(self, process: Process) -> Wait:
        thread, read = process.thread, self.kernel.number
        state, wait = read(thread + self.at["state"], 1), read(thread + self.at["wait"], 1)

        def said(what: str, link: int = 0, channels: int = 0) -> Wait:
            whom, at = self._target(link) if link else (None, 0)
            return Wait(self.node, (process.machine, process.serial), process.name, what, channels, whom, at)

        if self._is(state, "THREAD_READY", "THREAD_RUNNING"):
            return said("runs")
        if not self._is(state, "THREAD_WAITING"):
            return said("new" if self._is(state, "THREAD_NEW") else "stopped")
        if self._is(wait, "WAIT_MESSAGE"):
            return said("receives", channels=read(thread + self.at["set"]))
        if self._is(wait, *OF_LINK):
            what = dict(zip((self.at[w] for w in OF_LINK), ("calls", "room", "moves")))[wait]
            return said(what, self._link(process.task, read(thread + self.at["args"])))
        if self._is(wait, "WAIT_PAGE"):
            keeper = self._keeper(thread)
            return said("page", keeper) if keeper else said("frame")
        if self._is(wait, "WAIT_FAULT"):
            return said("handler", process.task + self.at["handler"])
        return said("stopped")

    def _link(self, task: int, number: int) -> int:
        """Where the link of that number lies; 0: it is used up."""
        index = (number & (1 << LINK_INDEX_BITS) - 1) - 1
        if not 0 <= index < self.kernel.number(task + self.at["fresh"], 4):
            return 0
        slot = self.kernel.number(task + self.at["slots"]) + index * self.at["slot"]
        return slot + self.at["link"] if self.kernel.number(slot + self.at["number"]) == number else 0

    def _target(self, link: int) -> tuple[tuple[int, int] | None, int]:
        if self._is(self.kernel.number(link + self.at["kind"], 1), "DEMOS_KINDS"):
            return None, 0
        whom = self.kernel.number(link + self.at["to"], 4), self.kernel.number(link + self.at["serial"])
        return whom, self.kernel.number(link + self.at["hint"], 4)

    def _circle(self, first: int, most: int) -> Iterable[int]:
        """The members of a circular list after `first`."""
        at = self.kernel.number(first)
        while at != first and most:
            yield at
            at, most = self.kernel.number(at), most - 1

    def _keeper(self, thread: int) -> int:
        """The link to who keeps the page that the thread waits for; 0: it waits for a frame. The head of
        the list that the thread is on tells whose it is."""
        node = self.kernel.number(self.kernel.at["node"])
        objects = {at - self.at["all"] for at in self._circle(node + self.at["objects"], OBJECTS_MOST)}
        for at in self._circle(thread + self.at["run"], WAITERS_MOST):
            if at == node + self.at["hungry"]:
                return 0
            try:
                owner = self.kernel.number(at - self.at["waiters"] + self.at["object"])
            except Problem:
                continue
            if owner in objects:
                own = owner + self.at["keeper"]
                return own if self._target(own)[0] else node + self.at["default"]
        return 0


def of_node(there: dict[str, Any], name: str) -> list[Wait]:
    """By what the door's `inside` says of a node; nothing of one that has not begun."""
    ram = Ram(pathlib.Path(there["ram"]), there["machine"])
    try:
        inside = Inside(ram, paths.need(pathlib.Path(there["hypervisor"])), there["registers"])
        image = paths.need(pathlib.Path(there["image"]))
        return Waits(name, Kernel(inside.domain(there["domid"]), image), image).all()
    except Problem:
        return []
    finally:
        ram.close()


def everyone(run: caller.Caller) -> list[Wait]:
    """The processes of all x86 nodes at one instant."""
    with still(run):
        nodes = [n["name"] for n in run.ask({"do": "status"})["nodes"]
                 if n["machine"] == "x86" and n["state"] == "running"]
        return [wait for name in nodes for wait in of_node(run.ask({"do": "inside", "node": name}), name)]


def circles(waits: Sequence[Wait]) -> list[list[Wait]]:
    """Those who wait for each other in a ring, each ring once: nothing inside will ever end it."""
    by_id = {w.process: w for w in waits}
    found: list[list[Wait]] = []
    seen: set[tuple[int, int]] = set()
    for first in waits:
        way: list[Wait] = []
        at: Wait | None = first
        while at and at.process not in seen:
            seen.add(at.process)
            way.append(at)
            at = by_id.get(at.whom) if at.whom else None
        if at in way:
            found.append(way[way.index(at):])
    return found


def lines(waits: Sequence[Wait], machines: dict[int, str]) -> list[str]:
    """In words; `machines` has the nodes' names by number."""
    by_id = {w.process: w for w in waits}

    def who(w: Wait) -> str:
        return f"{w.name} {w.process[0]}.{w.process[1]} on {w.node}"

    def whom(w: Wait) -> str:
        if w.whom is None:
            return "somebody"
        if w.whom in by_id:
            return who(by_id[w.whom])
        place = machines.get(w.at, f"machine {w.at}")
        return f"{place}'s kernel" if w.whom[1] == 0 else f"{w.whom[0]}.{w.whom[1]} on {place}"

    def rest(w: Wait) -> str:
        if w.what == "receives":
            numbers = [str(i) for i in range(64) if w.channels >> i & 1]
            return " any channel" if w.channels == EVERY_CHANNEL else f" channel {', '.join(numbers)}"
        return "" if w.what in ALONE else f" {whom(w)}"

    def says(w: Wait) -> str:
        """Who receives on no channel waits for nothing but its time limit."""
        return "sleeps" if w.what == "receives" and not w.channels else SAYS[w.what] + rest(w)

    said = [f"{who(w)} {says(w)}" for w in waits]
    return said + [f"in a circle: {', '.join(map(who, ring))}" for ring in circles(waits)]
