# SPDX-License-Identifier: BSD-2-Clause
"""What may stand in a cluster file: one table, from which both the checks and the JSON schema come."""

import dataclasses
import difflib
import json
import re
from collections.abc import Callable
from typing import Any

from osmo import units
from osmo.errors import Problem

NUMBER_MOST = 2**63 - 1  # of whatever is counted; of times, 292 years in ns
SEED_MOST = 2**64 - 1
LINE_MOST = 2000       # letters, of which a line of the plan holds one and what belongs to it
SHOWN = 60             # letters of a value in a message
NODES_MOST = 10000
CPUS_MOST = 64         # hyp/dom/sched.h
VCPUS_MOST = 128       # hyp/dom/domain.h
SHARE_MOST = 65535     # weight and cap
RATE_MOST = 10**15     # net/media/words.c reads no more
LATENCY_MOST = 10**15  # ns, likewise
QUEUE_MOST = 2**32 - 1
FAULTS_MOST = 10000    # that one run draws
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


@dataclasses.dataclass(frozen=True)
class Kind:
    """A type of value: how to take it in, what to call it, and its JSON schema."""

    words: str
    take: Callable[[Any], Any]
    schema: dict[str, Any]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text in quotes")
    if any(ord(c) < 0x20 and c not in "\n\t" or c == "\x7f" for c in value):
        raise ValueError("expected no control characters")
    return value


