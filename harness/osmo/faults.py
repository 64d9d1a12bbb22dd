# SPDX-License-Identifier: BSD-2-Clause
"""Faults by name: what each takes, which invariant must survive it, how a plan begins and ends it.

A fault of a medium goes to the fabric in its own words (`fault MEDIUM WORDS`, lifted by
`off`); one of a node becomes commands of the plan language, one of a disk a number in the
store, where the disk domain reads it.
"""

import dataclasses
import re
from collections.abc import Callable

from osmo import media_words, plan_words, units
from osmo.words import condition

DIRECTION = re.compile(r"[^\s>]+>[^\s>]+")
RATE_LEAST, RATE_MOST = -990000, 9000000  # of clocks: hyp/abi/osmosis.h


@dataclasses.dataclass(frozen=True)
class FaultKind:
    """`words` shows the parameters; `begin` and `end` make commands for object and words."""

    id: str
    target: str
    words: str
    about: str
    survives: str
    begin: Callable[[str, list[str]], list[str]]
    end: Callable[[str, list[str]], list[str]]
    least: int = 0
    most: int = 9


def _medium(name: str, words: list[str]) -> list[str]:
    return [f"fault {name} {' '.join(words)}"]


def _lift(name: str, words: list[str]) -> list[str]:
    direction = [w for w in words[1:] if DIRECTION.fullmatch(w)]
    return [" ".join([f"fault {name} {words[0]} off", *direction])]


def _heal(name: str, words: list[str]) -> list[str]:
    direction = [w for w in words[1:] if DIRECTION.fullmatch(w)]
    return [" ".join([f"fault {name} heal", *direction])]


def _reset(name: str, words: list[str]) -> list[str]:
    return [f"fault {name} {words[0]} 0"]


def _nothing(_name: str, _words: list[str]) -> list[str]:
    return []


def _command(form: str) -> Callable[[str, list[str]], list[str]]:
    def make(name: str, words: list[str]) -> list[str]:
        return [form.format(name=name, first=words[1] if len(words) > 1 else "",
                            rest=" ".join(words[1:]))]
    return make


def _slow(name: str, words: list[str]) -> list[str]:
    return [f"sched {name} cap={words[1].rstrip('%')}"]


def _inject(point: str) -> Callable[[str, list[str]], list[str]]:
    def make(name: str, words: list[str]) -> list[str]:
        return [" ".join([f"inject {name} point={point}", *words[1:]])]
    return make


def _disarm(point: str) -> Callable[[str, list[str]], list[str]]:
    def make(name: str, _words: list[str]) -> list[str]:
        return [f"inject {name} point={point} after=0"]
    return make


def _link(fid: str, words: str, about: str, survives: str = "loss duplicate order liveness",
          end: Callable[[str, list[str]], list[str]] = _lift, least: int = 1) -> FaultKind:
    return FaultKind(fid, "medium", words, about, survives, _medium, end, least)


def _point(fid: str, point: str, about: str, survives: str) -> FaultKind:
    return FaultKind(fid, "node", "after=N [every=N] [arg=N]", about, survives,
                     _inject(point), _disarm(point), 1)


def _disk(what: str, number: Callable[[str], int] | None, words: str, about: str, survives: str) -> FaultKind:
    def begin(name: str, given: list[str]) -> list[str]:
        return [f"write /osmosis/disk/{name}/fault/{what} {number(given[1]) if number else 1}"]

    def end(name: str, _given: list[str]) -> list[str]:
        return [f"write /osmosis/disk/{name}/fault/{what} 0"]
    return FaultKind("F24", "disk", words, about, survives, begin, end, len(words.split()), len(words.split()))


def _signed(text: str, read: Callable[[str], int]) -> int:
    """A number that may have a sign in front."""
    return -read(text[1:]) if text.startswith("-") else read(text.removeprefix("+"))


def step_ns(words: list[str]) -> int:
    """How far `skew` moves a clock."""
    return _signed(words[1], units.time_ns)


def step_command(name: str, step: int) -> str:
    return f"clock {name} step={'-' if step < 0 else ''}{units.show_time(abs(step))}"


def _skew(back: bool) -> Callable[[str, list[str]], list[str]]:
    def make(name: str, words: list[str]) -> list[str]:
        return [step_command(name, -step_ns(words) if back else step_ns(words))]
    return make


