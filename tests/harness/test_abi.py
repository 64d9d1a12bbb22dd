# SPDX-License-Identifier: BSD-2-Clause
"""osmo.abi says the same as hyp/abi/osmosis.h: the compiler is asked for each number."""

import hashlib
import pathlib
import re
import subprocess

import pytest

from osmo import abi, result
from osmo.types import DISK_STRUCK, EVENTS, Kernel, Net, watch_bit

TOP = pathlib.Path(__file__).resolve().parent.parent.parent

NUMBERS = {
    "OSM_ABI_VERSION": abi.VERSION,
    "OSM_RING_MAGIC": abi.RING_MAGIC,
    "OSM_MAILBOX_MAGIC": abi.MAILBOX_MAGIC,
    "sizeof(struct osm_record)": abi.RECORD.size,
    "sizeof(struct osm_ring_header)": abi.RING.size,
    "sizeof(struct osm_frame)": abi.FRAME.size,
    "sizeof(struct osm_mailbox)": abi.MAILBOX.size,
    "offsetof(struct osm_disk_piece, frame)": abi.DISK_PIECE.size,
    "OSM_NO_FRAME": abi.NO_FRAME,
    "offsetof(struct osm_mailbox, state)": 12,
    "offsetof(struct osm_mailbox, seed)": 24,
    "offsetof(struct osm_mailbox, plan_len)": 48,
    "offsetof(struct osm_ring_header, produced)": 16,
    "offsetof(struct osm_ring_header, consumed)": 24,
    "offsetof(struct osm_ring_header, lost)": 32,
    **{f"OSM_CLOCK_{c.name}": c.value for c in abi.Clock},
    **{f"OSM_MAILBOX_{s.name}": s.value for s in abi.State},
    **{f"OSM_STREAM_{s.name}": s.value for s in abi.Stream},
    **{f"OSM_T_{t.name.lower()}": t.value for t in abi.Trace},
    **{f"OSM_POINT_{name}": number for number, name in enumerate(abi.POINTS)},
    "OSM_POINTS": len(abi.POINTS),
    **{f"OSM_WATCH({number}u)": watch_bit(number) for number in EVENTS.values()},
}


def test_numbers_equal_the_header(tmp_path: pathlib.Path) -> None:
    program = ['#include <stdio.h>', '#include <stddef.h>', '#include "hyp/abi/osmosis.h"',
               'int main(void) {']
    program += [f'printf("%llu\\n", (unsigned long long)({name}));' for name in NUMBERS]
    program += ['return 0; }']
    source = tmp_path / "numbers.c"
    source.write_text("\n".join(program))
    subprocess.run(["gcc", "-I", str(TOP), "-o", str(tmp_path / "numbers"), str(source)], check=True)
    said = subprocess.run([str(tmp_path / "numbers")], check=True, capture_output=True, text=True)
    assert [int(line) for line in said.stdout.split()] == list(NUMBERS.values())


def test_each_record_has_its_row_in_the_documentation() -> None:
    """Number and name as they are, who, a and b in words; and no row of what is not there."""
    page = (TOP / "harness" / "TRACE.md").read_text()
    found = re.findall(r"^\| `(0x\w{4})` \| `([a-z_.]+)` \| (.+?) \| (.+?) \| (.+?) \|$", page, flags=re.M)
    groups = (("hyp", abi.Trace), ("kernel", Kernel), ("net", Net))
    named = {(int(e), f"{group}.{e.name.lower()}") for group, kinds in groups for e in kinds}
    assert [(int(row[0], 16), row[1]) for row in found] == sorted(named | {(DISK_STRUCK, "disk.struck")})
    assert page.count("| `0x") == len(found)
    for name, version in result.FORMATS.items():
        assert f"| `{name}`, {version} |" in page
    language = (TOP / "guest" / "control" / "README.md").read_text()
    assert f"## The command language, version {result.FORMATS['plan']}\n" in language


# What the version is the number of: whoever changes one of these gives it the next number, and this its digest.
FORMATS = {3: "6c4de1c97346cf37"}


def test_a_format_that_changes_has_another_version() -> None:
    """Types of records, what their fields mean, and the structures that the harness reads: a harness that takes
    records for what they were in another tree finds broken what held."""
    headers = {name: (TOP / name).read_text() for name in
               ("hyp/abi/osmosis.h", "guest/kernel/trace.h", "net/trace.h")}
    parts = [re.search(rf"{start}.*?\n}};", text, re.S) for name, text in headers.items()
             for start in (r"enum \w+_trace \{", r"struct osm_record \{", r"struct osm_ring_header \{",
                           r"struct osm_frame \{", r"struct osm_mailbox \{")]
    found = [" ".join(part[0].split()) for part in parts if part]
    assert len(found) == 7
    digest = hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]
    assert FORMATS == {abi.VERSION: digest}, "OSM_ABI_VERSION and osmo/abi.py: the next number; here its digest"


def test_records_leave_out_a_torn_tail() -> None:
    one = abi.Record(5, abi.Trace.SEND, 3, 1, 7, 9)
    assert abi.records(one.pack() * 2 + b"torn") == [one, one]


@pytest.mark.parametrize("data", [b"", b"\0" * 31])
def test_records_of_too_little(data: bytes) -> None:
    assert abi.records(data) == []
