# SPDX-License-Identifier: BSD-2-Clause
"""report.html of a run: one file, no server, no script, readable on a phone and in the dark."""

import argparse
import dataclasses
import json
import pathlib
from html import escape
from typing import Any

from osmo import judge, links, pictures, result, svg, units
from osmo.collect import Event
from osmo.errors import Problem
from osmo.history import History
from osmo.ledger import Ledger
from osmo.result import Result, taken_in

LINKS = 300  # rows of a table
PAGE = 4096
LONG = 16  # letters of a table's cell that stand in one line
GOOD, BAD = "#0a6b4b", "#c1272d"
STYLE = """
:root{color-scheme:light}
body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;margin:0 auto;max-width:64rem;
padding:0 1rem 3rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:1.2rem 0 .2rem}h2{font-size:1.1rem;margin:2rem 0 .4rem;border-bottom:1px solid #ddd}
.verdict{padding:.6rem .9rem;border-radius:.5rem;color:#fff;font-weight:600}
.ok{background:GOOD}.bad{background:BAD}
svg{width:100%;max-width:46rem;height:auto;display:block}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem}
td,th{padding:.2rem .5rem;border-bottom:1px solid #e5e5e5;text-align:left;white-space:nowrap}
td.w,th.w{white-space:normal}td.w{min-width:11rem}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
code,pre{background:#f4f5f7;border-radius:.3rem;padding:.1rem .3rem;font-size:.85rem}
pre{padding:.6rem;overflow-x:auto;white-space:pre-wrap}
.small{color:#555;font-size:.85rem}
@media(max-width:30rem){td,th{padding:.2rem .3rem}td.w{min-width:6.5rem}}
""".replace("GOOD", GOOD).replace("BAD", BAD)


def html(title: str, body: list[str]) -> str:
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{''.join(body)}</body></html>\n")


def table(head: list[str], rows: list[list[Any]]) -> str:
    """Numbers stand right, and so does what is over them; long texts have several lines; everything is escaped
    unless it is a Raw."""
    def number(value: Any) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    def cell(value: Any, tag: str, right: bool) -> str:
        shown = value.html if isinstance(value, Raw) else escape(f"{value:,}" if number(value) else str(value))
        kind = " class=n" if right else " class=w" if isinstance(value, str) and len(value) > LONG else ""
        return f"<{tag}{kind}>{shown}</{tag}>"
    over = [bool(rows) and number(rows[0][column]) for column in range(len(head))]
    lines = ["<tr>" + "".join(cell(h, "th", right) for h, right in zip(head, over)) + "</tr>"]
    lines += ["<tr>" + "".join(cell(v, "td", number(v)) for v in row) + "</tr>" for row in rows]
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


@dataclasses.dataclass(frozen=True)
class Raw:
    """Text that is HTML already."""

    html: str


def section(title: str, *parts: str) -> list[str]:
    shown = [p for p in parts if p]
    return [f"<h2>{escape(title)}</h2>", *shown] if shown else []


def head(out: Result, replay: str) -> list[str]:
    words = "everything asked for held" if out.ok else out.error.splitlines()[0] if out.error else "failed"
    return [f"<h1>{escape(out.name)}</h1>",
            f'<p class="verdict {"ok" if out.ok else "bad"}">{"✓" if out.ok else "✗"} {escape(words)}</p>',
            f"<p>Seed {out.seed}, clock {escape(out.clock)}, {units.short_time(out.virtual_ns)} of virtual "
            f"time in {out.wall_ms} ms, commit <code>{escape(out.git[:12] or 'unknown')}</code>, "
            f"{escape(out.qemu.get('version', 'no machine'))}.</p>",
            f"<p>Again: <code>{escape(replay)}</code></p>"]


def invariants_section(out: Result) -> list[str]:
    """What is broken stands first, and where a phone shows it."""
    rows: list[tuple[int, list[Any]]] = []
    for name, verdict in out.invariants.items():
        wrong, checked = verdict["broken"], verdict["checked"]
        words = f"broken, {wrong:,} of {checked:,}" if wrong else f"held, {checked:,}"
        words = words if checked or wrong else "not checked"
        rows.append((wrong, [name, _mark(wrong, words), "; ".join(verdict["first"][:3])]))
    for e in out.expected:
        state = _mark(not e["ok"], "held" if e["ok"] else "broken")
        what = "shows" if "output" in e else "ends"
        rows.append((not e["ok"], [f"{e['node']} {what}", state, str(e.get("output", e.get("exit")))]))
    rows.sort(key=lambda row: not row[0])
    if out.trace_lost:
        rows.append((0, ["all others", "not judged", f"the trace lost {units.counted(out.trace_lost, 'record')}"]))
    return section("What had to hold", table(["invariant", "checks", "first broken, or what was expected"],
                                             [row for _, row in rows]) if rows else "")


def _mark(bad: object, words: str) -> "Raw":
    return Raw(f'<span style="color:{BAD}">✗ {escape(words)}</span>' if bad else escape(words))


def nodes_section(out: Result) -> list[str]:
    rows = [[n["name"], n["machine"], units.show_size(n["memory"]), n["ended"], n["starts"], n["sent"],
             n["received"], n["console_bytes"]] for n in out.nodes[:300]]
    return section("Nodes", table(["node", "machine", "memory", "end", "starts", "sent", "received",
                                   "console bytes"], rows))