def _line(value: Any) -> str:
    if "\n" in _text(value) or len(value) > LINE_MOST:
        raise ValueError(f"expected one line of at most {LINE_MOST} letters")
    return str(value)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError("expected a name of letters, digits, `-`, `_` and `.`")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("expected a whole number, 0 or more")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _measure(parse: Callable[[str], int]) -> Callable[[Any], int]:
    def take(value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and parse is not units.time_ns:
            return _whole(value)
        if not isinstance(value, str):
            raise ValueError("expected a number with its unit, in quotes")
        return parse(_line(value))
    return take


def _list(of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def take(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError("expected a list in [ ]")
        return [of(item) for item in value]
    return take


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError("expected a table of names and texts")
    return {name: _text(text) for name, text in value.items()}


def _disks(value: Any) -> list[dict[str, Any]]:
    given = value if isinstance(value, list) else [value]
    if not all(isinstance(one, (str, dict)) for one in given):
        raise ValueError("expected a file's name, a table such as { size = \"64M\" }, or a list of these")
    return [one if isinstance(one, dict) else {"file": one} for one in given]


STRING = {"type": "string"}
TEXT = Kind("text", _text, STRING)
LINE = Kind("line of text", _line, STRING)
IDENTIFIER = Kind("name", _name, {"type": "string", "pattern": f"^{NAME.pattern}$"})
WHOLE = Kind("number", _whole, {"type": "integer", "minimum": 0})
FLAG = Kind("true or false", _flag, {"type": "boolean"})
TIME = Kind("time", _measure(units.time_ns), STRING)
SIZE = Kind("size", _measure(units.size_bytes), {"type": ["string", "integer"]})
RATE = Kind("bytes a second", _measure(units.rate_bytes), {"type": ["string", "integer"]})
NAMES = Kind("list of names", _list(_name), {"type": "array", "items": IDENTIFIER.schema})
LINES = Kind("list of lines", _list(_line), {"type": "array", "items": STRING})
TEXTS = Kind("table of texts", _texts, {"type": "object", "additionalProperties": STRING})
DISK_SCHEMA: dict[str, Any] = {}
DISKS = Kind("disks", _disks, {"anyOf": [STRING, DISK_SCHEMA, {"type": "array", "items": {
    "anyOf": [STRING, DISK_SCHEMA]}}]})


@dataclasses.dataclass(frozen=True)
class Field:
    kind: Kind
    help: str
    default: Any = None
    choices: tuple[str, ...] = ()
    required: bool = False
    least: int = 0
    most: int = NUMBER_MOST


CLOCKS = ("real", "count", "event")
MACHINES = ("x86", "z8000", "linux", "foreign")
MEDIA = ("ether", "ack-ether", "parallel", "serial")
CRASHED = ("destroy", "keep", "restart")
ENDS = ("running", "poweroff", "reboot", "suspend", "crash", "watchdog", "soft_reset", "destroyed")
INVARIANTS = ("loss", "duplicate", "order", "one-copy", "isolation", "leak", "liveness")

CLUSTER: dict[str, Field] = {
    "name": Field(IDENTIFIER, "of the cluster; default: the file's"),
    "about": Field(TEXT, "a line or two for whoever watches", ""),
    "clock": Field(LINE, "which clock the run goes by unless --clock says so", "real", CLOCKS),
    "first": Field(WHOLE, "the first node's machine number; clusters that are joined have different ones", 1,
                   least=1),
    "seed": Field(WHOLE, "of every random decision, unless --seed says so", 1, most=SEED_MOST),
    "for": Field(TIME, "virtual time after which the run ends", 60 * 10**9),
    "until": Field(TEXT, "ends the run before: `exit NODE`, `output NODE TEXT`, `store PATH VALUE` or "
                   "`trace NODE EVENT [N] [a=N]`"),
    "memory": Field(SIZE, "of the whole machine; default: what the nodes need", least=1),
    "cpus": Field(WHOLE, "of the machine, for clock `real`", 1, least=1, most=CPUS_MOST),
    "trace": Field(FLAG, "whether the nodes' trace is taken", True),
}
NODE: dict[str, Field] = {
    "count": Field(WHOLE, "how many like this: NAME1, NAME2 ...", None, most=NODES_MOST),
    "machine": Field(LINE, "what kind of node", "x86", MACHINES),
    "image": Field(LINE, "its kernel image, when it is not the machine's usual one"),
    "memory": Field(SIZE, "of each", None, least=1),
    "overcommit": Field(FLAG, "its memory is not set aside: the machine has less than all nodes may use", False),
    "cpus": Field(WHOLE, "virtual CPUs of each; default: 1, of a z8000 node in clock `real` 2, its processors",
                  least=1, most=VCPUS_MOST),
    "media": Field(NAMES, "which media it is attached to, in the order of its devices", []),
    "programs": Field(LINES, "lines of its boot list: a program and its arguments", []),
    "bundle": Field(NAMES, "programs it has besides those of its boot list, for a shell to start", []),
    "cmdline": Field(LINE, "further words on its kernel's command line", ""),
    "kernel": Field(LINE, "file of a foreign kernel (bzImage or ELF)"),
    "initrd": Field(LINE, "file of a foreign kernel's initial RAM disk"),
    "disk": Field(DISKS, "what its disks are: files, or tables of `file` or `size`, `readonly`, `keep`", []),
    "bystander": Field(FLAG, "whether its memory, in clock `event`, must end as without the faults", False),
    "weight": Field(WHOLE, "share of the processor against others", None, most=SHARE_MOST),
    "cap": Field(WHOLE, "percent of a processor at most", None, most=SHARE_MOST),
    "on_crash": Field(LINE, "what becomes of it then; one kept can be looked into (core, gdb)", "destroy",
                      CRASHED),
}
DISK: dict[str, Field] = {
    "file": Field(LINE, "raw image with its content, which the run does not change unless `keep`"),
    "size": Field(SIZE, "instead of a file: that much, empty"),
    "readonly": Field(FLAG, "whether the node may not write it", False),
    "keep": Field(FLAG, "whether what the node writes goes into the file, in runs by clock `real`", False),
}
MEDIUM: dict[str, Field] = {
    "kind": Field(LINE, "what the medium is", "ether", MEDIA),
    "rate": Field(RATE, "instead of the kind's own", None, least=1, most=RATE_MOST),
    "latency": Field(TIME, "instead of the kind's own", None, most=LATENCY_MOST),
    "queue": Field(SIZE, "bytes per sending port", None, least=1, most=QUEUE_MOST),
    "block": Field(SIZE, "its largest frame, 1088 bytes or more, instead of the kind's own; 1514 where a Linux "
                         "node has programs", None),
    "direct": Field(FLAG, "one ring between two nodes, no fabric: no capture, no faults", False),
    "capture": Field(FLAG, "whether its frames go into capture.pcapng", True),
    "outside": Field(LINE, "joins it with another machine's, in runs by clock `real`: `listen=HOST:PORT`, "
                           "`connect=HOST:PORT`, `udp=HOST:PORT,localaddr=HOST:PORT` or `mcast=GROUP:PORT`"),
    "recorder": Field(IDENTIFIER, "node that must acknowledge (ack-ether)", None),
}
FAULT: dict[str, Field] = {
    "at": Field(TIME, "when it begins, in virtual time"),
    "for": Field(TIME, "how long; default: to the end"),
    "after": Field(TEXT, "instead of at: `exit NODE`, `output NODE TEXT`, `store PATH VALUE` or "
                   "`trace NODE EVENT [N] [a=N]`"),
    "medium": Field(IDENTIFIER, "which medium it befalls"),
    "node": Field(IDENTIFIER, "which node it befalls"),
    "disk": Field(IDENTIFIER, "which disk it befalls: NODE-NUMBER, the node's first is number 0"),
    "do": Field(LINE, "what happens, with its parameters", required=True),
}
RANDOM: dict[str, Field] = {
    "count": Field(WHOLE, "how many faults each run draws from the seed", 3, most=FAULTS_MOST),
    "every": Field(TIME, "instead of count: one each so long, on average; the gaps are drawn, too", None),
    "from": Field(TIME, "not before", 10**9),
    "until": Field(TIME, "not after", 10 * 10**9),
    "for": Field(TIME, "each lasts at most", 10**9),
    "media": Field(NAMES, "which media may be hit; default: all", None),
    "nodes": Field(NAMES, "which nodes may be hit, `fabric` among them; default: none", []),
    "disks": Field(NAMES, "which disks may be hit; default: none", []),
    "kinds": Field(LINES, "what may happen", ["loss 0.2", "duplicate 0.1", "delay 20ms", "cut"]),
}
EXPECT: dict[str, Field] = {
    "output": Field(TEXTS, "text that a node's console must show", {}),
    "exit": Field(TEXTS, "how nodes must end: running, poweroff, reboot, suspend, crash, watchdog, soft_reset "
                         "or destroyed", {}),
    "invariants": Field(LINES, "what must hold; default: all that apply", None),
    "heal": Field(TIME, "bound on the virtual time to deliver everything once faults have ended",
                  10 * 10**9),
}


def take(table: dict[str, Field], given: Any, where: str, path: str) -> dict[str, Any]:
    """Every field of the table, given or default; a Problem names file, key and remedy."""
    if not isinstance(given, dict):
        raise Problem(f"{path} is not a table", f"write [{path}]", where)
    for key in given:
        if key not in table:
            raise Problem(f"{_join(path, key)} is unknown", _nearest(key, table), where)
    values = {}
    for key, field in table.items():
        if key not in given:
            if field.required:
                raise Problem(f"{_join(path, key)} is missing", f"`{key}`: {field.help}", where)
            values[key] = field.default
            continue
        try:
            values[key] = field.kind.take(given[key])
        except ValueError as wrong:
            raise Problem(f"{_join(path, key)}: {wrong}", f"`{key}`: {field.help}", where) from None
        number = values[key] if isinstance(values[key], int) else field.least
        if not field.least <= number <= field.most:
            raise Problem(f"{_join(path, key)} = {shown(given[key])} is out of its range",
                          f"{field.least} to {field.most}", where)
        if field.choices and values[key] not in field.choices:
            raise Problem(f"{_join(path, key)} = \"{shown(values[key])}\" is unknown",
                          f"one of {', '.join(field.choices)}", where)
    return values


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def shown(value: Any) -> str:
    """A number or text as it was given, but of one that is endless its beginning."""
    text = str(value) if not isinstance(value, int) or value.bit_length() < 100 else "a very large number"
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def _nearest(key: str, table: dict[str, Field]) -> str:
    near = difflib.get_close_matches(key, table, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(table)}"


def _object(table: dict[str, Field]) -> dict[str, Any]:
    properties: dict[str, dict[str, Any]] = {}
    for key, field in table.items():
        properties[key] = {**field.kind.schema, "description": field.help}
        if field.kind is WHOLE:
            properties[key]["minimum"] = field.least
            properties[key].update({"maximum": field.most} if field.most != NUMBER_MOST else {})
        if field.choices:
            properties[key]["enum"] = list(field.choices)
        if field.default is not None and isinstance(field.default, (str, bool)):
            properties[key]["default"] = field.default
    required = [key for key, field in table.items() if field.required]
    out: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**out, "required": required} if required else out


DISK_SCHEMA.update(_object(DISK))


def json_schema() -> dict[str, Any]:
    """The JSON schema of a cluster file, as harness/schema/cluster.json holds it."""
    top = _object(CLUSTER)
    tables = {"nodes": (NODE, "object"), "media": (MEDIUM, "object"), "faults": (FAULT, "array")}
    for name, (table, shape) in tables.items():
        inner = "items" if shape == "array" else "additionalProperties"
        top["properties"][name] = {"type": shape, inner: _object(table)}
    top["properties"]["random"] = _object(RANDOM)
    top["properties"]["expect"] = _object(EXPECT)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "An Osmosis cluster", "required": ["nodes"], **top}


def schema_text() -> str:
    return json.dumps(json_schema(), indent=2) + "\n"
