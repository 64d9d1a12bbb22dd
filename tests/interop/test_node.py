# SPDX-License-Identifier: BSD-2-Clause
"""A DEMOS node as a PVH domain of real Xen: the conformance suite, the same bytes as hosted."""

import pathlib
import subprocess

import pytest

from osmo import paths, xen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen")]


@pytest.mark.parametrize("name", ["conformance"])
def test_node_on_xen_says_what_it_says_hosted(testbed: xen.Testbed, built: pathlib.Path, name: str) -> None:
    """H19, H13, DL10, P30's ground: one image, one set of program files, four places. What reads
    the guest's console is held for longer than the console's ring lasts: not a byte is lost."""
    bundle = paths.build() / "bundles" / name
    if not bundle.is_file() or not (built / "node").is_file():
        pytest.skip("build/images/node or its bundle is not built")
    hosted = subprocess.run([paths.build() / "demos-node", "--bundle", bundle], timeout=150,
                            capture_output=True, text=True, check=True).stdout
    testbed.put(name, bundle.read_bytes())
    guest = xen.Guest("node-" + name, "node", memory_mib=64, ramdisk=name)
    testbed.create(guest, paused=True)
    try:
        stopped = f"kill -STOP $P; xl unpause {guest.name}; sleep 5; kill -CONT $P"
        testbed.shell.run(f"P=$(pidof xenconsoled); {stopped}")
        outcome = testbed.wait(guest.name, seconds=150)
    finally:
        testbed.destroy(guest.name)
    assert outcome.reason == "poweroff", outcome.console
    assert outcome.console.rstrip("\n") == hosted.rstrip("\n")
