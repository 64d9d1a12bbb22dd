# SPDX-License-Identifier: BSD-2-Clause
"""Campaigns of a cluster: `osmosis experiment FILE --seeds A..B --slurm SIZE` prints an array job of Debian's
Slurm (`sbatch` takes it), each task of which runs SIZE seeds into a directory of its own; `--merge`, with the
same words, makes one campaign of them and says which seeds are missing.
"""

import argparse
import dataclasses
import itertools
import json
import pathlib
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from osmo import paths, result
from osmo.errors import Problem

TASKS_MOST = 1001  # what Slurm lets an array have unless told otherwise (MaxArraySize)


def spans(seeds: Sequence[int]) -> str:
    """`1..5,9`: what `--seeds` reads."""
    out = []
    for _, run in itertools.groupby(enumerate(seeds), lambda at: at[1] - at[0]):
        numbers = [seed for _, seed in run]
        out.append(f"{numbers[0]}..{numbers[-1]}" if len(numbers) > 1 else str(numbers[0]))
    return ",".join(out)


def _passed_on(options: argparse.Namespace) -> Iterator[str]:
    """How every task is to run."""
    for name, value in (("for", options.length), ("clock", options.clock), ("cpus", options.cpus),
                        ("machine", options.machine), ("patience", options.patience)):
        if value is not None:
            yield f"--{name} {shlex.quote(str(value))}"
    yield from (f"--count {shlex.quote(word)}" for word in options.count)
    if options.where != "machine":
        yield f"--where {options.where}"
    yield "--keep-going"
    if options.no_shrink:
        yield "--no-shrink"


def directory(options: argparse.Namespace) -> pathlib.Path:
    return (options.out or pathlib.Path("campaign")).resolve()


def script(options: argparse.Namespace, seeds: Sequence[int]) -> str:
    """The array job. A task that is run again begins anew, so that Slurm may requeue it."""
    size = options.slurm
    if size < 1:
        raise Problem(f"--slurm {size}", "how many seeds a task runs, 1 or more")
    parts = [spans(seeds[at:at + size]) for at in range(0, len(seeds), size)]
    if len(parts) > TASKS_MOST:
        raise Problem(f"--slurm {size} makes {len(parts)} tasks",
                      f"at most {TASKS_MOST}: say --slurm {-(-len(seeds) // TASKS_MOST)} or more")
    words = " ".join([shlex.quote(f"{paths.TOP}/harness/osmosis"), "experiment",
                      shlex.quote(str(options.file.resolve())), '--seeds "$1" --jobs 1', *_passed_on(options),
                      f'--out {shlex.quote(str(directory(options)))}/"$SLURM_ARRAY_TASK_ID"'])
    return "\n".join([
        "#!/bin/sh", f"#SBATCH --job-name=osmosis-{options.file.stem}", f"#SBATCH --array=0-{len(parts) - 1}",
        "#SBATCH --cpus-per-task=1", "#SBATCH --mem=2G", "#SBATCH --requeue", "set -eu",
        "set -- " + " ".join(parts), 'shift "$SLURM_ARRAY_TASK_ID"', f"exec {words}", ""])


@dataclasses.dataclass
class Merged:
    """Of all tasks: rows in the order of the seeds, what was made small, the seconds they took together."""

    rows: list[dict[str, Any]]
    shrunk: dict[str, Any]
    seconds: float


def merged(options: argparse.Namespace, seeds: Sequence[int], name: str) -> Merged:
    """A Problem if they are not whole, or not of one campaign."""
    rows: dict[int, dict[str, Any]] = {}
    shrunk: dict[str, Any] = {}
    seconds, trees = 0.0, set()
    for path in sorted(directory(options).glob("*/campaign.json")):
        try:
            task = json.loads(path.read_text())
            if task.get("format") != result.CAMPAIGN:
                raise Problem(f"{path} has format {task.get('format')}, this command reads {result.CAMPAIGN}",
                              "use the osmosis that wrote it")
            if task["name"] != name:
                raise Problem(f"{path} is of {task['name']}, not of {name}", "another campaign's --out?")
            rows.update({row["seed"]: row for row in task["rows"]})
            shrunk.update(task["shrunk"])
            seconds += task["wall_s"]
            trees.add(task["git"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Problem(f"{path} is no campaign: {error}", "run that task again") from None
    missing = [seed for seed in seeds if seed not in rows]
    if missing:
        raise Problem(f"{len(missing)} of {len(seeds)} seeds are missing: {spans(missing)}",
                      "run their tasks again, or give --seeds that are there")
    if len(trees) > 1:
        raise Problem(f"the tasks ran different trees: {', '.join(sorted(t[:12] for t in trees))}",
                      "run all of them from one")
    return Merged([rows[seed] for seed in seeds], shrunk, seconds)
