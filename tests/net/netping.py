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


HANDSHAKES = 200  # events of a vif's both ends before the first message and after the last, at the most


def kicks_are_for_batches(said: str, words: str, sends: dict[str, int] | None = None) -> None:
    """Never more than one for a message, far fewer in a stream: of the front end that asks and, where it is known
    what each domain has sent, of the one that answers and of the fabric's back ends, each for its own."""
    found = DONE.search(said)
    assert found, said
    count, kicks = int(found[1]), int(found[5])
    most = count + 20 if "stream" not in words else count // 4
    assert kicks <= most
    for name, vifs in (("n1", 1), ("n2", 1), ("fabric", 2)):
        assert sends is None or 0 < sends[name] <= vifs * (most + HANDSHAKES), (name, sends)
