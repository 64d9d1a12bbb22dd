# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis compare` on real Xen: H19, P30; the same images and program files as everywhere."""

import re

import pytest

from osmo import compare, places, xen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen")]


def one_document(table: compare.Table) -> None:
    """The other three places beside Xen: every row has its time, with spread, wherever it can be; one table, in
    which two hypervisors are held against each other."""
    for place in ("native", "osmosis", "hosted"):
        for _ in range(2):
            compare.take(table, place, "real", compare.RUNNERS[place]("real", 1))
    doc = compare.document(table, {}, {})
    both = [r for r in doc["rows"] if {"osmosis", "xen"} <= set(r["places"])]
    assert len(both) > 0.7 * len(doc["rows"]) and sum(set(r["places"]) == set(compare.PLACES) for r in both) > 15
    for cell in (cell for r in both for cell in r["places"].values()):
        assert cell["ns_spread"][0] <= cell["ns"] <= cell["ns_spread"][1] and cell["rounds"] >= 1
    head, *lines = compare.text_table(doc)
    assert [word for word in head.split() if word in compare.PLACES][-4:] == list(compare.PLACES)
    assert sum(bool(re.search(r" \d+\.\d{3}$", line)) for line in lines) == len(both)


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
    one_document(table)
    assert len([r for r, _ in rows if r == "T1"]) == 6 and len([r for r, _ in rows if r == "L33"]) == 4
    assert len([n for r, n in rows if r == "L35" and n.startswith("remote")]) == 18
