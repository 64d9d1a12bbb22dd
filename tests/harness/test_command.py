# SPDX-License-Identifier: BSD-2-Clause
"""The command line: whatever stands there is taken, or refused in words and with status 2; never a traceback."""

import io
import os
import pathlib
import subprocess
import sys
import time

import pytest

from osmo import progress, run, scratch
from osmo.errors import Problem

HARNESS = pathlib.Path(__file__).resolve().parents[2] / "harness"
HELLO = str(HARNESS / "clusters/hello.toml")


def osmosis(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(HARNESS / "osmosis"), *words], capture_output=True, text=True,
                          timeout=50, stdin=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize("line,says", [
    ("run F --seed -1", "--seed: '-1' is no whole number from 0 to 18446744073709551615"),
    (f"run F --seed {2**64}", "no whole number"), ("run F --seed x", "no whole number"),
    ("run F --cpus 0 --clock real", "--cpus: '0' is no whole number from 1 to 64"),
    ("run F --patience nan", "--patience: 'nan' is no number of seconds"), ("run F --patience 0", "above 0"),
    ("run F --for=99999999h", "--for: "), ("run F --count n=99999999999999999999", "nodes.n.count"),
    ("run F --out ", "--out: a folder's name is empty"), ("experiment F --seeds 1..99999999999", "is too much"),
    ("experiment F --seeds 99999999999999999999", "is too much"), ("experiment F --jobs 0", "--jobs: '0'"),
    ("experiment F --jobs 99999", "from 1 to 1024"), ("experiment F --slurm 0", "--slurm: '0'"),
    ("path P99", "invalid choice: 'P99'"), ("table1 --out /dev/null", "--out /dev/null: a file is in the way"),
    ("compare --out /dev/null/x", "a file is in the way"),
    ("many --nodes 8,1", "--nodes: '1' is no whole number from 2 to 9999"), ("many --out /dev/null", "in the way"),
    ("export . xyz", "argument FORMAT: 'xyz' is none of chrome, "), ("replay /", "/result.json: No such file"),
    ("bench --where", "--where: expected at least one argument"), ("compare --where mars", "invalid choice: 'mar"),
    ("utilisation --out /dev/null", "a file is in the way"),
    ("check F --seed -1", "--seed: '-1'"), ("top --every 0", "--every: '0'"), ("top --looks -1", "--looks: '-1'")])
def test_numbers_out_of_range(line: str, says: str) -> None:
    """H18: nothing is begun that could not end well."""
    said = osmosis(*(HELLO if w == "F" else w for w in line.split(" ")))
    assert (said.returncode, said.stdout) == (2, "") and says in said.stderr, said.stderr
    assert "Traceback" not in said.stderr


def test_whoever_reads_may_leave() -> None:
    """Closed outputs, a reader that has gone, a full device: no traceback, and what else there is is done."""
    line = [sys.executable, str(HARNESS / "osmosis")]
    for words in (["--help"], ["check", "--schema"], ["check", HELLO]):
        ours, theirs = os.pipe()
        os.close(ours)
        said = subprocess.run([*line, *words], stdout=theirs, stderr=subprocess.PIPE, timeout=50, check=False)
        os.close(theirs)
        assert (said.returncode, said.stderr) == (0, b""), words
    with open("/dev/full", "w") as full:
        said = subprocess.run([*line, "check", HELLO], stdout=full, stderr=subprocess.PIPE, timeout=50,
                              check=False)
    assert (said.returncode, said.stderr) == (2, b"osmosis: standard output: No space left on device\n")
    shell = f"{sys.executable} {HARNESS}/osmosis check {HELLO} >&- 2>&-"
    assert subprocess.run(["sh", "-c", shell], timeout=50, check=False).returncode == 0


def test_a_run_that_failed_has_failed_whoever_reads() -> None:
    """Its status is not that of who reads its output: `run | head -1` with pipefail."""
    ours, theirs = os.pipe()
    os.close(ours)
    code = ("import sys; sys.path.insert(0, sys.argv[1])\nfrom osmo import cli\n"
            "def _run(_):\n print('x')\n return 1\ncli._run = _run\nsys.exit(cli.main([]))")
    said = subprocess.run([sys.executable, "-c", code, str(HARNESS)], stdout=theirs, stderr=subprocess.PIPE,
                          timeout=50, check=False, env={**os.environ, "PYTHONUNBUFFERED": ""})
    os.close(theirs)
    assert (said.returncode, said.stderr) == (1, b"")


