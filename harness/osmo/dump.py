# SPDX-License-Identifier: BSD-2-Clause
"""A cluster written out again as TOML, nothing left to chance: what shrinking saves."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from osmo import units
from osmo.cluster import Cluster, Disk, Node
from osmo.faults import Fault


def _line(key: str, value: Any) -> str:
    """Strings, numbers and lists are written alike in JSON and TOML."""
    return f"{key} = {json.dumps(value)}"


def _disk(disk: Disk) -> str:
    what = [_line("file", str(disk.file.resolve())) if disk.file else _line("size", units.show_size(disk.bytes)),
            _line("readonly", disk.readonly), _line("keep", disk.keep)]
    return f"{{ {', '.join(what)} }}"


def _program(c: Cluster, n: Node, line: str) -> str:
    """What stands for the node's own number, or leads from the old file's folder, is made plain."""
    words = line.replace("{number}", str(n.number)).replace("{count}", str(n.count)).split(" ")
    for i, word in enumerate(words):
        if word and word[0] not in "+=":
            words[i] = _near(c, word) if "/" in word else word
            break
    return " ".join(words)


def _near(c: Cluster, file: str) -> str:
    return str((pathlib.Path(c.path).parent / file).resolve())


def cluster_text(c: Cluster, faults: Sequence[Fault], seed: int, for_ns: int, why: str = "") -> str:
    """A file that load() takes in and that runs the same as `c` with these faults."""
    lines = [f"# {line}" for line in why.splitlines()]
    lines += [_line("name", c.name), _line("clock", c.clock), _line("first", c.first), _line("seed", seed),
              _line("for", units.show_time(for_ns)), _line("cpus", c.cpus), _line("trace", c.trace)]
    if c.until:
        lines.append(_line("until", c.until))
    if c.memory:
        lines.append(_line("memory", units.show_size(c.memory)))
    for m in c.media:
        lines += ["", f"[media.{json.dumps(m.name)}]", _line("kind", m.kind), _line("direct", m.direct),
                  _line("capture", m.capture)]
        optional = {"rate": m.rate, "queue": m.queue, "block": m.block, "recorder": m.recorder,
                    "outside": m.outside, "latency": units.show_time(m.latency) if m.latency is not None else None}
        lines += [_line(key, value) for key, value in optional.items() if value is not None]
    for n in c.nodes:
        lines += ["", f"[nodes.{json.dumps(n.name)}]", _line("machine", n.machine),
                  _line("memory", units.show_size(n.memory)), _line("overcommit", n.overcommit),
                  _line("bystander", n.bystander), _line("on_crash", n.on_crash),
                  _line("media", n.media),
                  _line("programs", [_program(c, n, p) for p in n.programs]),
                  _line("bundle", n.bundle), _line("cmdline", n.cmdline)]
        more = {"cpus": n.cpus, "image": n.image, "kernel": _near(c, n.kernel) if n.kernel else None,
                "initrd": _near(c, n.initrd) if n.initrd else None, "weight": n.weight, "cap": n.cap}
        lines += [_line(key, value) for key, value in more.items() if value is not None]
        lines += [f"disk = [{', '.join(map(_disk, n.disks))}]"] if n.disks else []
    for f in faults:
        lines += ["", "[[faults]]", _line("do", f.do)]
        if f.name:
            lines.append(_line("node" if f.target == "control" else f.target, f.name))
        lines.append(_line("after", f.after) if f.after else _line("at", units.show_time(f.at_ns or 0)))
        if f.for_ns is not None:
            lines.append(_line("for", units.show_time(f.for_ns)))
    lines += ["", "[expect]", _line("heal", units.show_time(c.expect.heal_ns))]
    if c.expect.invariants is not None:
        lines.append(_line("invariants", c.expect.invariants))
    for key, table in (("output", c.expect.output), ("exit", c.expect.exit)):
        if table:
            lines += [f"[expect.{key}]"] + [f"{json.dumps(n)} = {json.dumps(t)}" for n, t in table.items()]
    return "\n".join(lines) + "\n"
