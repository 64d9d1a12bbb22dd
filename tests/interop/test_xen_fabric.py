# SPDX-License-Identifier: BSD-2-Clause
"""The fabric's domain and two network nodes on real Xen, vifs made by xl (H09, H10, H11).

The same images run on Osmosis. The handshake is with Xen's own store and toolstack; the
fabric is an unprivileged driver domain.
"""

import time
from collections.abc import Iterator

import pytest

from osmo import xen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen")]


@pytest.fixture(scope="module", name="bed")
def fixture_bed(testbed: xen.Testbed) -> Iterator[xen.Testbed]:
    if not {"fabric", "netping"} <= testbed.have:
        pytest.skip("the images are not built (`make`)")
    testbed.create(xen.Guest("fabric", "fabric", memory_mib=64, cmdline="kind=ether", extra=["driver_domain=1"]))
    try:
        assert "fabric: ready" in testbed.wait("fabric", 150, "fabric: ready").console
        yield testbed
    finally:
        testbed.destroy("fabric")


def node(bed: xen.Testbed, number: int, cmdline: str) -> None:
    vif = f"vif=['mac=02:05:00:00:00:{number:02x},backend=fabric']"
    bed.create(xen.Guest(f"n{number}", "netping", memory_mib=32, cmdline=f"id={number} {cmdline}",
                         extra=[vif]))


@pytest.mark.parametrize("words", ["count=50 size=4", "count=20 size=60000", "count=200 size=1000 stream=16"])
def test_round_trips(bed: xen.Testbed, words: str) -> None:
    node(bed, 1, "")
    node(bed, 2, f"peer=1 {words}")
    try:
        two, one = bed.wait("n2", 150), bed.wait("n1", 100)
        text = bed.console("fabric")[-1500:]
        assert "0 wrong" in two.console and "done" in two.console, f"{two.console}\n{one.console}\n{text}"
        assert (one.reason, two.reason) == ("poweroff", "poweroff"), one.console
    finally:
        bed.destroy("n1")
        bed.destroy("n2")
        time.sleep(0.5)
