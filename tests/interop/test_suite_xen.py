# SPDX-License-Identifier: BSD-2-Clause
"""The ABI suite's kernels (tests/hyp/suite) on real Xen 4.17: what they expect of Osmosis is what
Xen does, but for the checks named here, each with its reason.
"""

import pathlib
import re

import pytest

from osmo import xen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen"), pytest.mark.timeout(400)]

DIFFERENT = {
    "invd": "Xen looks for another opcode than 0f 08 where the processor brings no next-RIP: #GP",
    "rdpmc": "#UD on Xen; without counters, #GP is what the manual says of a counter that is not there",
}


@pytest.mark.parametrize("shape", ["4", "2", "0"])
def test_same_on_xen(testbed: xen.Testbed, built: pathlib.Path, shape: str) -> None:
    """H04, H05: the same kernel, unchanged, with the same verdicts."""
    name = f"suite-{shape}"
    if not (built / name).is_file():
        pytest.skip(f"build/images/{name} is not built")
    outcome = testbed.run(xen.Guest(name, name), seconds=60)
    assert outcome.reason == "poweroff", outcome.console[-2000:]
    failed = re.findall(r"^FAIL (.*?): ", outcome.console, re.M)
    assert set(failed) == set(DIFFERENT), outcome.console
    assert len(re.findall("^ok ", outcome.console, re.M)) > 100
