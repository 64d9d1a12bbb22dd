# SPDX-License-Identifier: BSD-2-Clause
"""The protocols as models for Spin: every interleaving of the window protocol (DL06, DN12,
DN14) and of the rings' notification (H08, H06), and proof that the models can fail."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
WINDOW = TESTS / "net" / "window.pml"
RING = TESTS / "splitdrv" / "ring.pml"
LONG = bool(os.environ.get("OSMOSIS_LONG"))

pytestmark = [pytest.mark.skipif(not shutil.which("spin"), reason="spin is not installed (`make deps`)"),
              pytest.mark.timeout(900)]

HOLDS = [(WINDOW, ""), (WINDOW, "-DREBOOTS=0 -DLOSSES=2"), (WINDOW, "-DMESSAGES=4 -DREBOOTS=0"),
         (RING, ""), (RING, "-DREQUESTS=9")]
HOLDS_LONG = [(WINDOW, "-DREBOOTS=2"), (WINDOW, "-DMESSAGES=5 -DLOSSES=2")]
FAILS = [(WINDOW, "-DNO_EPOCHS", "assertion violated"), (WINDOW, "-DNO_WINDOW", "assertion violated"),
         (WINDOW, "-DNO_TIMER", "invalid end state"), (WINDOW, "-DACK_EARLY", "assertion violated"),
         (RING, "-DNO_BARRIER", "invalid end state"), (RING, "-DNO_LAST_LOOK", "invalid end state")]


def search(model: pathlib.Path, options: str, tmp_path: pathlib.Path) -> str:
    """What the exhaustive search says; the checker is C that Spin writes."""
    subprocess.run(["spin", *options.split(), "-a", model], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run(["gcc", "-O1", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"], cwd=tmp_path, check=True)
    done = subprocess.run(["./pan", "-m100000"], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "search depth too small" not in done.stdout and "out of memory" not in done.stdout
    return done.stdout


@pytest.mark.parametrize("model, options", HOLDS + (HOLDS_LONG if LONG else []))
def test_in_every_state_of_the_model_it_holds(model: pathlib.Path, options: str, tmp_path: pathlib.Path) -> None:
    said = search(model, options, tmp_path)
    assert "errors: 0" in said, said
    states = re.search(r"(\d+)(?:\.\d+)?(?:e\+\d+)? states, stored", said)
    assert states and int(states.group(1)) > 1000, said


@pytest.mark.parametrize("model, options, how", FAILS)
def test_without_one_of_its_rules_the_model_fails(model: pathlib.Path, options: str, how: str,
                                                  tmp_path: pathlib.Path) -> None:
    said = search(model, options, tmp_path)
    assert how in said and "errors: 1" in said, said