def _strobe(name: str, words: list[str]) -> list[str]:
    strobe_steps(words, 0, 1)
    return [step_command(name, step_ns(words))]


STROBE, STROBES = "strobe", 400  # and how many steps a plan has of one


def strobe_steps(words: list[str], at_ns: int, for_ns: int) -> list[tuple[int, int]]:
    """When `strobe` steps a clock and how far: ahead and back in turns, in the end back."""
    step, period = step_ns(words), units.time_ns(words[2])
    if not period or for_ns // period > STROBES:
        raise ValueError(f"`{' '.join(words)}` for {units.show_time(for_ns)} is more than {STROBES} steps")
    turns = [(at_ns + n * period, -step if n % 2 else step) for n in range(for_ns // period)]
    return turns + ([(at_ns + for_ns, -step)] if len(turns) % 2 else [])


def _drift(name: str, words: list[str]) -> list[str]:
    rate = _signed(words[1], _millionths)
    if not RATE_LEAST <= rate <= RATE_MOST:
        raise ValueError(f"`{words[1]}` is no rate, which is from {RATE_LEAST} to {RATE_MOST}")
    return [f"clock {name} rate={rate}"]


def _squeeze(name: str, words: list[str]) -> list[str]:
    return [f"memory {name} {units.show_size(units.size_bytes(words[1]))}"]


def _millionths(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"`{text}` is no rate, which is in millionths, such as 500 or -200000")
    return int(text)


def _parts(text: str) -> int:
    """A probability in parts of 2^32, of which the disk domain knows no more than all but one."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError(f"`{text}` is no probability, which is from 0 to 1")
    return min(round(value * 2**32), 2**32 - 1)


FOE = "foe"  # the image of nodes that misbehave: splitdrv/foe


def _deed(fid: str, what: str, about: str) -> FaultKind:
    """A node of the image `foe` begins to do so to its back end."""
    return FaultKind(fid, "node", "", about, "loss duplicate order isolation leak liveness",
                     _command(f"write /local/domain/{{{{{{name}}}}}}/data/misbehave {what}"),
                     _command("write /local/domain/{{{name}}}/data/misbehave nothing"), 0, 0)


KINDS: dict[str, FaultKind] = {
    "loss": _link("F01", "P [A>B]", "each frame is lost with probability P"),
    "burst": _link("F01", "PBAD PGOOD [A>B]", "losses come in bursts (Gilbert-Elliott)", least=2),
    "drop": _link("F01", "N A>B", "the N-th frame from A to B is lost", least=2),
    "duplicate": _link("F02", "P [TIME] [A>B]", "a frame arrives again, TIME later"),
    "reorder": _link("F03", "P TIME [A>B]", "a frame is overtaken by those of the next TIME", least=2),
    "corrupt": _link("F04", "P [BITS] [A>B]", "BITS bits of a frame are flipped"),
    "truncate": _link("F04", "P [A>B]", "a frame loses its end"),
    "pad": _link("F04", "P [A>B]", "a frame gains junk behind it"),
    "biterror": _link("F04", "P [A>B]", "each bit is flipped with probability P"),
    "delay": _link("F05", "TIME [A>B]", "every frame takes TIME longer"),
    "jitter": _link("F05", "TIME [A>B]", "every frame takes up to TIME longer"),
    "stall": _link("F05", "TIME", "the medium stands still, then delivers all at once", end=_nothing),
    "rate": _link("F05", "BYTES", "bytes a second from now on", end=_reset),
    "queue": _link("F05", "BYTES", "room for waiting frames", end=_reset),
    "cut": _link("F06", "A>B or A", "nothing passes", end=_heal),
    "partition": _link("F06", "A,B|C,D", "the two sides do not hear each other", end=_heal),
    "flap": _link("F06", "TIME A>B", "the way goes down and up each TIME", least=2),
    "crash": FaultKind("F11", "node", "", "the node stops for good, between two instructions",
                       "order isolation liveness", _command("destroy {name}"), _nothing, 0, 0),
    "restart": FaultKind("F13", "node", "", "the node starts anew, with a new epoch",
                         "order duplicate isolation liveness", _command("reboot {name}"), _nothing, 0, 0),
    "kill": FaultKind("F11", "node", "PROGRAM [N]", "the node's N-th process (from 1) that runs PROGRAM ends",
                      "duplicate order isolation leak",
                      _command("write /local/domain/{{{name}}}/data/kill {rest}"), _nothing, 1, 2),
    "snapshot": FaultKind("F12", "node", "", "the node's state is written down, and it goes on",
                          "loss duplicate order liveness", _command("snapshot {name}"), _nothing, 0, 0),
    "save": FaultKind("F12", "node", "", "the node's state is written down and it is gone, in the end goes on "
                      "from there", "loss duplicate order liveness", _command("snapshot {name} then=destroy"),
                      _command("restore {name}"), 0, 0),
    "restore": FaultKind("F13", "node", "", "the node begins anew, with a new epoch, in the state last written "
                         "down", "order duplicate isolation liveness", _command("restore {name}"), _nothing, 0, 0),
    "pause": FaultKind("F12", "node", "", "the node does nothing for a while",
                       "loss duplicate order liveness", _command("pause {name}"),
                       _command("unpause {name}"), 0, 0),
    "slow": FaultKind("F12", "node", "PERCENT", "the node gets PERCENT of a processor",
                      "loss duplicate order liveness", _slow, _command("sched {name} cap=0"), 1, 1),
    "skew": FaultKind("F25", "node", "[-]TIME", "the node's clock is set TIME ahead (-: back), in the "
                      "end set back", "loss duplicate order liveness", _skew(False), _skew(True), 1, 1),
    "strobe": FaultKind("F25", "node", "[-]TIME PERIOD", "each PERIOD the node's clock is set TIME ahead (-: "
                        "back) or back again", "loss duplicate order liveness", _strobe, _skew(True), 2, 2),
    "drift": FaultKind("F25", "node", "[-]MILLIONTHS", "the node's clock goes so much too fast (-: slow)",
                       "loss duplicate order liveness", _drift, _command("clock {name} rate=0"), 1, 1),
    "freeze": FaultKind("F25", "node", "", "the node's clock stands still, in the end goes on from there",
                        "loss duplicate order liveness", _command("clock {name} rate=-1000000"),
                        _command("clock {name} rate=0"), 0, 0),
    "squeeze": FaultKind("F16", "node", "SIZE", "the node has to do with SIZE of memory, in the end gets it back",
                         "loss duplicate order isolation leak", _squeeze, _command("memory {name}"), 1, 1),
    "unplug": FaultKind("F07", "node", "N", "the node's N-th interface (from 0) is taken away, in the end "
                        "plugged in again", "loss duplicate order liveness",
                        _command("unplug vif {name} {first}"), _command("plug vif {name} {first}"), 1, 1),
    "hang": FaultKind("F08", "control", "TIME", "the control domain does nothing: no store, no consoles",
                      "loss duplicate order liveness", _command("sleep {first}"), _nothing, 1, 1),
    "lose_upcall": _point("F10", "lose_upcall", "an event is not delivered", "isolation liveness"),
    "late_upcall": _point("F10", "late_upcall", "an event comes arg ns late", "loss order liveness"),
    "spurious_upcall": _point("F10", "spurious_upcall", "an event that nobody sent", "loss order liveness"),
    "preempt": _point("F15", "preempt", "the processor is taken away at a chosen place",
                      "loss duplicate order"),
    "fail_frame": _point("F16", "fail_frame", "an allocation of memory fails", "isolation leak"),
    "fail_grant": _point("F16", "fail_grant", "a grant operation fails", "isolation leak"),
    "fail_port": _point("F16", "fail_port", "an event channel cannot be had", "isolation leak"),
    "fail_domain": _point("F16", "fail_domain", "a domain cannot be created", "isolation leak"),
    "exception": _point("F17", "exception", "an exception out of nowhere", "isolation"),
    "flip": _point("F26", "flip", "a bit of the node's memory flips", "isolation"),
    "foe-index": _deed("F18", "index", "a foe's ring: the producer's index jumps, back or beyond the ring"),
    "foe-rewrite": _deed("F19", "rewrite", "a foe's ring: requests change while they are read"),
    "foe-request": _deed("F20", "request", "a foe's ring: chains too long, sizes and places that cannot be"),
    "foe-hoard": _deed("F21", "hoard",
                       "a foe's ring: it lends one page for all that arrives, and takes none back"),
    "foe-grant": _deed("F22", "grant", "a foe's pages: taken back while in use, lent again to read only"),
    "foe-store": _deed("F23", "store",
                       "a foe's store: nonsense of its device, nodes and transactions without end"),
    "foe-events": _deed("F27", "events", "a foe's events: storms, and by ports that are not its own"),
    "disk-error": _disk("error", _parts, "P", "a request fails, and nothing of it is done", "isolation leak"),
    "disk-torn": _disk("torn", _parts, "P", "a write fails after some of its sectors", "isolation leak"),
    "disk-lost": _disk("lost", _parts, "P", "a write is answered as done, and is not", "isolation leak"),
    "disk-misdirected": _disk("misdirected", _parts, "P", "a write is answered as done, and is at another place",
                              "isolation leak"),
    "disk-stale": _disk("stale", _parts, "P", "a read brings what was there before the latest write, since the "
                        "fault began", "isolation leak"),
    "disk-delay": _disk("delay", units.time_ns, "TIME", "every request takes TIME longer",
                        "isolation leak liveness"),
    "disk-powercut": _disk("powercut", None, "", "writes stay in a cache until a flush or 248 later sectors; in "
                           "the end the power fails, and what is still there is lost", "isolation leak"),
    "disk-full": _disk("full", None, "", "every write fails", "isolation leak"),
    "store": FaultKind("F23", "store", "fail|delay|lose after=N [every=N] [by=TIME]",
                       "the xenstore answers wrong, late or not at all", "isolation leak",
                       _command("store-fault point={rest}"),
                       _command("store-fault point={first} after=0"), 2),
}


# The back ends' domain stands still or is slow: F08; it dies and comes back: F09.
FABRIC, CONTROL = "fabric", "control"
OF_THE_FABRIC = ("restart", "pause", "slow", "preempt", "lose_upcall", "late_upcall", "spurious_upcall")


def parse(do: str, target: str) -> tuple[FaultKind, list[str]]:
    """The kind and its words; ValueError says what would be right."""
    words = do.split()
    kind = KINDS.get(words[0]) if words else None
    if kind is None or kind.target != target:
        known = ", ".join(name for name, k in KINDS.items() if k.target == target)
        raise ValueError(f"`{do}` is no fault of a {target}; known: {known}")
    if not kind.least <= len(words) - 1 <= kind.most:
        raise ValueError(f"`{do}`: say `{words[0]} {kind.words}`".replace(" `", "`") if not kind.words
                         else f"`{do}`: say `{words[0]} {kind.words}`")
    if target == "medium":
        media_words.check(words, kind.words)
    elif target == "disk" or kind.id == "F25" or words[0] == "squeeze":
        kind.begin("", words)  # which reads their numbers
    else:
        plan_words.check(words, kind.words)
    return kind, words


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault of a plan, with times made absolute or a condition in their place."""

    do: str
    target: str
    name: str
    at_ns: int | None
    for_ns: int | None = None
    after: str = ""

    @property
    def id(self) -> str:
        if self.target != "node" or self.name != FABRIC:
            return self.kind.id
        return "F09" if self.do == "restart" else "F08"

    @property
    def kind(self) -> FaultKind:
        return parse(self.do, self.target)[0]

    def lines(self) -> list[str]:
        """Lines of the plan language. A condition's end cannot be timed, so it has none."""
        kind, words = parse(self.do, self.target)
        if words[0] == STROBE:
            return [f"at {units.show_time(ns)} {step_command(self.name, step)}"
                    for ns, step in strobe_steps(words, self.at_ns or 0, self.for_ns or 0)]
        when = f"when {condition(self.after)}" if self.after else f"at {units.show_time(self.at_ns or 0)}"
        lines = [f"{when} {command}" for command in kind.begin(self.name, words)]
        if self.for_ns is not None and self.at_ns is not None:
            end = units.show_time(self.at_ns + self.for_ns)
            lines += [f"at {end} {command}" for command in kind.end(self.name, words)]
        return lines

    def text(self) -> str:
        when = f"after {self.after}" if self.after else f"at {units.show_time(self.at_ns or 0)}"
        lasting = f" for {units.show_time(self.for_ns)}" if self.for_ns is not None else ""
        return f"{when}{lasting}: {self.target} {self.name}: {self.do}"
