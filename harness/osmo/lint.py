# SPDX-License-Identifier: BSD-2-Clause
"""Every check that needs no run: clang-format, clang, clang-tidy, cppcheck, shellcheck, mypy, flake8.

A check is a name, a tool and command lines; lines run side by side. clang, clang-tidy and cppcheck
are slow, so a file that passed is remembered in the cache, outside the tree, by its own bytes,
those of the headers it includes, and the command. A tool that is missing is a failure, said with
what brings it; the others run all the same.
"""

import argparse
import concurrent.futures
import dataclasses
import hashlib
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys

from osmo import doctor, paths, units

STAMPS = "lint"
# What cppcheck gets wrong here: symbols of the linker, values set through a pointer, MSR
# numbers, memory that its owner's list keeps.
FALSE_ALARMS = ("comparePointers", "uninitvar", "uninitStructMember", "integerOverflow", "memleak",
                "nullPointerArithmeticOutOfMemory")
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.M)


@dataclasses.dataclass(frozen=True)
class Job:
    """One command line; `stamp` names its result when it may be remembered."""

    check: str
    command: list[str]
    stamp: str = ""


def tracked(*patterns: str) -> list[str]:
    """Files git knows, and new ones that it would not ignore; those deleted left out."""
    said = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
        cwd=paths.TOP, check=True, capture_output=True, text=True)
    return [f for f in sorted(set(said.stdout.split())) if (paths.TOP / f).is_file()]


def make_flags() -> dict[str, list[str]]:
    """CFLAGS of each variant, asked of make so that they stand in one place."""
    said = subprocess.run(["make", "-s", "print-flags", "TOOLCHAIN=clang"], cwd=paths.TOP, check=True,
                          capture_output=True, text=True)
    rows = (line.split() for line in said.stdout.splitlines() if line.strip())
    return {row[0]: row[1:] for row in rows}


def variant_of(source: str) -> str:
    """Which flags a file is built with first: by its folder."""
    if source.startswith("hyp/"):
        return "hyp"
    if source.startswith(("guest/programs/", "guest/servers/", "guest/lib/")):
        return "prog"
    if source.startswith("guest/") and "/hosted/" not in source or source.startswith("splitdrv/"):
        return "dom"
    return "host"


def format_jobs() -> list[Job]:
    files = tracked("*.c", "*.h")
    return [Job("clang-format", ["clang-format", "--dry-run", "-Werror", *files])] if files else []


@functools.cache
def included(source: pathlib.Path) -> tuple[pathlib.Path, ...]:
    """The headers of ours that a file names itself; all of them, whatever #if says."""
    names = (n.decode() for n in INCLUDE.findall(source.read_bytes()))
    places = ((source.parent / n, paths.TOP / n) for n in names)
    return tuple(p for pair in places for p in [next((p for p in pair if p.is_file()), None)] if p)


def closure(source: pathlib.Path) -> list[pathlib.Path]:
    """A file and every header of ours that it sees, however far away."""
    seen: set[pathlib.Path] = set()
    ahead = [source]
    while ahead:
        path = pathlib.Path(os.path.normpath(ahead.pop()))
        if path not in seen:
            seen.add(path)
            ahead += included(path)
    return sorted(seen)


