# SPDX-License-Identifier: BSD-2-Clause
"""A cluster file taken in: nodes one by one, media, faults, what is expected.

`load` checks everything that can be checked without starting anything; each Problem names
the file, the key and what would be right. schema.py has the table of keys.
"""

import dataclasses
import itertools
import pathlib
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from osmo import disks, faults, keyed, linux, media_words, outside, paths, schema, units
from osmo.errors import Problem
from osmo.faults import Fault
from osmo.schema import FAULTS_MOST
from osmo.words import moment, names

NODE_MEMORY = {"x86": 8 << 20, "z8000": 16 << 20, "linux": 128 << 20, "foreign": 64 << 20}
HIT = {"medium": "media", "node": "nodes", "disk": "disks"}  # keys of `random`
BLOCKS = (1088, 65535)  # what a medium's largest frame can be
SAID = "harness/README.md has what each fault is and what it takes"
EVERY_LEAST = 10**5  # ns between random faults
NETWORK_OUTPUT = 64  # MiB of what a run with media says
FILE_MOST = 16 << 20  # bytes of a cluster file
EXAMPLE = "name a cluster file, such as harness/clusters/hello.toml"
TOUCHED = 1 << 20  # what the machine has for each node whose memory is not set aside
MANY, KEPT = 2000, 32 << 10  # nodes that the control domain keeps anyway, and what it keeps of each more


@dataclasses.dataclass(frozen=True)
class Medium:
    name: str
    kind: str
    rate: int | None
    latency: int | None
    queue: int | None
    block: int | None
    direct: bool
    capture: bool
    outside: str | None
    recorder: str | None


@dataclasses.dataclass(frozen=True)
class Disk:
    """One disk of a node: the content of a file, the file itself (`keep`), or `bytes` of nothing."""

    name: str
    file: pathlib.Path | None
    bytes: int
    readonly: bool
    keep: bool


@dataclasses.dataclass(frozen=True)
class Node:
    """One node; `number` is its machine number in the DEMOS network, from 1, `count` how many are of its kind."""

    name: str
    number: int
    count: int
    machine: str
    image: str | None
    memory: int
    overcommit: bool
    cpus: int | None
    media: list[str]
    programs: list[str]
    bundle: list[str]
    cmdline: str
    kernel: str | None
    initrd: str | None
    disks: list[Disk]
    bystander: bool
    weight: int | None
    cap: int | None
    on_crash: str

    def vcpus(self, clock: str) -> int:
        """A Z8000 node's user processor has one to itself in clock `real`."""
        if self.machine != "z8000":
            return self.cpus or 1
        if clock != "real" and (self.cpus or 1) > 1:
            raise Problem(f"nodes.{self.name}.cpus = {self.cpus}: a Z8000 node has one in clock `{clock}`, where "
                          "its processors take turns by emulated cycles", "leave it out, or say --clock real")
        return self.cpus or (2 if clock == "real" else 1)

    def mac(self, device: int) -> str:
        """Device 0 carries the node's number; further ones set bits nobody else uses."""
        return f"02:05:{device:02x}:00:{self.number >> 8:02x}:{self.number & 255:02x}"


@dataclasses.dataclass(frozen=True)
class Expect:
    output: dict[str, str]
    exit: dict[str, str]
    invariants: list[str] | None
    heal_ns: int


@dataclasses.dataclass(frozen=True)
class Cluster:
    path: str
    name: str
    clock: str
    first: int
    seed: int
    for_ns: int
    until: str
    memory: int | None
    cpus: int
    trace: bool
    nodes: list[Node]
    media: list[Medium]
    faults: list[Fault]
    random: dict[str, Any] | None
    expect: Expect
    about: str = ""

    def node(self, name: str) -> Node:
        return next(n for n in self.nodes if n.name == name)

    def medium(self, name: str) -> Medium:
        return next(m for m in self.media if m.name == name)

    def attached(self, medium: str) -> list[Node]:
        return [n for n in self.nodes if medium in n.media]

    def carried(self) -> list[Medium]:
        """Media that somebody is attached to and that need the fabric, whose records number them from 1."""
        return [m for m in self.media if not m.direct and (m.outside or self.attached(m.name))]

    def all_faults(self, seed: int) -> list[Fault]:
        """The file's own and those drawn from the seed, in the order of time."""
        drawn = draw(self, seed) if self.random else []
        return sorted(self.faults + drawn, key=lambda f: (f.at_ns or 0, f.target, f.name, f.do))


