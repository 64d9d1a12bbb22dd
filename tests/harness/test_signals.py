# SPDX-License-Identifier: BSD-2-Clause
"""Ctrl-C is heard wherever it comes: while modules load, and in code that cannot raise."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

HARNESS = pathlib.Path(__file__).resolve().parents[2] / "harness"
STUBBORN = """
import sys, time
sys.path.insert(0, sys.argv[1])
from osmo.cli import heed_signals
heed_signals()

class Finalized:
    def __del__(self):
        print("here", flush=True)
        time.sleep(60)

try:
    Finalized()
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupt_in_a_finalizer_comes_again() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN, str(HARNESS)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=50)
    assert (process.returncode, errors) == (130, "")


BEGINNING = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from osmo import experiment
from osmo.cli import heed_signals
heed_signals()
fork = os.fork

def interrupted():
    process = fork()
    if process:
        os.kill(os.getpid(), signal.SIGINT)
    return process

os.fork = interrupted
try:
    with experiment._pool(2) as pool:
        pool.submit(time.sleep, 60).result()
except KeyboardInterrupt:
    sys.exit(130)
"""
WORKING = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from osmo import experiment
from osmo.cli import heed_signals
heed_signals()

class Finalized:
    def __del__(self):
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(60)

def task():
    Finalized()
    time.sleep(60)

try:
    with experiment._pool(1) as pool:
        pool.submit(task).result()
except KeyboardInterrupt:
    sys.exit(130)
"""


def interrupted(script: str) -> int:
    """Runs a campaign that interrupts itself: it ends as one that was, and says nothing. Its process group."""
    with subprocess.Popen([sys.executable, "-c", script, str(HARNESS)], stderr=subprocess.PIPE, text=True,
                          start_new_session=True) as process:
        try:
            _, errors = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert (process.returncode, errors) == (130, "")
    return process.pid


def test_a_worker_that_is_told_where_nothing_can_be_raised_ends() -> None:
    """As in a finalizer, or what runs at a fork: it used to go on to the end of its run, and a Ctrl-C with it."""
    interrupted(WORKING)


def test_an_interrupt_while_workers_begin_ends_them() -> None:
    """A campaign that is stopped in its first moment used to wait for ever for workers it knew nothing of."""
    group = interrupted(BEGINNING)
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
