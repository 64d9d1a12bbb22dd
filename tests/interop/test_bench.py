# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis bench --where xen`: the rows of one node, and of two, on real Xen."""

import pytest

from osmo import bench, bench_xen, goals, paths, places, xen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen"), pytest.mark.timeout(400)]


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
    """P30: the images and the program of Osmosis' own row; a round trip there is four events and four HLTs, of the
    two nodes and, twice, of the fabric."""
    if not set(places.XEN_IMAGES) <= testbed.have or not (paths.build() / "programs" / "netbench").is_file():
        pytest.skip("the images are not built (`make`)")
    counted, exits, bare = bench_xen.remote(testbed, "P12", look=0.5, size=48 << 20)
    assert (counted.id, counted.name, counted.where) == ("P12", goals.BY_ID["P12"].name, "xen")
    assert exits.value is not None and 7.5 <= exits.value <= 9 and bare.id == "P30"