def load(path: pathlib.Path, counts: dict[str, int] | None = None) -> Cluster:
    """Reads and checks a cluster file; `counts` says how many nodes of a name there are to be."""
    try:
        with path.open("rb") as file:
            given = file.read(FILE_MOST + 1)
        if len(given) > FILE_MOST:
            raise Problem(f"is larger than {units.show_size(FILE_MOST)}", EXAMPLE, str(path))
        text = given.decode("utf-8-sig")
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}", EXAMPLE) from None
    except UnicodeDecodeError as error:
        raise Problem(f"is no text in UTF-8, by its byte {error.start}", EXAMPLE, str(path)) from None
    return parse(text.replace("\r\n", "\n"), str(path), counts)


def parse(text: str, where: str = "cluster", counts: dict[str, int] | None = None) -> Cluster:
    try:
        given = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # what Python cannot hold is told by these, too
        raise Problem(f"not TOML: {error}", "see harness/clusters/ for examples", where) from None
    return _Loader(_counted(given, counts or {}, where), where).cluster()


def _counted(given: dict[str, Any], counts: dict[str, int], where: str) -> dict[str, Any]:
    """The file with other numbers of nodes."""
    nodes = given.get("nodes")
    for name, count in counts.items():
        if not isinstance(nodes, dict) or not isinstance(nodes.get(name), dict):
            raise Problem(f"--count {name}={count}: there is no [nodes.{name}]",
                          f"known: {', '.join(nodes) if isinstance(nodes, dict) else 'none'}", where)
        nodes[name]["count"] = count
    return given


