# SPDX-License-Identifier: BSD-2-Clause
"""The command line: whatever stands there is taken, or refused in words and with status 2; never a traceback."""

import pathlib
import subprocess
import sys

import pytest

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
    ("check F --seed -1", "--seed: '-1'"), ("top --every 0", "--every: '0'"), ("top --looks -1", "--looks: '-1'")])
def test_numbers_out_of_range(line: str, says: str) -> None:
    """H18: nothing is begun that could not end well."""
    said = osmosis(*(HELLO if w == "F" else w for w in line.split(" ")))
    assert (said.returncode, said.stdout) == (2, "") and says in said.stderr, said.stderr
    assert "Traceback" not in said.stderr
