# SPDX-License-Identifier: BSD-2-Clause
"""The rows of `osmosis bench` that need a medium with a rate, losses, a node between, or many nodes.

All by the clock `count` with a tick for each instruction, so that a row of `netbench` is both the
instructions of the whole machine and the nanoseconds that the medium's time is counted in.
"""

import re
import statistics

from osmo import bench, bench_run, cluster, goals
from osmo.errors import Problem

HEAD = """
clock = "count"
for = "300s"
trace = false
{until}
"""
FAST = 'rate = "10G"\nlatency = "1ns"\ncapture = false\n'
FAR = FAST.replace("1ns", "5ms")
RATE = 1250000  # 10 Mb/s
LOSSES = (0, 1, 5, 10, 30)  # per cent
PAIRS = 16
TIMED = 5
WINDOWS = (1, 2, 4, 8, 16, 32)
EACH_NS = re.compile(r"round trips of \d+ bytes, \d+ in flight: (\d+) ns")
GRANTED, PINGS = (64, 1024, 60000), 200
TICKS = re.compile(r"round trips of \d+ bytes, 1 in flight: \d+ ns, (\d+) ticks each, .* 0 wrong")
FLOOD = re.compile(r"netflood: (\d+) packets of 64 bytes, (\d+) ticks, 0 wrong")
KICKED = (2000, 6000)  # messages; what comes before and after them is in both


def play(text: str, clock: str = "count") -> dict[str, str]:
    """The consoles of a cluster that ended well."""
    outcome = bench_run.played(cluster.parse(text, "bench"), "bench", clock)
    return {name: outcome.collector.text(name) for name in outcome.collector.consoles}


def node(name: str, program: str, *media: str) -> str:
    listed = ", ".join(f'"{m}"' for m in media)
    return f'[nodes.{name}]\nmemory = "24M"\nmedia = [{listed}]\nprograms = ["{program}"]\n'


def measured(text: str, name: str, row: str, clock: str = "count") -> float:
    """Ticks of one row that this node's netbench printed: instructions, or in `real` cycles."""
    for found in bench.json_rows(play(text, clock)[name], "osmosis"):
        if found.id == row and found.I:
            return found.I
    raise Problem(f"{name} measured no {row}")


def goodput() -> list[bench.Row]:
    """What arrives of what the medium could carry: messages in a window, and bulk, one way each."""
    out = []
    ways = (("P14k", "messages of 1024 bytes, window 16", 1024), ("P17", "MOVEDATA of 1 MiB", 1))
    for row, what, payload in ways:
        for loss in LOSSES:
            text = HEAD.format(until='until = "exit a"') + f"[media.net]\nrate = {RATE}\ncapture = false\n"
            text += node("a", f"+kernel +machine netbench 2 {row}", "net") + node("b", "netbench host", "net")
            if loss:
                text += f'[[faults]]\nat = "1ms"\nmedium = "net"\ndo = "loss {loss / 100}"\n'
            share = payload * 1e9 / measured(text, "a", row) / RATE
            out.append(bench.Row("goodput", f"{what}, {loss}% of the frames lost, share of 10 Mb/s", "osmosis",
                                 value=round(share, 4), unit="ratio"))
    return out


def hops() -> list[bench.Row]:
    """A round trip of nothing over two media and the node between them, against one medium."""
    ask, wait = "+kernel +machine netbench {} P12", "netbench host"
    two = HEAD.format(until='until = "exit a"') + f"[media.l]\n{FAST}[media.r]\n{FAST}"
    two += node("a", ask.format(3), "l") + node("between", wait, "l", "r") + node("b", wait, "r")
    one = HEAD.format(until='until = "exit a"') + f"[media.l]\n{FAST}"
    one += node("a", ask.format(2), "l") + node("b", wait, "l")
    cost = (measured(two, "a", "P12") - measured(one, "a", "P12")) / 2
    return [bench.Row("hop", "one more node and medium on the way of a message, 0 bytes", "osmosis",
                      I=round(cost, 1))]


def pairs() -> list[bench.Row]:
    """Messages a second (of 10^9 instructions) between one pair and between many at once: a pair's
    median rate times their number, since they do not all begin at the same instant."""
    out = []
    for count in (1, PAIRS):
        text = HEAD.format(until="") + f"[media.net]\n{FAST}"
        text += "".join(node(f"a{i}", f"+kernel +machine netbench {count + i} P14", "net")
                        for i in range(1, count + 1))
        text += "".join(node(f"b{i}", "netbench host", "net") for i in range(1, count + 1))
        text = text.replace('for = "300s"', 'for = "3s"')  # there is nobody whose end is the last
        said = play(text)
        each = [r.I for i in range(1, count + 1) for r in bench.json_rows(said[f"a{i}"], "osmosis")
                if r.id == "P14" and r.I]
        if len(each) != count:
            raise Problem(f"{count - len(each)} of {count} pairs did not end")
        out.append(bench.Row("pairs", f"messages of 1 byte a second, {count} pair{'s' * (count > 1)}, window 16",
                             "osmosis", value=round(count * 2e9 / statistics.median(each)), unit="per second"))
    return out