def remembered(check: str, command: list[str], source: str, *settings: str) -> Job:
    """A job for one file whose success need not be had twice."""
    digest = hashlib.sha256("\0".join(command).encode())
    digest.update((shutil.which(command[0]) or "").encode())
    for path in [*closure(paths.TOP / source), *(paths.TOP / name for name in settings)]:
        digest.update(path.relative_to(paths.TOP).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return Job(check, command, digest.hexdigest())


def sources() -> list[str]:
    """Without what is built with -m32 by its folder's rules: the analysers lack those headers."""
    return [s for s in tracked("*.c") if not s.endswith("32.c")]


def clang_jobs() -> list[Job]:
    """All that gcc builds for the machine is clang's, too, with every warning an error."""
    flags = make_flags()
    return [remembered("clang", ["clang", *flags[variant_of(source)], "-fsyntax-only", source], source)
            for source in sources() if variant_of(source) != "host"]


def tidy_jobs() -> list[Job]:
    flags = make_flags()  # of clang: gcc knows options that clang-tidy does not
    jobs = []
    for source in sources():
        options = [f for f in flags[variant_of(source)]
                   if f != "-Werror" and not f.startswith("-fsanitize")]
        command = ["clang-tidy", "--quiet", source, "--", *options, "-Wno-unknown-warning-option"]
        jobs.append(remembered("clang-tidy", command, source, ".clang-tidy"))
    return jobs


def cppcheck_jobs() -> list[Job]:
    options = ["-q", "--error-exitcode=1", "--inline-suppr", "--std=c11", "--platform=unix64",
               "--enable=warning,portability", "--suppress=missingIncludeSystem",
               "--suppress=unmatchedSuppression", "--suppress=preprocessorErrorDirective",
               *(f"--suppress={name}" for name in FALSE_ALARMS), "-I."]
    return [remembered("cppcheck", ["cppcheck", *options, source], source)
            for source in tracked("*.c") if not source.startswith("tests/")]


def shell_jobs() -> list[Job]:
    candidates = tracked("harness/*", ".ci/*", "tests/**/*.sh", "*.sh")
    scripts = [f for f in candidates if _first_line(f).startswith(("#!/bin/sh", "#!/usr/bin/env bash",
                                                                   "#!/bin/bash"))]
    return [Job("shellcheck", ["shellcheck", *scripts])] if scripts else []


def _first_line(name: str) -> str:
    with open(paths.TOP / name, "rb") as f:
        return f.readline(80).decode("utf-8", "replace")


def python_jobs() -> list[Job]:
    scripts = [f for f in tracked("harness/*") if "python" in _first_line(f) and not f.endswith(".py")]
    return [Job("flake8", ["/usr/bin/python3", "-m", "flake8", *tracked("*.py"), *scripts]),
            Job("mypy", ["/usr/bin/python3", "-m", "mypy", "--scripts-are-modules", "harness/osmo", *scripts])]


CHECKS = {
    "clang-format": format_jobs,
    "clang": clang_jobs,
    "clang-tidy": tidy_jobs,
    "cppcheck": cppcheck_jobs,
    "shellcheck": shell_jobs,
    "python": python_jobs,
}
MODULES = {"flake8": "flake8", "mypy": "mypy"}


def available(job: Job) -> bool:
    module = MODULES.get(job.check)
    if module:
        return subprocess.run(["/usr/bin/python3", "-c", f"import {module}"], check=False,
                              capture_output=True).returncode == 0
    return shutil.which(job.command[0]) is not None


def remedy(check: str) -> str:
    """What brings the tool of a check, in the doctor's words."""
    return next(doctor.remedy(tool) for tool in doctor.TOOLS if tool.program == check)


def run(job: Job) -> tuple[Job, bool, str]:
    stamp = paths.cache() / STAMPS / job.stamp
    if job.stamp and stamp.exists():
        return job, True, ""
    done = subprocess.run(job.command, cwd=paths.TOP, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    if job.stamp and done.returncode == 0:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    return job, done.returncode == 0, done.stdout


def brief(check: str, said: str) -> str:
    """clang-format's verdict is a list of files; everybody else's words stand."""
    if check != "clang-format":
        return said
    names = sorted({line.split(":", 1)[0] for line in said.splitlines() if ": error:" in line})
    return "not formatted (clang-format -i): " + " ".join(names)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="harness/lint", description=__doc__)
    parser.add_argument("check", nargs="*", choices=[*CHECKS, []], help="only these")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, help="side by side")
    options = parser.parse_args(arguments)
    jobs = [job for name in options.check or CHECKS for job in CHECKS[name]()]
    tools = {job.check: job for job in jobs}
    missing = [name for name, job in tools.items() if not available(job)]
    for name in missing:
        print(f"lint: {name} is not installed: {remedy(name)}", file=sys.stderr)
    failed: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for job, good, said in pool.map(run, [j for j in jobs if j.check not in missing]):
            if not good:
                failed.append(job.check)
                print(f"--- {job.check}\n{brief(job.check, said)}", file=sys.stderr)
    counts = [f"{name} {failed.count(name)} failed" for name in sorted(set(failed))]
    counts += [f"{name} not run" for name in missing]
    print(f"lint: {', '.join(counts)}" if counts else f"lint: {units.counted(len(jobs), 'job')} clean")
    return 1 if counts else 0
