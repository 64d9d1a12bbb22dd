# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis bench --where xen`: the rows of one node on real Xen."""

import pytest

from osmo import bench, bench_xen, paths, xen

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
