# SPDX-License-Identifier: BSD-2-Clause
"""The door to a running cluster: a Unix socket of its `osmosis run`, lines of JSON both ways.

Each request {"do": ...} is answered by one line, {"ok": true, ...} or {"ok": false, "error":
...}; who watches a console gets {"output": ...} lines besides. What changes a run goes to
the control domain's command port, which only runs in the clock `real` have: a seeded run is
decided by its plan, and nothing from outside may reach it. Looking, pausing and going on
never show in a run.
"""

import contextlib
import json
import os
import pathlib
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from osmo import paths, units
from osmo.abi import Record, Trace
from osmo.cluster import Node
from osmo.errors import Problem
from osmo.plan import IMAGES
from osmo.port import Port
from osmo.session import Session
from osmo.types import Kernel, Net
from osmo.watch import Watch

FORMAT = 1
LINE = 65536
EVENTS = {f"{group}.{e.name.lower()}": e for group, kinds in (("kernel", Kernel), ("net", Net), ("hyp", Trace))
          for e in kinds}


def folder() -> pathlib.Path:
    """Where the doors of this user's runs are; nobody else can make or use one."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    path = pathlib.Path(base) / f"osmosis-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    about = path.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise Problem(f"{path} is not this user's alone", "remove it")
    return path


class Client:
    """One who came through the door."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.setblocking(False)
        self.pending = b""
        self.out = b""
        self.watching: dict[str, int] = {}
        self.gone = False

    def say(self, answer: dict[str, Any]) -> None:
        self.out += json.dumps(answer).encode() + b"\n"
        if len(self.out) > 64 * LINE:
            self.gone = True  # reads nothing

    def lines(self) -> Iterator[bytes]:
        with contextlib.suppress(BlockingIOError):
            try:
                got = self.socket.recv(LINE)
            except ConnectionError:
                got = b""
            self.gone = self.gone or not got
            self.pending += got
        while b"\n" in self.pending:
            line, self.pending = self.pending.split(b"\n", 1)
            yield line
        self.gone = self.gone or len(self.pending) > LINE

    def flush(self) -> None:
        try:
            while self.out:
                self.out = self.out[self.socket.send(self.out):]
        except BlockingIOError:
            pass
        except OSError:
            self.gone = True


class Halt:
    """When to stand still: at a virtual time, or at the first trace event of a node since one. Rings are emptied
    now and then, so what comes in after the asking may have happened before it, and the last to come be the
    first to have been."""

    def __init__(self, at_ns: int | None = None, event: int | None = None, node: str = "",
                 since_ns: int = 0, asked: Client | None = None) -> None:
        self.at_ns = at_ns
        self.since_ns = since_ns
        self.event = event
        self.node = node
        self.asked = asked

    def met(self, session: Session, virtual_ns: int, fresh: list[Record]) -> Record | bool:
        if self.at_ns is not None:
            return virtual_ns >= self.at_ns
        names = session.collector.names
        found = [r for r in fresh if r.type == self.event and r.ns >= self.since_ns
                 and self.node in ("", names.get(r.domid, ""))]
        return min(found, key=lambda r: r.ns) if found else False


class Door:
    """Serves while the run goes on; `look` is called with every look at the machine."""

    def __init__(self, watch: Watch, port: Port | None) -> None:
        self.watch = watch
        self.port = port
        self.halt: Halt | None = None
        self.clients: list[Client] = []
        self.path = folder() / f"{os.getpid()}"
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.path))
        self.socket.listen()
        self.socket.setblocking(False)

    def close(self) -> None:
        for client in self.clients:
            client.socket.close()
        self.socket.close()
        self.path.unlink(missing_ok=True)
        if self.port:
            self.port.close()

    def look(self, session: Session) -> None:
        fresh = self.watch.look(session)
        if self.halt:
            self._halt(session, self.halt, fresh)
        if self.port:
            self.port.look()
        with contextlib.suppress(BlockingIOError):
            self.clients.append(Client(self.socket.accept()[0]))
        for client in self.clients:
            for line in client.lines():
                self._serve(session, client, line)
            self._outputs(session, client)
            client.flush()
            if client.gone:
                client.socket.close()
        self.clients = [c for c in self.clients if not c.gone]

    def _halt(self, session: Session, halt: Halt, fresh: list[Record]) -> None:
        found = halt.met(session, self.watch.virtual_ns, fresh)
        if not found:
            return
        session.pause()
        self.halt = None
        self.watch.look(session)
        if halt.asked:
            said: dict[str, Any] = {"ok": True, "virtual_ns": self.watch.virtual_ns}
            if isinstance(found, Record):
                said |= {"event_ns": found.ns, "node": session.collector.names.get(found.domid, ""),
                         "who": found.who, "a": found.a, "b": found.b}
            halt.asked.say(said)

    def _outputs(self, session: Session, client: Client) -> None:
        for name, seen in client.watching.items():
            text = session.collector.consoles.get(name, b"")
            if len(text) > seen:
                client.say({"output": bytes(text[seen:]).decode("utf-8", "replace"), "node": name})
                client.watching[name] = len(text)

    def _serve(self, session: Session, client: Client, line: bytes) -> None:
        try:
            asked = json.loads(line)
            act = ACTS[asked["do"]]
        except (ValueError, KeyError, TypeError):
            client.say({"ok": False, "error": f"do one of {', '.join(ACTS)}"})
            return
        try:
            answer = act(self, session, client, asked)
        except Problem as problem:
            answer = {"ok": False, "error": str(problem)}
        except (KeyError, TypeError, ValueError) as error:
            answer = {"ok": False, "error": f"{asked['do']}: {error}"}
        if answer is not None:
            client.say({"ok": True, **answer})

    def node(self, asked: dict[str, Any]) -> str:
        name = str(asked["node"])
        if name not in self.watch.nodes:
            raise Problem(f"there is no node {name}", f"known: {', '.join(list(self.watch.nodes)[:12])}")
        return name