class _Loader:
    """Goes through one file; holds what later parts need of earlier ones."""

    def __init__(self, given: dict[str, Any], where: str) -> None:
        self.where = where
        self.given = given

    def problem(self, what: str, remedy: str) -> Problem:
        return Problem(what, remedy, self.where)

    def take(self, table: dict[str, schema.Field], given: Any, path: str) -> dict[str, Any]:
        return schema.take(table, given, self.where, path)

    def cluster(self) -> Cluster:
        tables = ("nodes", "media", "faults", "random", "expect")
        top = {k: v for k, v in self.given.items() if k not in tables}
        values = self.take({**schema.CLUSTER, **{t: schema.Field(schema.TEXTS, "") for t in tables}},
                           top, "")
        media = self._media(self.given.get("media", {}))
        nodes = self._nodes(self.given.get("nodes"), {m.name: m for m in media}, values["first"])
        self._direct(media, nodes)
        self._hosted(media, nodes)
        random = self._random(nodes, media)
        self._condition(values["until"], "until", nodes)
        if values["until"] and any(n.bystander for n in nodes):
            raise self.problem("until with bystanders", "say only for =: their memory is compared at one time")
        return Cluster(
            path=self.where, name=values["name"] or pathlib.Path(self.where).stem,
            clock=values["clock"], first=values["first"], seed=values["seed"], for_ns=values["for"],
            until=values["until"] or "",
            memory=values["memory"], cpus=values["cpus"], trace=values["trace"],
            nodes=nodes, media=media, faults=self._faults(nodes, media), random=random,
            expect=self._expect(nodes, media), about=values["about"])

    def _media(self, given: Any) -> list[Medium]:
        if not isinstance(given, dict):
            raise self.problem("media is not a table", "write [media.NAME]")
        media = [Medium(name=self._named(name, "media"),
                        **self.take(schema.MEDIUM, one, f"media.{name}"))
                 for name, one in given.items()]
        for m in media:
            self._outside(m)
            if m.block is not None and not BLOCKS[0] <= m.block <= BLOCKS[1]:
                raise self.problem(f"media.{m.name}.block = {m.block}", f"{BLOCKS[0]} to {BLOCKS[1]} bytes")
        if sum(m.outside is not None for m in media) > outside.MOST:
            raise self.problem("too many media lead outside", f"at most {outside.MOST}")
        return media

    def _outside(self, medium: Medium) -> None:
        if medium.outside is None:
            return
        if medium.direct:
            raise self.problem(f"media.{medium.name} is direct and leads outside", "leave out direct = true")
        if not outside.WAY.fullmatch(medium.outside):
            raise self.problem(f"media.{medium.name}.outside = \"{medium.outside}\" is no way",
                               "say listen=HOST:PORT, connect=HOST:PORT, udp=HOST:PORT,localaddr=HOST:PORT "
                               "or mcast=GROUP:PORT")

    def _named(self, name: str, table: str) -> str:
        if not schema.NAME.fullmatch(name) or len(name) > 20:
            raise self.problem(f"{table}.{name} is no name",
                               "up to 20 letters, digits, `-`, `_` and `.`")
        return name

    def _nodes(self, given: Any, media: dict[str, Medium], first: int) -> list[Node]:
        if not isinstance(given, dict) or not given:
            raise self.problem("there is no node", "write [nodes.NAME]")
        nodes: list[Node] = []
        for name, one in given.items():
            values = self.take(schema.NODE, one, f"nodes.{self._named(name, 'nodes')}")
            self._check_node(name, values, media)
            count = values.pop("count")
            if first + len(nodes) + (1 if count is None else count) - 1 > schema.NODES_MOST:
                raise self.problem(f"nodes.{name} is one of more than {schema.NODES_MOST} nodes from {first} on",
                                   f"numbers up to {schema.NODES_MOST}")
            names = [name] if count is None else [f"{name}{i}" for i in range(1, count + 1)]
            memory = values.pop("memory") or NODE_MEMORY[values["machine"]]
            disks = values.pop("disk")
            for each in names:
                nodes.append(Node(name=each, number=first + len(nodes), count=len(names), memory=memory,
                                  disks=self._disks(each, disks, f"nodes.{name}.disk"), **values))
        self._distinct([n.name for n in nodes])
        self._kept(nodes)
        return nodes

    def _check_node(self, name: str, values: dict[str, Any], media: dict[str, Medium]) -> None:
        path = f"nodes.{name}"
        for medium in values["media"]:
            if medium not in media:
                raise self.problem(f"{path}.media names `{medium}`, which is no medium",
                                   f"write [media.{medium}]")
        if len(set(values["media"])) != len(values["media"]):
            raise self.problem(f"{path}.media names a medium twice", "one device per medium")
        if values["bystander"] and (values["media"] or values["disk"]):
            raise self.problem(f"{path} is a bystander and has media or disks",
                               "leave one out: what others send it may change it")
        foreign = values["machine"] in ("linux", "foreign")
        if values["kernel"] and not foreign:
            raise self.problem(f"{path}.kernel is for foreign nodes",
                               'say machine = "foreign", or image = for a node of ours')
        if values["machine"] == "foreign" and not values["kernel"]:
            raise self.problem(f"{path}.kernel is missing", "name a PVH kernel's file")
        if (values["kernel"] or values["machine"] == "foreign") and (values["programs"] or values["bundle"]):
            raise self.problem(f"{path}.programs are for DEMOS nodes", "leave them out")
        for program in values["programs"]:
            if not program.strip() or len(program) >= 512 or "\n" in program:
                raise self.problem(f"{path}.programs has a line that is no boot-list line: `{program}`",
                                   "a program and its arguments, shorter than 512 bytes")

    def _disks(self, node: str, given: list[dict[str, Any]], path: str) -> list[Disk]:
        return [self._disk(f"{node}-{number}", one, f"{path}[{number}]" if len(given) > 1 else path)
                for number, one in enumerate(given)]

    def _disk(self, name: str, given: dict[str, Any], path: str) -> Disk:
        values = self.take(schema.DISK, given, path)
        if len(name) > disks.NAME_MOST:
            raise self.problem(f"{path} is called {name}", f"{disks.NAME_MOST} letters at most")
        if (values["file"] is None) == (values["size"] is None):
            raise self.problem(f"{path} needs a content", "say file = or size =, one of them")
        if values["file"] is None:
            file, size = None, values["size"]
        else:
            file = pathlib.Path(self.where).parent / values["file"]
            if not paths.there(file):
                raise self.problem(f"{path}.file: {file} is not there",
                                   "name a raw image, relative to the cluster file, or say size =")
            size = file.stat().st_size
        if not size or size % disks.SECTOR:
            raise self.problem(f"{path} has {size} bytes", f"a multiple of {disks.SECTOR}, more than 0")
        if values["keep"] and file is None:
            raise self.problem(f"{path}.keep needs a file", "say file =, and make it by truncate -s SIZE FILE")
        return Disk(name, file, size, values["readonly"], values["keep"])

    def _kept(self, nodes: list[Node]) -> None:
        """Files that are written have one writer, and the machine has so many places."""
        kept = [d for n in nodes for d in n.disks if d.keep]
        if len(kept) > disks.KEPT_MOST:
            raise self.problem(f"{len(kept)} disks are kept", f"at most {disks.KEPT_MOST}")
        files = [d.file.resolve() for d in kept if d.file]
        for disk in kept:
            if disk.file and files.count(disk.file.resolve()) > 1:
                raise self.problem(f"two disks keep {disk.file}", "each kept disk has a file of its own")

    def _distinct(self, names: list[str]) -> None:
        twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
        if twice:
            raise self.problem(f"two nodes are called {twice[0]}", "name them apart")
        for reserved in ("fabric", "control", "disks"):
            if reserved in names:
                raise self.problem(f"a node cannot be called {reserved}", "that name is taken")

    def _direct(self, media: list[Medium], nodes: list[Node]) -> None:
        for medium in media:
            ends = sum(medium.name in n.media for n in nodes)
            if medium.direct and ends != 2:
                raise self.problem(f"media.{medium.name}.direct has {ends} ends",
                                   "a direct medium joins exactly two nodes")
            strangers = [n.name for n in nodes if medium.name in n.media and n.machine in ("linux", "foreign")]
            if medium.direct and strangers:
                raise self.problem(f"media.{medium.name} is direct, and {strangers[0]} is no DEMOS node",
                                   "leave out direct = true")
            if medium.kind in ("parallel", "serial") and ends > 2:
                raise self.problem(f"media.{medium.name} is a {medium.kind} line with {ends} ends",
                                   "a line joins two nodes")
            if medium.recorder and medium.recorder not in [n.name for n in nodes]:
                raise self.problem(f"media.{medium.name}.recorder names `{medium.recorder}`",
                                   "name a node")

    def _hosted(self, media: list[Medium], nodes: list[Node]) -> None:
        """DEMOS nodes in Linux take frames as large as its interfaces do."""
        for medium in media:
            if not any(linux.hosts(n) and medium.name in n.media for n in nodes):
                continue
            if medium.direct or (medium.block or linux.BLOCK) > linux.BLOCK:
                raise self.problem(f"media.{medium.name} has a DEMOS node in Linux on it",
                                   f"leave out direct = true, and block = beyond {linux.BLOCK}")

    def _faults(self, nodes: list[Node], media: list[Medium]) -> list[Fault]:
        given = self.given.get("faults", [])
        if not isinstance(given, list):
            raise self.problem("faults is not a list", "write [[faults]]")
        return [self._fault(one, f"faults[{i}]", nodes, media) for i, one in enumerate(given, 1)]

    def _fault(self, given: Any, path: str, nodes: list[Node], media: list[Medium]) -> Fault:
        values = self.take(schema.FAULT, given, path)
        if sum(bool(values[target]) for target in ("medium", "node", "disk")) > 1:
            raise self.problem(f"{path} names several things", "a medium, a node or a disk, one of them")
        if (values["at"] is None) == (not values["after"]):
            raise self.problem(f"{path} needs a beginning", "say at = or after =, one of them")
        if values["after"] and values["for"] is not None:
            raise self.problem(f"{path}.for cannot follow `after`", "a second fault can end it")
        target, name = self._target(values, path, nodes, media)
        try:
            faults.parse(values["do"], target)
        except ValueError as wrong:
            raise self.problem(f"{path}.do: {wrong}", SAID) from None
        self._can_have(values["do"], target, name, path, nodes, media)
        self._strobes(values["do"], values["for"], path)
        self._condition(values["after"], f"{path}.after", nodes)
        return Fault(values["do"], target, name, values["at"], values["for"], values["after"] or "")

    def _can_have(self, do: str, target: str, name: str, path: str, nodes: list[Node],
                  media: list[Medium]) -> None:
        """What a fault needs of that medium, node or disk."""
        words = do.split()
        if target == "node" and name == faults.FABRIC:
            if words[0] not in faults.OF_THE_FABRIC:
                raise self.problem(f"{path}: the fabric cannot have `{do}`",
                                   f"it can have {', '.join(faults.OF_THE_FABRIC)}")
            return
        if target == "medium":
            self._on_medium(do, next(m for m in media if m.name == name), path, nodes)
        self._pluggable(words, name, path, nodes)
        self._squeezable(words, name, path, nodes)
        self._savable(words, name, path, nodes)
        if words[0] == "kill" and not next(n.programs for n in nodes if n.name == name):
            raise self.problem(f"{path}: {name} has no programs to kill", "name a DEMOS node")
        if words[0].startswith("foe-") and next(n.image for n in nodes if n.name == name) != faults.FOE:
            raise self.problem(f"{path}: {name} is no foe", f'say image = "{faults.FOE}" for that node')

    def _strobes(self, do: str, for_ns: int | None, path: str) -> None:
        """A clock that goes to and fro does so for a time, not too often."""
        words = do.split()
        if words[0] != faults.STROBE:
            return
        if for_ns is None:
            raise self.problem(f"{path} has no end", "say for =, and at =")
        try:
            faults.strobe_steps(words, 0, for_ns)
        except ValueError as wrong:
            raise self.problem(f"{path}: {wrong}", "say a longer PERIOD, or a shorter time") from None

    def _pluggable(self, words: list[str], name: str, path: str, nodes: list[Node]) -> None:
        """`unplug` names an interface that there is."""
        if words[0] != "unplug":
            return
        media: list[str] = next((n.media for n in nodes if n.name == name), [])
        if not words[1].isdecimal() or int(words[1]) >= len(media):
            raise self.problem(f"{path}: {name} has no interface {words[1]}",
                               f"it has {len(media)}, numbered from 0 in the order of its media")

    def _squeezable(self, words: list[str], name: str, path: str, nodes: list[Node]) -> None:
        """`squeeze` leaves less than there was, of a node that gives memory back."""
        if words[0] != "squeeze":
            return
        node = next(n for n in nodes if n.name == name)
        if node.machine not in ("x86", "linux") or node.image:
            raise self.problem(f"{path}: {name} gives no memory back", "name a DEMOS node on x86, or a Linux")
        if units.size_bytes(words[1]) >= node.memory:
            raise self.problem(f"{path}: {name} has no more than {words[1]}",
                               f"less than its memory, {units.show_size(node.memory)}")

    def _savable(self, words: list[str], name: str, path: str, nodes: list[Node]) -> None:
        """Who can be suspended."""
        node = next((n for n in nodes if n.name == name), None)
        if words[0] in ("snapshot", "save", "restore") and (node is None or node.machine != "x86" or node.image):
            raise self.problem(f"{path}: {name} cannot be suspended", "name a DEMOS node on x86")

    def _on_medium(self, do: str, medium: Medium, path: str, nodes: list[Node]) -> None:
        """Whom the fault names has a port there."""
        known = [n.name for n in nodes if medium.name in n.media] + ([outside.PORT] if medium.outside else [])
        for port in media_words.ports(do.split()):
            if port not in known:
                raise self.problem(f"{path}.do: `{port}` is not on medium {medium.name}",
                                   f"known: {', '.join(known[:12])}")

    def _target(self, values: dict[str, Any], path: str, nodes: list[Node],
                media: list[Medium]) -> tuple[str, str]:
        if values["medium"]:
            found = [m for m in media if m.name == values["medium"]]
            if not found:
                raise self.problem(f"{path}.medium names `{values['medium']}`, which is no medium",
                                   f"known: {', '.join(m.name for m in media) or 'none'}")
            if found[0].direct:
                raise self.problem(f"{path}: medium {found[0].name} is direct and has no faults",
                                   "leave out direct = true")
            return "medium", found[0].name
        if values["node"] == faults.CONTROL:
            return "control", faults.CONTROL
        if values["node"]:
            # Where media are, the domain that carries them can be stalled like a node.
            fabric = [faults.FABRIC] if any(not m.direct for m in media) else []
            if values["node"] not in [n.name for n in nodes] + fabric:
                raise self.problem(f"{path}.node names `{values['node']}`, which is no node",
                                   f"known: {', '.join(n.name for n in nodes[:12])}")
            return "node", str(values["node"])
        if values["disk"]:
            self._known_disk(values["disk"], f"{path}.disk", nodes)
            return "disk", str(values["disk"])
        return "store", ""

    def _known_disk(self, name: str, path: str, nodes: list[Node]) -> None:
        known = [d.name for n in nodes for d in n.disks]
        if name not in known:
            raise self.problem(f"{path} names `{name}`, which is no disk",
                               f"known: {', '.join(known[:12]) or 'none, give a node disk ='}")

    def _condition(self, after: str | None, path: str, nodes: list[Node]) -> None:
        if not after:
            return
        words = after.split(None, 2)
        if not words:
            raise self.problem(f"{path} is blank", "leave it out, or say `exit NODE` or another condition")
        known = {n.name for n in nodes if words[0] != "trace" or n.machine in ("x86", "z8000")}
        try:
            good = moment(after) is not None
        except ValueError as wrong:
            raise self.problem(f"{path} = \"{after}\" is no condition", str(wrong)) from None
        good |= (words[0] == "exit" and len(words) == 2 or words[0] == "output" and len(words) == 3)
        if words[0] == "store":
            good = len(words) == 3 and words[1].startswith("/")
            known |= {faults.FABRIC, "disks", "self"}
        if not good or not names(after) <= known:
            raise self.problem(f"{path} = \"{after}\" is no condition",
                               "say `exit NODE`, `output NODE TEXT`, `store PATH VALUE` or `trace NODE EVENT [N] "
                               "[a=N]`, of a node that there is ({NODE} in a path); traces are those of DEMOS "
                               "nodes")

    def _random(self, nodes: list[Node], media: list[Medium]) -> dict[str, Any] | None:
        if "random" not in self.given:
            return None
        values = self.take(schema.RANDOM, self.given["random"], "random")
        if values["media"] is None:
            values["media"] = [m.name for m in media if not m.direct and any(m.name in n.media for n in nodes)]
        for name in list(values["media"] or []):
            if name not in [m.name for m in media if not m.direct]:
                raise self.problem(f"random.media names `{name}`", "name media that can have faults")
            if not any(name in n.media for n in nodes):
                raise self.problem(f"random.media names `{name}`, on which no node is", "leave it out")
        if not values["kinds"] and (values["count"] or values["every"]):
            raise self.problem("random.kinds is empty", "name some, or leave it out for the usual ones")
        fabric = [faults.FABRIC] if any(not m.direct for m in media) else []
        for name in values["nodes"]:
            if name not in [n.name for n in nodes] + fabric:
                raise self.problem(f"random.nodes names `{name}`, which is no node",
                                   f"known: {', '.join([*(n.name for n in nodes[:12]), *fabric])}")
        for name in values["disks"]:
            self._known_disk(name, "random.disks", nodes)
        if values["until"] <= values["from"]:
            raise self.problem("random.until is not after random.from", "say until = a later time")
        if values["every"] is not None and values["every"] < EVERY_LEAST:
            raise self.problem(f"random.every is {units.show_time(values['every'])}", "at least 100us")
        if values["every"] is not None and values["until"] - values["from"] > FAULTS_MOST * values["every"]:
            raise self.problem(f"random.every is {units.show_time(values['every'])} for so long a time",
                               f"at most {FAULTS_MOST} faults on average")
        for do in values["kinds"]:
            self._drawable(do, values, nodes, media)
        return values

    def _drawable(self, do: str, values: dict[str, Any], nodes: list[Node], media: list[Medium]) -> None:
        """It is a fault, and each of those that it may hit can have it."""
        kind = faults.KINDS.get((do.split() or [""])[0])
        if kind is None:
            raise self.problem(f"random.kinds: `{do}` is no fault", f"known: {', '.join(faults.KINDS)}")
        names = candidates(values, do, kind)
        if not names:
            raise self.problem(f"random.kinds: `{do}` needs a {kind.target}",
                               f"name some in random.{HIT[kind.target]}")
        if do == "cut":
            return
        try:
            faults.parse(do, kind.target)
        except ValueError as wrong:
            raise self.problem(f"random.kinds: {wrong}", SAID) from None
        for name in names:
            self._can_have(do, kind.target, name, f"random.kinds: `{do}`", nodes, media)
        self._strobes(do, values["for"], "random.kinds")

    def _expect(self, nodes: list[Node], media: list[Medium]) -> Expect:
        values = self.take(schema.EXPECT, self.given.get("expect", {}), "expect")
        names = {n.name for n in nodes}
        for key in ("output", "exit"):
            for node in values[key]:
                if node not in names:
                    raise self.problem(f"expect.{key}.{node} is no node",
                                       f"known: {', '.join(sorted(names)[:12])}")
        for node, end in values["exit"].items():
            if end not in schema.ENDS:
                raise self.problem(f"expect.exit.{node} = \"{schema.shown(end)}\" is no end",
                                   f"one of {', '.join(schema.ENDS)}")
        for name in values["invariants"] or []:
            if name not in schema.INVARIANTS:
                raise self.problem(f"expect.invariants: `{name}` is unknown",
                                   f"known: {', '.join(schema.INVARIANTS)}")
        judged = values["invariants"]
        if judged is None and (any(m.outside for m in media) or any(map(linux.hosts, nodes))):
            judged = outside.SHOWN
        return Expect(values["output"], values["exit"], judged, values["heal"])


