# SPDX-License-Identifier: BSD-2-Clause
"""Two domains of netping with one medium between them, and what they say at their end."""

import re

CLUSTER = """
for = "{seconds}s"
[nodes.n1]
image = "netping"
media = ["wire"]
cmdline = "{linger}"
[nodes.n2]
image = "netping"
media = ["wire"]
cmdline = "peer=1 {words}"
[media.wire]
{medium}
[expect.exit]
n1 = "poweroff"
n2 = "poweroff"
"""
WORDS = ["count=500 size=4", "count=50 size=60000", "count=1000 size=1000 stream=16"]
DONE = re.compile(r"(\d+) round trips of (\d+) bytes, (\d+) in flight: (\d+) ns, \d+ ticks each, "
                  r"(\d+) kicks, (\d+) exits, 0 wrong")


def text(words: str, medium: str, seconds: int = 60, linger: str = "") -> str:
    """A cluster file: what n2 sends, a line about the medium, what n1 does when it is done."""
    return CLUSTER.format(words=words, medium=medium, seconds=seconds, linger=linger)


def kicks_are_for_batches(said: str, words: str) -> None:
    """Never more than one for a message, far fewer in a stream."""
    found = DONE.search(said)
    assert found, said
    count, kicks = int(found[1]), int(found[5])
    assert kicks <= count + 20 if "stream" not in words else kicks < count / 4