Answer = dict[str, Any] | None


def _hello(door: Door, _s: Session, _c: Client, _asked: dict[str, Any]) -> Answer:
    return {"osmosis": FORMAT, "name": door.watch.cluster.name, "pid": os.getpid(), "port": door.port is not None}


def _status(door: Door, session: Session, _c: Client, _asked: dict[str, Any]) -> Answer:
    return door.watch.status(session)


def _console(door: Door, _s: Session, client: Client, asked: dict[str, Any]) -> Answer:
    client.watching[door.node(asked)] = 0
    return {}


def _command(door: Door, session: Session, client: Client, asked: dict[str, Any]) -> Answer:
    if door.port is None:
        raise Problem("this run is seeded: nothing from outside may reach it",
                      "start it with --clock real, or say it in the cluster file")
    if session.paused:
        raise Problem("the machine stands still and hears nothing", "osmosis continue")
    door.port.ask(str(asked["line"]), client.say)
    return None


def _pause(door: Door, session: Session, _c: Client, _asked: dict[str, Any]) -> Answer:
    door.halt = None
    session.pause()
    door.watch.look(session)
    return {"virtual_ns": door.watch.virtual_ns}


def _continue(door: Door, session: Session, _c: Client, _asked: dict[str, Any]) -> Answer:
    door.halt = None
    session.go_on()
    return {"virtual_ns": door.watch.virtual_ns}


def _step(door: Door, session: Session, client: Client, asked: dict[str, Any]) -> Answer:
    door.halt = Halt(at_ns=door.watch.virtual_ns + units.time_ns(str(asked["time"])), asked=client)
    session.go_on()
    return None


def _break(door: Door, session: Session, client: Client, asked: dict[str, Any]) -> Answer:
    event = EVENTS.get(str(asked["event"]))
    if event is None:
        raise Problem(f"`{asked['event']}` is no trace event", f"known: {', '.join(EVENTS)}")
    if not door.watch.cluster.trace:
        raise Problem("this cluster writes no trace", "leave `trace = false` out of its file")
    door.halt = Halt(event=int(event), node=door.node(asked) if asked.get("node") else "",
                     since_ns=door.watch.virtual_ns, asked=client)
    session.go_on()
    return None


def _inside(door: Door, session: Session, _c: Client, asked: dict[str, Any]) -> Answer:
    """Where the memory of a cluster that stands still is, and which domain a node is."""
    name = str(asked["node"])
    domid = next((d for d, n in session.collector.names.items() if n == name), None)
    if domid is None:
        door.node(asked)
    if not session.paused:
        raise Problem("only what stands still can be looked into", "osmosis pause")
    ended = session.collector.ended.get(name)
    kept = ended and ended.reason == "crash" and \
        any(n.name == name and n.on_crash == "keep" for n in door.watch.cluster.nodes)
    if domid is None or (ended and not kept):
        raise Problem(f"node {name} is not there: {door.watch.state(session, name)}",
                      'with on_crash = "keep" it stays after a crash')
    about = {"kind": "server", "image": str(paths.image(name)), "programs": []}
    for node in door.watch.cluster.nodes:
        if node.name == name:
            about = _about(door.watch.cluster.path, node)
    return {**session.machine.inside(), "domid": domid, **about}


def _memory(_door: Door, session: Session, _c: Client, _asked: dict[str, Any]) -> Answer:
    return {key: value for key, value in session.machine.inside().items() if key in ("ram", "machine")}


def _about(path: str, node: Node) -> dict[str, Any]:
    foreign = node.machine in ("linux", "foreign")
    brought = [str((pathlib.Path(path).parent / word).resolve())
               for line in node.programs for word in line.split() if "/" in word]
    return {"kind": node.machine, "programs": brought,
            "image": "" if foreign else str(paths.image(node.image or IMAGES[node.machine]))}


ACTS: dict[str, Callable[[Door, Session, Client, dict[str, Any]], Answer]] = {
    "hello": _hello, "status": _status, "console": _console, "command": _command, "pause": _pause,
    "continue": _continue, "step": _step, "break": _break,
    "inside": _inside, "memory": _memory}
