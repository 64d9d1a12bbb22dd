"""Runs every C test (tests/AREA/test_*.c, sanitized) and every fuzzer (tests/AREA/fuzz_*.c).

What each one proves, and the ids of the rows it proves, stand in the header of its source.
The area's name is a pytest marker, so `pytest -m net` runs one part.
"""

import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent
LONG = os.environ.get("OSMOSIS_LONG") == "1"
FUZZ_SECONDS = 60 if LONG else 4
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def sources(pattern: str) -> list[pathlib.Path]:
    return sorted(p.relative_to(TOP / "tests") for p in (TOP / "tests").glob("*/" + pattern))


def run(command: list[str], seconds: int) -> None:
    done = subprocess.run(
        command, cwd=TOP, env={**os.environ, **SANITIZERS}, timeout=seconds,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, errors="replace", text=True,
    )
    assert done.returncode == 0, f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-6000:]}"


@pytest.mark.parametrize("source", sources("test_*.c"), ids=str)
def test_c(source: pathlib.Path) -> None:
    run([str(TOP / "build" / "tests" / source.with_suffix(""))], 3600 if LONG else 240)


@pytest.mark.parametrize("source", sources("fuzz_*.c"), ids=str)
def test_fuzz(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A bounded libFuzzer run with a fixed seed; a crash leaves its input beside the report."""
    corpus = TOP / "tests" / "data" / "corpus" / source.with_suffix("")
    command = [
        str(TOP / "build" / "fuzz" / source.with_suffix("")), "-seed=1",
        f"-max_total_time={FUZZ_SECONDS}", "-timeout=20", "-rss_limit_mb=2048",
        f"-artifact_prefix={tmp_path}/", str(tmp_path),
    ]
    if corpus.is_dir():
        command.append(str(corpus))
    run(command, FUZZ_SECONDS + 60)