def test_what_the_killed_left_is_swept_up(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 of a run leaves its folder, the next run removes it; not what somebody holds, nor what is young,
    nor what is not ours."""
    monkeypatch.setattr(scratch.paths, "scratch_parent", lambda: tmp_path)
    code = ("import pathlib, sys, time; sys.path.insert(0, sys.argv[1])\nfrom osmo import paths, scratch\n"
            "paths.scratch_parent = lambda: pathlib.Path(sys.argv[2])\n"
            "with scratch.Scratch() as it:\n (it / 'ram').write_text('x')\n print(it, flush=True)\n"
            " time.sleep(50)")
    with subprocess.Popen([sys.executable, "-c", code, str(HARNESS), str(tmp_path)], text=True,
                          stdout=subprocess.PIPE) as other:
        assert other.stdout
        left = pathlib.Path(other.stdout.readline().strip())
        (tmp_path / "osmosis-others").mkdir()
        scratch.sweep(tmp_path, 0)
        assert (left / "ram").is_file(), "it is in use"
        other.kill()
    assert (left / "ram").is_file()
    scratch.sweep(tmp_path)
    assert left.is_dir(), "it is young"
    os.utime(left, (time.time() - 100,) * 2)
    monkeypatch.setattr(scratch, "_swept", False)
    with scratch.Scratch() as own:
        assert sorted(tmp_path.iterdir()) == sorted([own, tmp_path / "osmosis-others"])
    assert list(tmp_path.iterdir()) == [tmp_path / "osmosis-others"]


INTERRUPTED = """
import atexit, os, pathlib, shutil, sys
sys.path.insert(0, sys.argv[1])
from osmo import paths, scratch
paths.scratch_parent = lambda: pathlib.Path(sys.argv[2])
remove = shutil.rmtree

def interrupted(*_, **__):
    shutil.rmtree = remove
    raise KeyboardInterrupt

with scratch.Scratch() as it:
    (it / "ram").write_text("x")
    if os.fork() == 0:
        atexit._run_exitfuncs()
        os._exit(0)
    os.wait()
    print(len(os.listdir(it)))
    shutil.rmtree = interrupted
"""


def test_an_interrupt_while_a_folder_goes_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """A Ctrl-C just when one machine of a comparison had ended left its folder; it goes when the process does.
    Not when a worker does: it is not the worker's."""
    said = subprocess.run([sys.executable, "-c", INTERRUPTED, str(HARNESS), str(tmp_path)], capture_output=True,
                          text=True, timeout=50, check=False)
    assert said.stdout == "1\n" and "KeyboardInterrupt" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_result_directory_is_one_commands(tmp_path: pathlib.Path) -> None:
    """Two at once in the same --out: the second is refused before it begins, and may write when the first has
    ended; in directories of their own both may."""
    code = ("import pathlib, sys, time; sys.path.insert(0, sys.argv[1])\nfrom osmo import run\n"
            "run.open_results(pathlib.Path(sys.argv[2]))\nprint('held', flush=True)\ntime.sleep(50)")
    with subprocess.Popen([sys.executable, "-c", code, str(HARNESS), str(tmp_path / "out")], text=True,
                          stdout=subprocess.PIPE) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        said = osmosis("run", HELLO, "--headless", "--out", str(tmp_path / "out"))
        assert (said.returncode, said.stdout) == (2, "") and "another command writes there now" in said.stderr
        with pytest.raises(Problem, match="another command writes there"):
            run.open_results(tmp_path / "out")
        run.open_results(tmp_path / "other")
        other.kill()
    run.open_results(tmp_path / "out")
    run.open_results(tmp_path / "out")


def test_a_terminal_that_cannot_is_not_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True
    for term, shows in (("xterm", True), ("dumb", False), (None, True)):
        monkeypatch.delenv("TERM", raising=False)
        if term:
            monkeypatch.setenv("TERM", term)
        out = Terminal()
        progress.Progress(out).say("half done")
        assert progress.draws(out) == shows == bool(out.getvalue())
    assert not progress.draws(io.StringIO())
