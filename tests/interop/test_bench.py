# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis bench --where xen`: the rows of one node, and of two, on real Xen."""

import pytest

from osmo import bench, bench_xen, goals, paths, places, xen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen")]


def test_every_row_of_a_node_on_real_xen(testbed: xen.Testbed) -> None:
    """P7-P11, P16, P18, H19: the bundle of the native rows measures each of them in a guest of `xl create`."""
    bundle = paths.build() / "bundles" / bench_xen.NAME
    if "node" not in testbed.have or not bundle.is_file():
        pytest.skip("the images are not built (`make`)")
    testbed.put(bench_xen.NAME, bundle.read_bytes())
    found = {bench.key(r) for r in bench_xen.measured(testbed)}
    native = {k for k in bench.read_reference() if k.startswith("native/")}
    assert found == {k.replace("native/", "xen/", 1) for k in native}


def test_a_row_between_two_nodes_on_real_xen(testbed: xen.Testbed) -> None:
    """P30: the images and the program of Osmosis' own row, joined by `xl`."""
    if not set(places.XEN_IMAGES) <= testbed.have or not (paths.build() / "programs" / "netbench").is_file():
        pytest.skip("the images are not built (`make`)")
    with bench_xen.pair(testbed, "P14"):
        row = bench_xen.between(testbed, "P14", look=0.5)
    assert (row.id, row.name, row.where) == ("P14", goals.BY_ID["P14"].name, "xen") and row.I