def kicks() -> list[bench.Row]:
    """Events for each message under load, of all who send any: the front ends of who asks and of who answers,
    for each message of its own, both their back ends, which the fabric has, for each of the two."""
    out = []
    for window in (1, 16):
        few, many = (sends(window, count) for count in KICKED)
        for domain, whose, own in (("n2", "who asks", 1), ("n1", "who answers", 1), ("fabric", "back ends", 2)):
            each = (many[domain] - few[domain]) / (KICKED[1] - KICKED[0]) / own
            out.append(bench.Row("kicks", f"a message of 64 bytes, {window} in flight: {whose}", "osmosis",
                                 value=round(each, 4), unit="kicks"))
    return out


def cycles() -> list[bench.Row]:
    """P12 in time: what the counter of this host's cycles says, the least of several runs."""
    pair = "clock = \"real\"\nfor = \"100s\"\nuntil = \"exit a\"\ntrace = false\n" + f"[media.net]\n{FAST}"
    pair += node("a", "+kernel +machine netbench 2 P12", "net") + node("b", "netbench host", "net")
    least = min(measured(pair, "a", "P12", "real") for _ in range(TIMED))
    return [bench.Row("P12w", goals.BY_ID["P12w"].name, "osmosis", value=round(least), unit="cycles", n=TIMED)]


def grants() -> list[bench.Row]:
    """A round trip between two vifs over the fabric, whose buffers stay mapped, or are copied by the hypervisor
    each time: what splitdrv chooses between."""
    out = []
    for size in GRANTED:
        for lent, how in ((1, "lent for good"), (0, "by grant copies")):
            way = f"persistent={lent}"
            found = TICKS.search(play(pinged(way, f"count={PINGS} size={size} {way}"))["n2"])
            if not found:
                raise Problem(f"netping did not end with messages of {size} bytes, {how}")
            out.append(bench.Row("grants", f"round trip of {size} bytes over two vifs, buffers {how}", "osmosis",
                                 I=float(found[1]), n=PINGS))
    return out


def pinged(answers: str, asks: str) -> str:
    """A cluster of two domains of netping."""
    text = HEAD.format(until='until = "exit n2"') + f"[media.net]\n{FAST}"
    return text + "".join(f'[nodes.n{i}]\nimage = "netping"\nmedia = ["net"]\ncmdline = "{words}"\n'
                          for i, words in ((1, answers), (2, f"peer=1 {asks}")))


def windows() -> list[bench.Row]:
    """DN15: what a window of so many messages lets through on a way of 10 ms there and back."""
    out = []
    for window in WINDOWS:
        asks = f"count={60 * window} size=64 stream={2 * window} window={window}"
        found = EACH_NS.search(play(pinged("", asks).replace(FAST, FAR))["n2"])
        if not found:
            raise Problem(f"netping did not end with a window of {window}")
        out.append(bench.Row("DN15", f"messages a second, 10 ms there and back, window {window}", "osmosis",
                             value=round(1e9 / int(found[1]), 1), unit="per second"))
    return out


def sends(window: int, count: int) -> dict[str, int]:
    """Events that each domain has sent by the time that so many messages are answered."""
    text = pinged("", f"count={count} size=64 stream={window}")
    outcome = bench_run.played(cluster.parse(text, "bench"), "bench")
    return {one["name"]: one["sends"] for one in outcome.result.used}


def flood(words: str, until: str = "") -> str:
    """A cluster where n2 sends packets to n1 as fast as the rings take them; what n1 is told."""
    return HEAD.format(until=until) + f"[media.net]\n{FAST}" + "".join(
        f'[nodes.n{i}]\nimage = "netflood"\nmedia = ["net"]\ncmdline = "{line}"\n'
        for i, line in ((1, words), (2, "to=1")))


def packets() -> list[bench.Row]:
    """What a packet without anything above it takes from one ring to another, all told."""
    said = play(flood("", 'until = "exit n1"'))["n1"]
    found = FLOOD.search(said)
    if not found:
        raise Problem(f"packets did not arrive as they were sent: {said[-200:]}")
    return [bench.Row("P36", "64-byte packet, ring to ring", "osmosis", I=round(int(found[2]) / int(found[1]), 1),
                      n=int(found[1]))]


def rows() -> list[bench.Row]:
    return goodput() + hops() + pairs() + kicks() + grants() + windows() + cycles() + packets()
