# SPDX-License-Identifier: BSD-2-Clause
"""The live view of a run: nodes, messages, faults in force, virtual time; plain ANSI."""

import shutil
import sys
import textwrap
import time
import unicodedata
from typing import TextIO

from osmo import units
from osmo.cluster import Cluster
from osmo.session import Session
from osmo.watch import Watch

PERIOD = 0.2
BOLD, DIM, GREEN, RED, YELLOW, CYAN, PLAIN = (f"\x1b[{c}m" for c in ("1", "2", "32", "31", "33", "36", "0"))
MARK = {"running": f"{GREEN}●{PLAIN}", "poweroff": f"{DIM}○{PLAIN}", "waiting": f"{DIM}·{PLAIN}",
        "crash": f"{RED}✗{PLAIN}", "destroyed": f"{RED}✗{PLAIN}"}
BAR = 24
NODES_LEAST = 3  # lines of nodes that matter more than what the cluster is about
FAULTS_MOST = 4
WIDE = 100  # columns from which the picture of the rate is drawn


class View:
    """Redraws itself in place; `close` leaves the last picture standing."""

    def __init__(self, cluster: Cluster, watch: Watch, out: TextIO = sys.stdout) -> None:
        self.cluster = cluster
        self.watch = watch
        self.out = out
        self.next = 0.0
        self.drawn = 0

    def show(self, session: Session) -> None:
        now = time.monotonic()
        if now >= self.next:
            self.next = now + PERIOD
            self.draw(session)

    def draw(self, session: Session) -> None:
        width, height = shutil.get_terminal_size()
        lines = [clip(line, width - 1) for line in self.picture(session, width, height)]
        back = f"\x1b[{self.drawn}A" if self.drawn else ""
        self.out.write(back + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        self.out.flush()
        self.drawn = len(lines)

    def picture(self, session: Session, width: int = 80, height: int = 24) -> list[str]:
        """At most `height` - 1 lines, or the screen would scroll; with more nodes than fit, the rest is counted.
        What the cluster is about gives way first, then the faults."""
        room = height - 4 - min(len(self.cluster.nodes), NODES_LEAST)  # beside head, column and foot
        faults = [f"  {YELLOW}⚡ {f.text()}{PLAIN}" for f in self.watch.faults()]
        most = max(1, min(FAULTS_MOST, room))
        if len(faults) > most:
            faults[most - 1:] = [f"  {YELLOW}⚡ and {len(faults) - most + 1} more{PLAIN}"]
        about = self._about(width)
        head = self._head(session) + (about if len(about) + len(faults) <= room else [])
        foot = [] if session.ending else [f"  {DIM}Ctrl-C ends it{PLAIN}{DIM}   from another terminal: "
                                          f"osmosis top, console NODE, fault ...{PLAIN}"]
        names = max((len(n.name) for n in self.cluster.nodes[:200]), default=4)
        column = f"    {DIM}{'node':{min(names, 16)}} {'':9} {'proc':>4} {'sent':>8} {'received':>8} {'msg/s':>8}"
        head += faults + [column + PLAIN]
        room = max(1, height - 1 - len(head) - len(foot))
        shown = self.cluster.nodes if len(self.cluster.nodes) <= room else self.cluster.nodes[:room - 1]
        lines = [self._node(session, n.name, min(names, 16), width) for n in shown]
        if len(shown) < len(self.cluster.nodes):
            lines.append(self._rest(session, [n.name for n in self.cluster.nodes[len(shown):]]))
        return head + lines + foot

    def _head(self, session: Session) -> list[str]:
        ns, whole = self.watch.virtual_ns, self.watch.for_ns
        full = min(BAR, BAR * ns // whole) if whole else BAR
        bar = f"{CYAN}{'━' * full}{PLAIN}{DIM}{'━' * (BAR - full)}{PLAIN}"
        word = f"  {YELLOW}paused{PLAIN}" if session.paused else ""
        facts = [units.counted(self.watch.moves, "move")] if self.watch.moves else []
        facts += [f"{units.counted(self.watch.lost, 'frame')} lost"] if self.watch.lost else []
        return [f"{BOLD}{self.cluster.name}{PLAIN}  {bar}  {units.short_time(ns)} of {units.show_time(whole)}"
                f"{word}  {', '.join(facts)}"]

    def _about(self, width: int) -> list[str]:
        lines = [part for paragraph in self.cluster.about.strip().split("\n\n")
                 for part in textwrap.wrap(" ".join(paragraph.split()), max(20, width - 4))]
        return [f"  {DIM}{line}{PLAIN}" for line in lines]

    def _node(self, session: Session, name: str, names: int, width: int) -> str:
        doing, state = self.watch.nodes[name], self.watch.state(session, name)
        spark = f" {CYAN}{self.watch.spark(name, 12)}{PLAIN}" if width >= WIDE else ""
        said = session.collector.last_line(name)
        return (f"  {MARK.get(state, RED + '!' + PLAIN)} {name:{names}} {state:9} {len(doing.processes):4} "
                f"{doing.sent:8,} {doing.received:8,} {self.watch.rate(name):8,.0f}{spark}  {DIM}{said}{PLAIN}")

    def _rest(self, session: Session, names: list[str]) -> str:
        running = sum(self.watch.state(session, n) == "running" for n in names)
        sent = sum(self.watch.nodes[n].sent for n in names)
        return f"  {DIM}… and {len(names)} more, {running} running, {sent:,} messages sent{PLAIN}"

    def close(self) -> None:
        self.out.write(PLAIN)
        self.out.flush()


def clip(line: str, width: int) -> str:
    """At most `width` columns; escape sequences take none, wide characters two."""
    out, seen, escape = [], 0, False
    for c in line:
        escape = escape or c == "\x1b"
        if not escape:
            columns = 2 if unicodedata.east_asian_width(c) in "WF" else 1
            if seen + columns > width or not c.isprintable():
                continue
            seen += columns
        out.append(c)
        if escape and c.isalpha():
            escape = False
    return "".join(out)
