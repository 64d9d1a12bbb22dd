# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis compare` on real Xen: H19, P30; the same images and program files as everywhere."""

import re

import pytest

from osmo import compare, places, xen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen")]


def test_every_row_on_real_xen(testbed: xen.Testbed) -> None:
    """Two nodes and our fabric as Xen's driver domain: all rows, local and remote, in time."""
    if not set(places.XEN_IMAGES) <= testbed.have:
        pytest.skip("the images are not built (`make`)")
    table: compare.Table = {}
    rows, rounds = {("", "")}, 0
    while len(table) < 0.75 * len(rows):  # a busy host disturbs some in each round
        assert rounds < 10, set(rows) - set(table)
        console, rounds = places.on_xen(testbed, 1), rounds + 1
        compare.take(table, "xen", "real", console)
        rows = set(re.findall(r'"row": "(\w+)", "name": "([^"]+)", "value": [0-9.]+', console))
    assert len([r for r, _ in rows if r == "T1"]) == 6 and len([r for r, _ in rows if r == "L33"]) == 4
    assert len([n for r, n in rows if r == "L35" and n.startswith("remote")]) == 18