def media_section(told: History, out: Result) -> list[str]:
    rows = []
    names = {m.get("number"): m["name"] for m in out.media}
    for row in links.by_medium(told):
        name = names.get(row["medium"], row["medium"])
        why = ", ".join(f"{k} {v}" for k, v in sorted(row["why"].items()))
        rows.append([name, row["sent"], row["delivered"], row["bytes"], why or "none"])
    return section("Media", table(["medium", "frames sent", "delivered", "bytes", "lost or changed"], rows)
                   if rows else "")


def links_section(told: History) -> list[str]:
    """Who sent how much to whom, over whatever ways."""
    rows = [[link.source, link.target, link.messages, link.bytes, link.delivered, link.again, link.moved]
            for link in links.by_pair(told)[:LINKS]]
    more = len(links.by_pair(told)) - len(rows)
    return section("Links", table(["from", "to", "messages", "bytes", "delivered", "sent again", "bulk transfers"],
                                  rows) if rows else "",
                   f'<p class="small">{more} further links are not listed.</p>' if more else "")


def resources_section(out: Result) -> list[str]:
    """What each domain has cost, the servers' too."""
    rows = [[u["name"], Raw(bar(u["run_ns"], out.virtual_ns)), units.short_time(u["run_ns"]), u["exits"],
             u["hypercalls"], u["upcalls"], u["grants"], u["copied_bytes"],
             units.show_size(u["frames"] * PAGE), units.show_size(u["overhead"])] for u in out.used[:LINKS]]
    head = ["domain", "of the time", "processor", "world switches", "hypercalls", "events", "grants",
            "bytes copied", "memory", "kept for it"]
    return section("Resources", table(head, rows) if rows else "")


def bar(part: int, whole: int) -> str:
    """A share as a bar and in words."""
    share = min(1.0, part / whole) if whole > 0 else 0.0
    return (f'<svg viewBox="0 0 100 12" style="width:5rem;display:inline;vertical-align:middle" role="img" '
            f'aria-label="{share:.1%}" xmlns="http://www.w3.org/2000/svg">'
            f'{svg.rectangle(0, 1, 100, 10, fill="#e5e8ec")}'
            f'{svg.rectangle(0, 1, 100 * share, 10, fill=svg.COLOURS[0])}</svg> {share:.1%}')


def breach_of(out: Result, ledger: Ledger) -> int | None:
    """When the trace first shows what was broken."""
    return None if out.ok else judge.first_breach(ledger, out.invariants.get("loss", {}).get("broken", 0))


def history_of(directory: pathlib.Path, out: Result) -> History:
    """The run's history again, from its trace and events.jsonl."""
    def saved(name: str) -> bytes:
        path = directory / name
        return path.read_bytes() if path.exists() else b""

    fields = [json.loads(line) for line in saved("events.jsonl").splitlines()]
    events = [Event(f.get("ns", 0), f.get("event", "answer"), f.get("name", ""), f) for f in fields]
    return judge.history({n["name"]: n["number"] for n in out.nodes}, events, saved("trace"))


def consoles_section(directory: pathlib.Path) -> list[str]:
    parts = []
    for path in sorted((directory / "console").glob("*.log"))[:40]:
        text = path.read_text(errors="replace")
        tail = text[-1500:]
        cut = "…" if len(text) > len(tail) else ""
        parts.append(f"<details><summary>{escape(path.stem)} ({len(text)} bytes)</summary>"
                     f"<pre>{escape(cut + tail)}</pre></details>")
    return section("Consoles", *parts)


def page(directory: pathlib.Path) -> str:
    """The report of one result directory."""
    out = result.read(directory)
    told = history_of(directory, out)
    ledger = Ledger(told)
    breach = breach_of(out, ledger)
    middle = pictures.first_death(told) if breach is None else breach
    start, end = pictures.window(ledger, middle, out.virtual_ns)
    times = [m.delivered_ns - m.sent_ns for m in ledger.messages.values() if m.delivered_ns is not None]
    body = head(out, f"osmosis replay {directory}")
    body += invariants_section(out)
    body += section("Topology", pictures.topology(out.nodes, out.media))
    body += section("Faults and lives", pictures.fault_timeline(out.faults, told.lives, out.virtual_ns)
                    if out.faults or told.lives else "")
    body += section("Messages in space and time",
                    pictures.space_time(told, ledger, start, end, breach) if ledger.messages else "")
    body += section("Latency, send to delivery", pictures.latency(times))
    body += section("Delivered over time", pictures.recovery(told, out.virtual_ns, out.faults)
                    if ledger.messages else "")
    body += links_section(told) + media_section(told, out) + nodes_section(out) + resources_section(out)
    body += consoles_section(directory)
    body += section("The machine", f"<pre>{escape(' '.join(out.qemu.get('argv', [])))}</pre>",
                    table(["digest of", "SHA-256"], [[k, v] for k, v in out.digests.items()]))
    body += ['<p class="small">Virtual time is the run\'s own clock. Pictures are drawn from the trace.</p>']
    return html(f"{out.name}, seed {out.seed}", body)


def write(directory: pathlib.Path) -> pathlib.Path:
    path = directory / "report.html"
    if (directory / "campaign.json").exists():
        from osmo import campaign_report
        path.write_text(campaign_report.page(directory))
    else:
        path.write_text(page(directory))
    return path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=pathlib.Path, help="what `run --out` or `experiment --out` wrote")
    parser.add_argument("--json", action="store_true", help="print where the report is as JSON")


def command(options: argparse.Namespace) -> int:
    if not options.directory.is_dir():
        raise Problem(f"{options.directory} is no directory", "name what `osmosis run --out` wrote")
    with taken_in(options.directory):
        path = write(options.directory)
    print(json.dumps({"report": str(path)}) if options.json else path)
    return 0
