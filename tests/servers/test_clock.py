# SPDX-License-Identifier: BSD-2-Clause
"""The time of day on several hosted nodes, whose own clocks begin when they start."""

import pathlib
import re
import time

from nodes import Cluster

BOARD = "+kernel =board switchboard global"


def test_time_of_day(tmp_path: pathlib.Path) -> None:
    """DS01, DS15, DN20: followers stay between what the source shows before and after, and never go back."""
    with Cluster(tmp_path) as cluster:
        cluster.start(1, BOARD, "=calendar calendar source 3600", "with never hello")
        time.sleep(0.5)  # their clocks are that far apart
        follower = cluster.start(2, "=calendar calendar", "date check 200", "wait", "date")
        said, _ = follower.communicate(timeout=60)
        wanted = r"date: 200 times, never more than \d+ us apart\n1:00:\d\d since the beginning\n"
        assert re.fullmatch(wanted, said)


def test_source_comes_late(tmp_path: pathlib.Path) -> None:
    """DS15: without a source the answer is that there is none; one that comes later is found."""
    with Cluster(tmp_path) as cluster:
        cluster.start(1, BOARD, "with never hello")
        alone = cluster.start(2, "=calendar calendar", "date")
        said, _ = alone.communicate(timeout=60)
        assert alone.returncode == 1 and "date: E_DEAD" in said
        cluster.start(3, "=calendar calendar source", "with never hello")
        late = cluster.start(4, "=calendar calendar", "+kernel with calendar date")
        said, _ = late.communicate(timeout=60)
        assert late.returncode == 0 and re.fullmatch(r"0:0\d:\d\d since the beginning\n", said), said
