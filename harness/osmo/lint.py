# SPDX-License-Identifier: BSD-2-Clause
"""Every check that needs no run: clang-format, clang-tidy, cppcheck, shellcheck, mypy, flake8.

A check is a name, a tool and command lines; lines run side by side. clang-tidy is the slow
one, so a file that passed is remembered (by its own and every header's bytes) in build/lint.
A tool that is missing is said and skipped; `--strict` makes that a failure.
"""

import argparse
import concurrent.futures
import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys

from osmo import paths

STAMPS = "lint"
# What cppcheck gets wrong here: symbols of the linker, values set through a pointer, MSR
# numbers, memory that its owner's list keeps.
FALSE_ALARMS = ("comparePointers", "uninitvar", "uninitStructMember", "integerOverflow", "memleak",
                "nullPointerArithmeticOutOfMemory")


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


def tidy_jobs() -> list[Job]:
    flags = make_flags()  # of clang: gcc knows options that clang-tidy does not
    common = hashlib.sha256((paths.TOP / ".clang-tidy").read_bytes())
    for header in tracked("*.h"):
        common.update((paths.TOP / header).read_bytes())
    jobs = []
    for source in tracked("*.c"):
        if source.endswith("32.c"):
            continue  # built with -m32 by its folder's rules; the analyser lacks those headers
        options = [f for f in flags[variant_of(source)]
                   if f != "-Werror" and not f.startswith("-fsanitize")]
        digest = common.copy()
        digest.update("\0".join([source, *options]).encode())
        digest.update((paths.TOP / source).read_bytes())
        command = ["clang-tidy", "--quiet", source, "--", *options, "-Wno-unknown-warning-option"]
        jobs.append(Job("clang-tidy", command, digest.hexdigest()))
    return jobs


def cppcheck_jobs() -> list[Job]:
    files = [f for f in tracked("*.c") if not f.startswith("tests/")]
    options = ["-q", "--error-exitcode=1", "--inline-suppr", "--std=c11", "--platform=unix64",
               "--enable=warning,portability", "--suppress=missingIncludeSystem",
               "--suppress=unmatchedSuppression", "--suppress=preprocessorErrorDirective",
               *(f"--suppress={name}" for name in FALSE_ALARMS), "-I."]
    parts = [files[0::2], files[1::2]]
    return [Job("cppcheck", ["cppcheck", *options, *part]) for part in parts if part]


def shell_jobs() -> list[Job]:
    candidates = tracked("harness/*", ".ci/*", "tests/**/*.sh", "*.sh")
    scripts = [f for f in candidates if _first_line(f).startswith(("#!/bin/sh", "#!/usr/bin/env bash",
                                                                   "#!/bin/bash"))]
    return [Job("shellcheck", ["shellcheck", *scripts])] if scripts else []


def _first_line(name: str) -> str:
    with open(paths.TOP / name, "rb") as f:
        return f.readline(80).decode("utf-8", "replace")


def python_jobs() -> list[Job]:
    files = tracked("*.py") + [f for f in tracked("harness/*") if "python" in _first_line(f)
                               and not f.endswith(".py")]
    return [Job("flake8", ["/usr/bin/python3", "-m", "flake8", *files]),
            Job("mypy", ["/usr/bin/python3", "-m", "mypy", "harness/osmo"])]


CHECKS = {
    "clang-format": format_jobs,
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


def run(job: Job) -> tuple[Job, bool, str]:
    stamp = paths.build() / STAMPS / job.stamp
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
    parser.add_argument("--strict", action="store_true", help="a missing tool is a failure")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, help="side by side")
    options = parser.parse_args(arguments)
    jobs = [job for name in options.check or CHECKS for job in CHECKS[name]()]
    tools = {job.check: job for job in jobs}
    missing = [name for name, job in tools.items() if not available(job)]
    for name in missing:
        print(f"lint: {name} is not installed, skipped", file=sys.stderr)
    failed: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for job, good, said in pool.map(run, [j for j in jobs if j.check not in missing]):
            if not good:
                failed.append(job.check)
                print(f"--- {job.check}\n{brief(job.check, said)}", file=sys.stderr)
    counts = ", ".join(f"{name} {failed.count(name)}" for name in sorted(set(failed)))
    print(f"lint: {counts} failed" if failed else f"lint: {len(jobs)} jobs clean")
    return 1 if failed or (missing and options.strict) else 0
