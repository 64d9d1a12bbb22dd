# SPDX-License-Identifier: BSD-2-Clause
"""Several domains in the machine, made by a guest of one file: what happens to one of them,
what the scheduler gives to each, and how the hypervisor protects itself."""

import re

import pytest

from test_boot import passed, run


def test_two_share_and_caps_hold() -> None:
    """H03: two spinning domains within 2 % of a half, caps and weights within 2 %, no exit and
    no time for one that waits; the same figures each time."""
    said = [run("share", append="clock=count", clock="count", seconds=120) for _ in range(2)]
    assert passed(said[0]), said[0]
    figures = [re.findall(r"^time .*$", s, re.M) for s in said]
    assert len(figures[0]) == 4 and figures[0] == figures[1]


@pytest.mark.parametrize("clock", ["count", "real"])
def test_one_domains_end_is_its_own(clock: str) -> None:
    """H03, F26: endless exits end that domain with a report; injected exceptions and
    pre-emption strike where they were aimed; debug keys show everybody."""
    said = run("lives", append=f"clock={clock}", clock=clock, seconds=120)
    assert passed(said), said
    assert re.search(r"^domain 2 crashed: endless exits: guest-physical [0-9a-f]+ is touched", said, re.M), said
    assert "domain 1 crashed" not in said and "domain 0 crashed" not in said
    for words in (r"key d: domains and vCPUs", r"domain 1: live", r"domain 2: shut down",
                  r"memory: \d+ of \d+ frames free", r"domain 0: \d+ grant frames of \d+"):
        assert re.search(words, said), (words, said)


def test_two_processors_at_work() -> None:
    """H01, H06, H07: round trips, mapping with its flushes, and a thousand domains made and
    destroyed, with two CPUs that run the two domains at once."""
    said = run("rows", cpus=2, seconds=150)
    assert passed(said), said
