# SPDX-License-Identifier: BSD-2-Clause
"""result.json: what a run was, what came out, and how to have it again."""

import contextlib
import dataclasses
import json
import pathlib
import struct
import subprocess
from collections.abc import Iterator
from typing import Any

from osmo import paths
from osmo.errors import Problem

FORMAT = 1
CAMPAIGN = 1  # campaign.json's
# Of the files beside it: harness/TRACE.md.
FORMATS = {"trace": 2, "plan": 1, "events": 1}


@dataclasses.dataclass
class Verdict:
    """One invariant: how often it was checked and broken, and the first breaches in words."""

    checked: int = 0
    broken: int = 0
    first: list[str] = dataclasses.field(default_factory=list)

    def breach(self, words: str) -> None:
        self.broken += 1
        if len(self.first) < 10:
            self.first.append(words)


@dataclasses.dataclass
class Result:
    """The fields of result.json; `exit` is the command's status."""

    ok: bool = False
    exit: int = 1
    name: str = ""
    cluster: str = ""
    seed: int = 0
    clock: str = "count"
    format: int = FORMAT
    formats: dict[str, int] = dataclasses.field(default_factory=lambda: dict(FORMATS))
    git: str = ""
    qemu: dict[str, Any] = dataclasses.field(default_factory=dict)
    nodes: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    media: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    invariants: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    expected: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    faults: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    used: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    broken_ns: int | None = None  # the earliest breach that the trace shows
    digests: dict[str, str] = dataclasses.field(default_factory=dict)
    trace_lost: int = 0  # records; then no invariant was judged
    status: int = 0
    reason: str = ""
    error: str = ""
    virtual_ns: int = 0
    wall_ms: int = 0
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def text(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    def write(self, directory: pathlib.Path) -> None:
        (directory / "result.json").write_text(self.text())


@contextlib.contextmanager
def taken_in(directory: pathlib.Path) -> Iterator[None]:
    """What was written by a run, and may have been cut, edited or damaged since."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, struct.error) as error:
        raise Problem(f"{directory} is damaged: {type(error).__name__}: {error}",
                      "have the run again by its seed") from error


def read(directory: pathlib.Path) -> Result:
    path = directory / "result.json"
    try:
        given = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Problem(f"{path}: {why}", "name a directory that `osmosis run --out` wrote") from None
    if not isinstance(given, dict):
        raise Problem(f"{path} is no result", "name a directory that `osmosis run --out` wrote")
    known = {f.name for f in dataclasses.fields(Result)}
    if given.get("format") != FORMAT:
        raise Problem(f"{path} has format {given.get('format')}, this command reads {FORMAT}",
                      "use the osmosis that wrote it")
    for name, version in dict(given.get("formats", {})).items():
        if FORMATS.get(name) != version:
            raise Problem(f"{path.parent}: its {name} has format {version}, this command reads "
                          f"{FORMATS.get(name, 'none')}", "use the osmosis that wrote it")
    return Result(**{k: v for k, v in given.items() if k in known})


def git_commit() -> str:
    """Commit of the tree, with `+` behind it if files differ; empty outside a repository."""
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=paths.TOP, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""
    try:
        commit = git("rev-parse", "HEAD")
        return commit + ("+" if commit and git("status", "--porcelain", "-uno") else "")
    except OSError:
        return ""
