# SPDX-License-Identifier: BSD-2-Clause
"""Ctrl-C is heard wherever it comes: while modules load, and in code that cannot raise."""

import pathlib
import signal
import subprocess
import sys

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
