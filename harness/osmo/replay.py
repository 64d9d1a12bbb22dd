# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis replay DIR`: the run again; `identical`, or the first difference in words."""

import argparse
import dataclasses
import json
import pathlib

from osmo import abi, cluster as clusters, result, run, units
from osmo.errors import Problem
from osmo.progress import Progress
from osmo.scratch import Scratch

ORDER = ("trace", "results", "console", "capture", "disks", "memory")


def first_difference(old: bytes, new: bytes) -> str:
    """Of two traces: the first record that differs, as both sides have it."""
    left, right = abi.records(old), abi.records(new)
    for number, (a, b) in enumerate(zip(left, right)):
        if a != b:
            return f"record {number}: was {show(a)}, is {show(b)}"
    if len(left) != len(right):
        longer, word = (left, "missing") if len(left) > len(right) else (right, "new")
        return f"record {min(len(left), len(right))} is {word}: {show(longer[min(len(left), len(right))])}"
    return "no record differs"


def show(r: abi.Record) -> str:
    return (f"[{units.short_time(r.ns)} type {r.type:#06x} domain {r.domid} who {r.who} "
            f"a {r.a:#x} b {r.b:#x}]")


def first_line(old: str, new: str) -> str:
    for number, (a, b) in enumerate(zip(old.splitlines(), new.splitlines()), 1):
        if a != b:
            return f"line {number}: was {a!r}, is {b!r}"
    return f"{len(old.splitlines())} lines before, {len(new.splitlines())} now"


def compare(before: result.Result, after: result.Result, directory: pathlib.Path,
            again: pathlib.Path) -> list[str]:
    """What differs, most telling first; empty if nothing."""
    said = []
    for name in ORDER:
        if before.digests.get(name) == after.digests.get(name):
            continue
        detail = ""
        if name == "trace":
            detail = ": " + first_difference((directory / "trace").read_bytes(), (again / "trace").read_bytes())
        if name == "console":
            detail = ": " + _consoles(directory, again)
        said.append(name + detail)
    return said


def _consoles(directory: pathlib.Path, again: pathlib.Path) -> str:
    for path in sorted((directory / run.CONSOLE).glob("*.log")):
        other = again / run.CONSOLE / path.name
        new = other.read_text() if other.exists() else ""
        if new != path.read_text():
            return f"{path.stem}, {first_line(path.read_text(), new)}"
    return "a node that said nothing before speaks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=pathlib.Path, help="what `run --out` wrote")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")


def options_of(before: result.Result) -> run.Options:
    """The same choices as then; what the host decided then stays decided."""
    return run.Options(clock=before.clock, seed=before.seed, for_ns=before.options.get("for_ns"),
                       cpus=before.options.get("cpus"), machine=before.options.get("machine", "q35"),
                       kvm=before.qemu.get("accelerator") == "kvm", counts=before.options.get("counts", {}))


def cluster_of(before: result.Result, directory: pathlib.Path) -> clusters.Cluster:
    """The file as it was run; what it names beside it (disks, programs, kernels) is looked for where it stood."""
    source = directory / "cluster.toml"
    if not source.exists():
        raise Problem(f"{source} is missing", "the directory is not whole")
    file = before.options.get("file", str(source))
    return dataclasses.replace(clusters.parse(source.read_text(), file, before.options.get("counts")),
                               name=before.name)


PARTS = {"bundle-": "the nodes' programs", "disk-": "what disks begin as"}


def _part(name: str) -> str:
    """A module's name as people say it."""
    return next((words for start, words in PARTS.items() if name.startswith(start)), name)


def changes(before: result.Result, after: result.Result, directory: pathlib.Path, plan: str) -> list[str]:
    """What the two runs were not made of alike, whether or not it shows."""
    notes = []
    if before.git != after.git:
        notes.append(f"the tree has changed since: {before.git[:12]} then, {after.git[:12]} now")
    if before.qemu.get("version") != after.qemu.get("version"):
        notes.append(f"QEMU has changed since: {before.qemu.get('version')} then, {after.qemu.get('version')} now")
    old, new = before.options.get("images", {}), after.options["images"]
    changed = dict.fromkeys(_part(name) for name in old if old[name] != new.get(name))
    if changed:
        notes.append(f"made anew since: {', '.join(changed)}")
    if before.options.get("plan") != after.options["plan"]:
        notes.append(f"the plan has changed since: {first_line((directory / 'plan').read_text(), plan)}")
    return notes


def command(options: argparse.Namespace) -> int:
    before = result.read(options.directory)
    if before.clock == "real":
        raise Problem("a run by the clock `real` has no replay", "run with --clock count or event")
    cluster = cluster_of(before, options.directory)
    with Scratch() as scratch:
        prepared = run.prepare(cluster, options_of(before), scratch)
        for_ns = before.options.get("for_ns") or cluster.for_ns
        with Progress() as told:
            outcome = run.execute(prepared, lambda session: told.run(f"replay of {cluster.name}", session, for_ns))
        again = scratch / "again"
        run.save(outcome, again)
        said = compare(before, outcome.result, options.directory, again)
    notes = changes(before, outcome.result, options.directory, prepared.plan.text)
    if options.json:
        print(json.dumps({"identical": not said, "differences": said, "notes": notes}))
    else:
        print("\n".join(notes + (["differs in " + s for s in said] or ["identical"])))
    return 1 if said else 0
