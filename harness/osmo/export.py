# SPDX-License-Identifier: BSD-2-Clause
"""A run in other tools' formats: Chrome trace (Perfetto), ShiViz, CSV; a campaign as JUnit XML."""

import argparse
import csv
import io
import json
import pathlib
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from osmo import abi, report, result
from osmo.errors import Problem
from osmo.history import History
from osmo.ledger import Ledger
from osmo.types import Kernel, Net, acts_as, process_words

SHIVIZ_MOST = 400
NAMES = {**{int(t): f"kernel.{t.name.lower()}" for t in Kernel},
         **{int(t): f"net.{t.name.lower()}" for t in Net},
         **{int(t): f"hyp.{t.name.lower()}" for t in abi.Trace}}


def chrome(told: History, ledger: Ledger) -> str:
    """Nodes as processes, DEMOS processes as threads; messages as flows between slices."""
    pids = {name: i + 1 for i, name in enumerate(dict.fromkeys(life.node for life in told.lives))}
    events: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": name}}
        for name, pid in pids.items()]
    for step in told.steps:
        r = step.record
        events.append({"ph": "X" if r.type in (Kernel.SEND, Kernel.DELIVER) else "i", "s": "t",
                       "name": NAMES.get(r.type, f"{r.type:#06x}"), "ts": r.ns / 1000, "dur": 0.001,
                       "pid": pids.get(step.node, 0), "tid": r.who,
                       "args": {"a": f"{r.a:#x}", "b": f"{r.b:#x}"}})
    for number, m in enumerate(ledger.messages.values()):
        if m.delivered_ns is None:
            continue
        common = {"cat": "message", "name": "message", "id": number}
        events.append({**common, "ph": "s", "ts": m.sent_ns / 1000, "pid": pids.get(m.from_node, 0),
                       "tid": acts_as(m.sender, told.numbers.get(m.from_node, 0))})
        events.append({**common, "ph": "f", "bp": "e", "ts": m.delivered_ns / 1000,
                       "pid": pids.get(m.to_node, 0), "tid": acts_as(m.target, told.numbers.get(m.to_node, 0))})
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": events})


def shiviz(told: History, ledger: Ledger) -> str:
    """Vector clocks from sends and receipts; the first few hundred events."""
    clocks: dict[str, dict[str, int]] = {}
    carried: dict[int, dict[str, int]] = {}
    lines = [r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})", ""]
    count = 0
    for step in told.steps:
        if step.record.type not in (Kernel.SEND, Kernel.RECEIVE, Kernel.CREATE, Kernel.END):
            continue
        clock = clocks.setdefault(step.node, {})
        message = None
        if step.record.type == Kernel.RECEIVE:
            message = ledger.find(step)
            for host, value in carried.get(id(message), {}).items():
                clock[host] = max(clock.get(host, 0), value)
        clock[step.node] = clock.get(step.node, 0) + 1
        if step.record.type == Kernel.SEND:
            sender = ledger.process(step)
            found = [m for m in ledger.latest.get((sender, step.record.b), [])
                     if m.sent_ns == step.record.ns]
            carried.update({id(m): dict(clock) for m in found})
        lines += [f"{NAMES[step.record.type]} process {process_words(step.record.who)} number {step.record.b}",
                  f"{step.node} {json.dumps(clock)}"]
        count += 1
        if count == SHIVIZ_MOST:
            break
    return "\n".join(lines) + "\n"


def messages_csv(ledger: Ledger) -> str:
    """One line per message: who, to whom, when, how long, how often."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["from_node", "sender", "to_node", "target", "sequence", "sent_ns", "delivered_ns",
                     "latency_ns", "received", "forwards"])
    for m in ledger.messages.values():
        took = m.delivered_ns - m.sent_ns if m.delivered_ns is not None else ""
        writer.writerow([m.from_node, f"{m.sender[0]}/{m.sender[1]}", m.to_node,
                         f"{m.target[0]}/{m.target[1]}", m.sequence, m.sent_ns,
                         "" if m.delivered_ns is None else m.delivered_ns, took, m.received, m.forwards])
    return out.getvalue()


def trace_csv(told: History) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["ns", "node", "domain", "type", "who", "a", "b"])
    for step in told.steps:
        r = step.record
        writer.writerow([r.ns, step.node, r.domid, NAMES.get(r.type, f"{r.type:#06x}"), r.who, r.a, r.b])
    return out.getvalue()


def junit(campaign: dict[str, Any]) -> str:
    """One test case per seed; out of time is an error, a broken invariant a failure."""
    rows = campaign["rows"]
    errors = sum(r["timeout"] for r in rows)
    failures = sum(not r["ok"] for r in rows) - errors
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<testsuite name={quoteattr(campaign["name"])} tests="{len(rows)}" failures="{failures}" '
             f'errors="{errors}" time="{campaign["wall_s"]}">']
    for r in rows:
        head = (f'<testcase classname={quoteattr(campaign["name"])} name="seed {r["seed"]}" '
                f'time="{r["wall_ms"] / 1000}"')
        if r["ok"]:
            lines.append(head + "/>")
            continue
        kind = "error" if r["timeout"] else "failure"
        first = (r["error"].splitlines() or [""])[0]
        lines.append(f"{head}><{kind} message={quoteattr(_xml(first))}>{escape(_xml(r['error']))}"
                     f"</{kind}></testcase>")
    return "\n".join([*lines, "</testsuite>", ""])


def _xml(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(c if c in "\n\t" or c >= " " else "?" for c in text)


FORMATS = {"chrome": "trace.json", "shiviz": "shiviz.log", "messages": "messages.csv", "trace": "trace.csv"}


def one_format(text: str) -> str:
    if text not in FORMATS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(FORMATS)}")
    return text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=pathlib.Path, help="what `run --out` wrote")
    parser.add_argument("format", nargs="*", type=one_format, metavar="FORMAT",
                        help=f"{', '.join(FORMATS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print the files' names as JSON")


def command(options: argparse.Namespace) -> int:
    if not options.directory.is_dir():
        raise Problem(f"{options.directory} is no directory", "name what `osmosis run --out` wrote")
    with result.taken_in(options.directory):
        told = report.history_of(options.directory, result.read(options.directory))
        ledger = Ledger(told)
    makers: dict[str, Callable[[], str]] = {
        "chrome": lambda: chrome(told, ledger), "shiviz": lambda: shiviz(told, ledger),
        "messages": lambda: messages_csv(ledger), "trace": lambda: trace_csv(told)}
    written = []
    for name in options.format or FORMATS:
        path = options.directory / FORMATS[name]
        path.write_text(makers[name]())
        written.append(str(path))
    print(json.dumps(written) if options.json else "\n".join(written))
    return 0
