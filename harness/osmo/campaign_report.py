# SPDX-License-Identifier: BSD-2-Clause
"""report.html of a campaign: survival by fault kind and invariant, failures and how to see them."""

import json
import pathlib
from html import escape
from typing import Any

from osmo import result, stats, survival, units
from osmo.errors import Problem
from osmo.report import BAD, GOOD, Raw, html, section, table


def cell(held: int, runs: int) -> Raw:
    """held/runs with its interval; colour, sign and words say the same."""
    if runs == 0:
        return Raw("·")
    low, high = stats.wilson(held, runs)
    good = held == runs
    return Raw(f'<span style="color:{GOOD if good else BAD}">{"✓" if good else "✗"} {held}/{runs}</span><br>'
               f'<span class="small">{_percent(low)}–{_percent(high)}&nbsp;%</span>')


def _percent(share: float) -> str:
    """Whole ones take less room; near all or nothing the digit behind the point is what matters."""
    fine = f"{100 * share:.1f}"
    return f"{100 * share:.0f}" if 0.05 < share < 0.95 or fine in ("0.0", "100.0") else fine


def survival_table(survival: dict[str, dict[str, list[int]]]) -> str:
    """What did not always hold stands first, where it is seen without moving the table."""
    names = sorted(next(iter(survival.values()), {}),
                   key=lambda name: all(cells[name][0] == cells[name][1] for cells in survival.values()))
    kinds = sorted(survival, key=lambda k: (k != "any", k))
    return table(["fault", *names], [[kind, *(cell(*survival[kind][name]) for name in names)]
                                     for kind in kinds])


def _seeds(data: dict[str, Any]) -> str:
    """How many were run, and of how many, if it ended before."""
    runs, asked = data["runs"], data.get("asked", data["runs"])
    return f"{runs:,} of {units.counted(asked, 'seed')}" if runs < asked else units.counted(runs, "seed")


def page(directory: pathlib.Path) -> str:
    data: dict[str, Any] = json.loads((directory / "campaign.json").read_text())
    if data.get("format") != result.CAMPAIGN:
        raise Problem(f"{directory}: its campaign.json has format {data.get('format')}, this command reads "
                      f"{result.CAMPAIGN}", "use the osmosis that wrote it")
    failed = data["failed"]
    verdict = "bad" if failed else "ok"
    low, _ = stats.wilson(data["runs"] - len(failed), data["runs"])
    words = f"{len(failed)} failed, {len(data['timeouts'])} of them out of time" if failed else "all held"
    body = [f"<h1>{escape(data['name'])}: {_seeds(data)}</h1>",
            f'<p class="verdict {verdict}">{"✗" if failed else "✓"} {words}</p>',
            f"<p>At least {low:.2%} of runs hold (95 % Wilson interval). "
            f"{data['per_minute'] or 0:,.0f} runs a minute, "
            f"commit <code>{data['git'][:12] or 'unknown'}</code>.</p>",
            f"<p>Again: <code>{escape(data['command'])}</code></p>"]
    body += section("Survival", survival_table(data["survival"]))
    body += section("Runs that hold, over virtual time", survival.time_curve(data["rows"]),
                    '<p class="small">What no record shows to be broken counts at the end of its run.</p>')
    body += section("Runs that hold, by the number of faults", survival.fault_curve(data["rows"]))
    see = data.get("see", f"osmosis run {data['cluster']} --seed")
    rows = [[r["seed"], ", ".join(r["broken"]), r["error"].splitlines()[0] if r["error"] else "",
             f"{see} {r['seed']}"] for r in data["rows"] if not r["ok"]]
    body += section("Failing seeds", table(["seed", "broken", "first", "see it"], rows) if rows else "")
    small = [[int(seed), f"{len(s['faults'])} of {s['from']}", f"{len(s['nodes'])} of {s['from_nodes']}",
              s["probes"], "; ".join(s["faults"]), f"osmosis run seed-{seed}.toml"]
             for seed, s in data["shrunk"].items()]
    body += section("Made small", table(["seed", "faults", "nodes", "probes", "which", "see it"], small)
                    if small else "")
    return html(f"{data['name']}: campaign", body)
