# SPDX-License-Identifier: BSD-2-Clause
"""Guests on real Xen 4.17: the test bed itself, a guest that nobody here wrote, and ours.

The same image files, unchanged, run on Osmosis in tests/hyp.
"""

import pathlib

import pytest

from osmo import xen
from osmo.errors import Problem

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen")]


def test_grub_reaches_its_prompt(testbed: xen.Testbed) -> None:
    """Debian's own PVH image: console by xenstore's page, memory map, timer."""
    if "grub" not in testbed.have:
        pytest.skip("grub-xen-host is not installed")
    testbed.create(xen.Guest("grub", "grub", memory_mib=64))
    try:
        outcome = testbed.wait("grub", 60, "grub>")
        assert "GNU GRUB" in outcome.console and outcome.reason is None
    finally:
        testbed.destroy("grub")


def test_files_cross_whole_in_both_directions(testbed: xen.Testbed) -> None:
    data = bytes(range(256)) * 3000
    testbed.put("blob", data)
    assert testbed.get("/guests/blob") == data
    assert testbed.get("/guests/nothing") == b""


def test_xl_says_what_is_wrong(testbed: xen.Testbed) -> None:
    testbed.put("noimage", b"\x7fELF and nothing more")
    with pytest.raises(Problem, match="xl create"):
        testbed.create(xen.Guest("broken", "noimage"))


@pytest.mark.parametrize("image", ["hello"])
def test_our_image_runs_unchanged(testbed: xen.Testbed, built: pathlib.Path, image: str) -> None:
    """XTF's convention: the last line of the console is the verdict (P30's ground)."""
    if not (built / image).is_file():
        pytest.skip(f"build/images/{image} is not built")
    outcome = testbed.run(xen.Guest(image, image, memory_mib=32), seconds=150)
    assert outcome.reason == "poweroff", outcome.console
    assert outcome.console.strip(), "the guest said nothing"