def moments(options: dict[str, Any], seed: int) -> Iterator[tuple[int, int]]:
    """Number and time of each random fault: `count` of them anywhere, or one after the other, `every` so
    often on average. Whole microseconds: a person will read and edit these numbers."""
    def below(number: int, limit: int) -> int:
        return keyed.below(seed, keyed.item("fault time"), number, max(1, limit // 1000)) * 1000

    if options["every"] is None:
        yield from ((n, options["from"] + below(n, options["until"] - options["from"]))
                    for n in range(options["count"]))
        return
    at = options["from"]
    for number in itertools.count():
        at += below(number, 2 * options["every"])
        if at >= options["until"]:
            return
        yield number, at


def candidates(options: dict[str, Any], do: str, kind: faults.FaultKind) -> list[str]:
    """What a random fault of that kind may hit; of control domain and store there is one each."""
    if kind.target not in HIT:
        return [faults.CONTROL if kind.target == "control" else ""]
    of_the_fabric = do.split()[0] in faults.OF_THE_FABRIC
    return [n for n in options[HIT[kind.target]] if n != faults.FABRIC or kind.target != "node" or of_the_fabric]


def draw(cluster: Cluster, seed: int) -> list[Fault]:
    """The random faults of one seed. Each is keyed by its own number: leaving one out, or
    asking for fewer, changes no other."""
    options = cluster.random or {}
    out = []
    for number, at in moments(options, seed):
        def pick(what: str, limit: int, number: int = number) -> int:
            return keyed.below(seed, keyed.item("fault " + what), number, limit)

        do = options["kinds"][pick("kind", len(options["kinds"]))]
        kind = faults.KINDS[do.split()[0]]
        names = candidates(options, do, kind)
        name = names[pick("target", len(names))]
        if do == "cut":
            ports = [n.name for n in cluster.attached(name)]
            do = f"cut {ports[pick('port', len(ports))]}"
        lasts = (1 + pick("length", max(1, options["for"] // 1000))) * 1000
        out.append(Fault(do, kind.target, name, at, lasts))
    return out


def network(cluster: Cluster) -> bool:
    """Whether some nodes are joined by media, whose frames are traced and captured."""
    return any(cluster.attached(m.name) for m in cluster.media)


def control_memory(cluster: Cluster) -> int:
    """MiB for the control domain, or 0: as much as it has anyway."""
    more = max(0, len(cluster.nodes) - MANY)
    return 64 + (more * KEPT >> 20) if more else 0


def machine_memory(cluster: Cluster) -> int:
    """MiB for the whole machine: what the nodes ask for and room for us and the fabric."""
    if cluster.memory:
        return max(64, cluster.memory >> 20)
    nodes = (sum(TOUCHED if n.overcommit else n.memory for n in cluster.nodes)
             + 2 * disks.memory(cluster)) >> 20
    return max(256, nodes + nodes // 8 + 160 + control_memory(cluster)
               + (NETWORK_OUTPUT if network(cluster) else 0))


def describe(cluster: Cluster) -> str:
    """One line for people."""
    kinds = sorted({n.machine for n in cluster.nodes})
    media = "medium" if len(cluster.media) == 1 else "media"
    return (f"{cluster.name}: {units.counted(len(cluster.nodes), 'node')} ({', '.join(kinds)}), "
            f"{len(cluster.media)} {media}, {units.counted(len(cluster.faults), 'fault')}{_drawn(cluster)}, "
            f"clock {cluster.clock}, {units.show_time(cluster.for_ns)}")


def _drawn(cluster: Cluster) -> str:
    """What comes to a cluster's own faults by chance."""
    if not cluster.random:
        return ""
    if cluster.random["every"]:
        return f" and one drawn each {units.show_time(cluster.random['every'])}"
    return f" and {cluster.random['count']} drawn from the seed"


def safe_name(name: str) -> str:
    """A node's name as a file name."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)
