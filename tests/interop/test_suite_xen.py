# SPDX-License-Identifier: BSD-2-Clause
"""The ABI suite's kernels (tests/hyp/suite) on real Xen 4.17: what they expect of Osmosis is what
Xen does, but for the checks named here, each with its reason.
"""

import pathlib
import re

import pytest

from osmo import xen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen"), pytest.mark.timeout(400)]

NO_PAT = "under nested paging Xen leaves the PAT to the processor, and QEMU neither checks nor switches it"
DIFFERENT = {
    "invd": "Xen looks for another opcode than 0f 08 where the processor brings no next-RIP: #GP",
    "rdpmc": "#UD on Xen; without counters, #GP is what the manual says of a counter that is not there",
    "pat: as after reset": NO_PAT,
    "pat: type 2 is none": NO_PAT,
    "pat: type 3 is none": NO_PAT,
    "pat: type 8 is none": NO_PAT,
    "apic: told once": "Xen's error register keeps what a second write should have dropped",
    "apic: and interrupts": "and therefore takes the next error for the same",
}


# PAE kernels do not run on Xen under QEMU: it sets an accessed bit where Xen finds it reserved.
@pytest.mark.parametrize("shape", ["4", "2", "0"])
def test_same_on_xen(testbed: xen.Testbed, built: pathlib.Path, shape: str) -> None:
    """H04, H05, H06, H07: the same kernel, unchanged, with the same verdicts. `careful` leaves out
    the one check (CR0.NW without CD) that ends a guest of Xen under QEMU."""
    name = f"suite-{shape}"
    if not (built / name).is_file():
        pytest.skip(f"build/images/{name} is not built")
    testbed.put("module0", b"module 0")
    guest = xen.Guest(name, name, cmdline="words of a line careful", ramdisk="module0")
    outcome = testbed.run(guest, seconds=90)
    assert outcome.reason == "poweroff", outcome.console[-2000:]
    failed = re.findall(r"^FAIL (.*?): [^:]*$", outcome.console, re.M)
    assert set(failed) == set(DIFFERENT), [line for line in outcome.console.splitlines() if "FAIL" in line]
    assert len(re.findall("^ok ", outcome.console, re.M)) > 400


@pytest.mark.parametrize("how,reason", [("halt", "poweroff"), ("reboot", "reboot"), ("crash", "crash"),
                                        ("silent", "watchdog")])
def test_ends_as_on_osmosis(testbed: xen.Testbed, built: pathlib.Path, how: str, reason: str) -> None:
    """H05: the ends that tests/hyp/test_suite.py::test_ends finds."""
    if not (built / "suite-0").is_file():
        pytest.skip("build/images/suite-0 is not built")
    guest = xen.Guest(f"end-{how}", "suite-0", cmdline=f"x {how}", extra=['on_watchdog="preserve"'])
    outcome = testbed.run(guest, seconds=60)
    assert outcome.reason == reason, outcome.console
