# SPDX-License-Identifier: BSD-2-Clause
"""Cluster files: what is taken, what is refused and in which words, and the plan they become.

Fault kinds F01-F26 by name are those of harness/README.md (H20).
"""

import pathlib
import re
import struct
import subprocess
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmo import abi, check, cluster, collect, faults, judge, keyed, plan, result, schema, smaller, units, words
from osmo.errors import Problem
from osmo.types import WHY, Net

TOP = pathlib.Path(__file__).resolve().parents[2]
RING = """
clock = "count"
for = "30s"
[media.net]
rate = "1M"
latency = "250us"
[nodes.a]
count = 3
media = ["net"]
[[faults]]
at = "1s"
for = "500ms"
medium = "net"
do = "loss 0.25"
[[faults]]
at = "2s"
for = "1s"
node = "a2"
do = "pause"
"""


def test_a_good_file_is_taken() -> None:
    c = cluster.parse(RING, "ring.toml")
    assert (c.name, c.clock, c.for_ns, len(c.nodes)) == ("ring", "count", 30 * 10**9, 3)
    assert [n.name for n in c.nodes] == ["a1", "a2", "a3"] and c.nodes[2].number == 3
    assert c.media[0].rate == 10**6 and c.media[0].latency == 250000
    assert c.faults[0].for_ns == 500 * 10**6


@pytest.mark.parametrize("change,what,remedy", [
    (("clock = \"count\"", "clok = 1"), "clok is unknown", "did you mean clock"),
    (("\"count\"", "\"sundial\""), "clock = \"sundial\"", "real, count, event"),
    (("media = [\"net\"]", "media = [\"nte\"]"), "nodes.a.media names `nte`", r"\[media.nte\]"),
    (("rate = \"1M\"", "rate = \"fast\""), "media.net.rate", "10k"),
    (("for = \"30s\"", "for = 30"), "for: expected a number with its unit", "virtual time"),
    (("count = 3", "count = -3"), "nodes.a.count", "whole number"),
    (("count = 3", "memory = \"4Q\""), "no number alone or with one of K, M, G", "`memory`: of each"),
    (("medium = \"net\"", "medium = \"no\""), r"faults\[1\].medium names `no`", "known: net"),
    (("node = \"a2\"", "node = \"b\""), r"faults\[2\].node names `b`", "known: a1, a2, a3"),
    (("loss 0.25", "explode"), r"faults\[1\].do: `explode`", "loss, burst"),
    (("loss 0.25", "loss"), r"faults\[1\].do: `loss`: say `loss P", "has what each fault is"),
    (("[media.net]", "[random]\nnodes = [\"b\"]\n[media.net]"), "random.nodes names `b`", "known: a1, a2, a3"),
    (("[media.net]", "[random]\nfrom = \"5s\"\nuntil = \"5s\"\n[media.net]"), "random.until is not after",
     "a later time"),
    (("[media.net]", "[random]\nkinds = [\"loss\"]\n[media.net]"), "random.kinds: `loss`: say `loss P",
     "has what each fault is"),
    (("[media.net]", "[random]\nkinds = [\"luck\"]\n[media.net]"), "random.kinds: `luck` is no fault",
     "known: loss"),
    (("loss 0.25", "loss 0.25 a1>b"), r"faults\[1\].do: `b` is not on medium net", "known: a1, a2, a3"),
    (("loss 0.25", "partition a1|a2,c"), "`c` is not on medium", "known: a1, a2, a3"),
    (("do = \"pause\"", "do = \"loss 0.1\""), "no fault of a node", "pause"),
    (("at = \"1s\"", ""), r"faults\[1\] needs a beginning", "at ="),
    (("[nodes.a]", "[nodes.\"a b\"]"), "a b is no name", "letters"),
    (("[nodes.a]", "[nodes]"), "nodes.count is not a table", "write [nodes.count]"),
    (("clock", "=clock"), "not TOML", "line"),
    (("count = 3", "kernel = \"x\""), "kernel is for foreign nodes", "machine"),
    (("latency = \"250us\"", "direct = true"), "direct has 3 ends", "exactly two"),
    (("latency = \"250us\"", "kind = \"serial\""), "serial line with 3 ends", "two nodes"),
])
def test_what_is_wrong_is_said(change: tuple[str, str], what: str, remedy: str) -> None:
    with pytest.raises(Problem, match=what) as caught:
        cluster.parse(RING.replace(*change), "ring.toml")
    text = str(caught.value)
    assert text.startswith("ring.toml: ")
    assert caught.value.remedy and any(r in text for r in remedy.replace("\\", "").split("|"))


@pytest.mark.parametrize("content,says", [
    (b"\xff\xfe", "no text in UTF-8, by its byte 0"), (b"x = " + b"[" * 10**5, "not TOML"), (b"", "no node"),
    (b"x = " + b"9" * 5000, "not TOML"), (b"#" * (17 << 20), "larger than 16M")])
def test_files_that_are_no_cluster_files(content: bytes, says: str, tmp_path: pathlib.Path) -> None:
    """H18: whatever a file holds, `check` says so and names it."""
    (tmp_path / "c.toml").write_bytes(content)
    said = check.examine(tmp_path / "c.toml")
    assert f"{tmp_path}/c.toml: " in said and says in said


def test_what_editors_leave_in_a_file(tmp_path: pathlib.Path) -> None:
    """A byte order mark in front and lines that end as on other systems."""
    (tmp_path / "c.toml").write_bytes(b"\xef\xbb\xbf" + RING.replace("\n", "\r\n").encode())
    assert len(cluster.load(tmp_path / "c.toml").nodes) == 3


@pytest.mark.parametrize("more,says", [
    (f"seed = {2**64}", "seed = .* out of its range .0 to"), (f"seed = {10**200}", "seed = a very large number"),
    ('for = "99999999h"', "for: .* more than anything"), ("cpus = 0", "cpus = 0 .*1 to 64"),
    ("first = 0", "first = 0 is out of its range"), ('memory = "0"', "memory = 0 is out"),
    ('until = " "', "until is blank"), ("name = \"a\\nb\"", "name: expected a name"),
    ('[nodes.b]\nimage = "a\\u0000"', "nodes.b.image: expected no control characters"),
    (f"[nodes.b]\ncount = {2**70}", "nodes.b.count = .*out of its range"),
    ("[nodes.b]\ncount = 9998", "nodes.b is one of more than 10000"),
    ("[nodes.b]\ncpus = 129", "1 to 128"), ("[nodes.b]\nweight = 65536", "0 to 65535"),
    ('[nodes.b]\nmemory = "9999999999G"', "more than anything"),
    (f'[nodes.b]\ndisk = "{"x" * 300}"', "nodes.b.disk.file: .* is not there"),
    ('[media.b]\nrate = "9999999G"', "media.b.rate = .* out of its range"),
    ("[media.b]\nqueue = 4294967296", "media.b.queue"), ('[media.b]\nlatency = "1000001s"', "media.b.latency"),
    ("[random]\ncount = 10001", "random.count"),
    ("[random]\nkinds = []", "random.kinds is empty"),
    ('[media.b]\n[random]\nmedia = ["b"]\nkinds = ["cut"]', "random.media names `b`, on which no node is"),
    ('[random]\nevery = "100us"\nuntil = "1h"', "at most 10000 faults"),
    ('[expect.exit]\na1 = "powerof"', r"expect.exit.a1 = \"powerof\" is no end .one of running, poweroff")])
def test_what_no_machine_could_do_is_refused_before(more: str, says: str) -> None:
    """H18: numbers beyond what the hypervisor, the fabric or a host has, and texts that no plan can hold."""
    given = RING.replace('for = "30s"\n', "") if more.startswith("for") else RING
    with pytest.raises(Problem, match=says) as caught:
        cluster.parse(f"{more}\n{given}" if not more.startswith("[") else f"{given}\n{more}", "f")
    assert caught.value.remedy and "\n" not in str(caught.value)


def test_more_nodes_than_there_can_be_are_refused_at_once() -> None:
    with pytest.raises(Problem, match="nodes.a.count = a very large number is out of its range"):
        cluster.parse(RING, "f", {"a": 10**30})


def test_what_is_said_of_a_file_is_fit_for_a_terminal() -> None:
    with pytest.raises(Problem) as caught:
        cluster.parse('"\\u001b[2J" = 1', "f")
    assert "\x1b" not in str(caught.value) and "\\x1b[2J is unknown" in str(caught.value)


@pytest.mark.parametrize("text,says", [
    (f'programs = ["hello {"x" * 300}"]', ""), ('image = "nde"', "nodes.n.image: image .*known: .*fabric"),
    ('image = "./node"', "nodes.n.image: .*name an image"), ('programs = ["./c.toml"]', "is no program"),
    ('machine = "foreign"\nkernel = "vmlinuz"', "nodes.n.kernel: .*vmlinuz does not exist"),
    ('machine = "foreign"\nkernel = "c.toml"', "nodes.n.kernel: .*neither an ELF file nor"),
    ('machine = "linux"\nkernel = "image"\ninitrd = "initrd"', "nodes.n.initrd: .*initrd does not exist")])
def test_check_names_files_that_are_not_there(text: str, says: str, tree: pathlib.Path) -> None:
    """H18: images, kernels, programs by a path; and a word of 300 letters is a word."""
    (tree / "c.toml").write_text(f"[nodes.n]\n{text}\n")
    (tree / "image").write_bytes(b"\x7fELF")
    said = check.examine(tree / "c.toml")
    assert re.search(says, said) if says else not said


def test_a_line_that_the_control_domain_would_not_read(tree: pathlib.Path) -> None:
    c = cluster.parse(RING + f'[[faults]]\nafter = "output a1 {"x" * 4000}"\nnode = "a2"\ndo = "crash"\n', "f")
    with pytest.raises(Problem, match="f: a line of the plan has more than 4000 bytes: when output a1 x"):
        plan.compile_cluster(c, c.faults)


def test_a_latency_as_the_fabric_reads_it(tree: pathlib.Path) -> None:
    """Which takes no more than a million of a unit."""
    for latency, said in (("250us", "250us"), ("1500001us", "1.500001000s"), ("1000000s", "1000000s")):
        made = plan.compile_cluster(cluster.parse(RING.replace("250us", latency)), []).text
        assert f"latency={said}\"" in made


def test_a_direct_medium_has_no_faults() -> None:
    """There is nobody between its two nodes who could carry one out."""
    two = RING.replace("count = 3", "count = 2").replace('latency = "250us"', "direct = true")
    with pytest.raises(Problem, match=r"faults\[1\]: medium net is direct and has no faults") as caught:
        cluster.parse(two, "ring.toml")
    assert "leave out direct" in str(caught.value)


def test_the_fabric_can_stand_still_and_nothing_worse() -> None:
    """F08: it is a name for faults only where there are media."""
    stall = '\n[[faults]]\nat = "1s"\nfor = "1s"\nnode = "fabric"\ndo = "{}"\n'
    given = cluster.parse(RING + stall.format("pause"))
    assert given.faults[-1].id == "F08"
    assert given.faults[-1].lines() == ["at 1s pause fabric", "at 2s unpause fabric"]
    with pytest.raises(Problem, match="cannot have `crash`.*late_upcall"):
        cluster.parse(RING + stall.format("crash"))
    with pytest.raises(Problem, match="is no node"):
        cluster.parse('[nodes.a]\nprograms = ["hello"]' + stall.format("pause"))


def test_no_nodes_and_no_file() -> None:
    with pytest.raises(Problem, match="no node"):
        cluster.parse("", "x")
    with pytest.raises(Problem, match="No such file"):
        cluster.load(pathlib.Path("/nonexistent.toml"))


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.text(), st.integers(), st.booleans(),
                                                      st.lists(st.integers())), max_size=5))
def test_nonsense_is_a_problem_and_never_a_traceback(table: dict[str, object]) -> None:
    for kind in (schema.CLUSTER, schema.NODE, schema.MEDIUM, schema.FAULT, schema.RANDOM):
        try:
            schema.take(kind, table, "file", "path")
        except Problem as problem:
            assert problem.where == "file"


def test_the_schema_in_the_repository_is_the_one_that_is_checked() -> None:
    assert (TOP / "harness/schema/cluster.json").read_text() == schema.schema_text()


def test_the_schema_accepts_and_refuses_as_we_do() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(tomllib.loads(RING), schema.json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"nodes": {"a": {"cuont": 1}}}, schema.json_schema())


@pytest.mark.parametrize("path", sorted((TOP / "harness/clusters").glob("*.toml")), ids=lambda p: p.name)
def test_every_worked_cluster_is_good(path: pathlib.Path) -> None:
    """By us and by the schema."""
    cluster.load(path)
    pytest.importorskip("jsonschema").validate(tomllib.loads(path.read_text()), schema.json_schema())


def test_the_clusters_that_a_user_is_promised_are_there() -> None:
    there = {path.stem for path in (TOP / "harness/clusters").glob("*.toml")}
    assert {"hello", "ring", "demo", "lossy", "partition", "diskless", "mixed", "linux", "many"} <= there


def test_keyed_numbers_are_those_of_the_c_header(tmp_path: pathlib.Path) -> None:
    keys = [(0, 0, 0), (1, 2, 3), (2**64 - 1, 7, 2**40), (12345, 2**63, 1)]
    calls = "".join(f'printf("%llu %llu\\n", (unsigned long long)keyed_random({a}ull,{b}ull,{c}ull),'
                    f'(unsigned long long)keyed_below({a}ull,{b}ull,{c}ull,1000));' for a, b, c in keys)
    (tmp_path / "k.c").write_text('#include <stdio.h>\n#include "base/keyed.h"\nint main(void){'
                                  + calls + "return 0;}")
    subprocess.run(["gcc", "-I", str(TOP), "-o", str(tmp_path / "k"), str(tmp_path / "k.c")], check=True)
    said = subprocess.run([str(tmp_path / "k")], check=True, capture_output=True, text=True).stdout
    assert said.split() == [str(v) for a, b, c in keys
                            for v in (keyed.random(a, b, c), keyed.below(a, b, c, 1000))]


RANDOM = RING + """
[random]
count = 5
kinds = ["loss 0.1", "cut", "pause"]
nodes = ["a1", "a3"]
"""


def test_media_without_nodes_are_not_hit() -> None:
    cuts = RANDOM.replace('kinds = ["loss 0.1", "cut", "pause"]', 'kinds = ["cut"]')
    c = cluster.parse(cuts + "[media.b]\n", "r")
    assert {f.name for seed in range(20) for f in cluster.draw(c, seed)} == {"net"}


def test_random_faults_come_from_the_seed_alone() -> None:
    c = cluster.parse(RANDOM, "r")
    assert cluster.draw(c, 7) == cluster.draw(c, 7) != cluster.draw(c, 8)
    assert len(cluster.draw(c, 7)) == 5


def test_fewer_random_faults_change_no_other() -> None:
    five, three = cluster.parse(RANDOM, "r"), cluster.parse(RANDOM.replace("count = 5", "count = 3"), "r")
    for seed in range(20):
        assert cluster.draw(five, seed)[:3] == cluster.draw(three, seed)


def test_random_faults_by_a_rate() -> None:
    """`every`: gaps from the seed, so many on average, in order, in their time, none changed by a later end."""
    rate = RANDOM.replace("count = 5", 'every = "100ms"\nfrom = "1s"\nuntil = "11s"')
    c = cluster.parse(rate, "r")
    numbers = []
    for seed in range(30):
        drawn = cluster.draw(c, seed)
        times = [f.at_ns or 0 for f in drawn]
        assert times == sorted(times) and 10**9 <= times[0] and times[-1] < 11 * 10**9
        assert cluster.draw(cluster.parse(rate.replace("11s", "5s"), "r"), seed) == [
            f for f in drawn if (f.at_ns or 0) < 5 * 10**9]
        numbers.append(len(drawn))
    assert 90 < sum(numbers) / len(numbers) < 110 and len(set(numbers)) > 5
    with pytest.raises(Problem, match="random.every"):
        cluster.parse(rate.replace("100ms", "99us"), "r")


def test_random_kinds_must_have_targets() -> None:
    with pytest.raises(Problem, match="needs a node"):
        cluster.parse(RANDOM.replace('nodes = ["a1", "a3"]', ""), "r")
    with pytest.raises(Problem, match="needs a node"):
        cluster.parse(RANDOM.replace('["a1", "a3"]', '["fabric"]').replace('"pause"', '"crash"'), "r")


@pytest.mark.parametrize("kind,says", [
    ("foe-index", "a1 is no foe"), ("unplug 1", "a1 has no interface 1"), ("squeeze 8M", "a1 has no more than 8M"),
    ("kill hello", "a1 has no programs"), ("loss 0.1 a1>b", "`b` is not on medium net"),
    ("cut a1 a2", "say `cut A>B"), ("hang soon", "`soon` is no time"), ("store fail", "say `store fail"),
    ("store break after=1", "`break` is none of fail"), ("slow much", "`much` is no share"),
    ("slow 0%", "`0%` is no share"), ("lose_upcall soon", "`soon` is too much"),
    ("fail_port after=x", "`x` is no number"), ("fail_port every=1", "say `fail_port after=N"),
    ("store lose after=1 by=9", "`9` is no time"), ("flip after=1 bit=3", "`bit=3` is too much"),
    ("kill hello x", "`x` is no number")])
def test_random_faults_are_asked_what_others_are(kind: str, says: str) -> None:
    """In the same words as a fault that the file names."""
    target = faults.KINDS[kind.split()[0]].target
    name = {"node": "a1", "medium": "net", "control": "control"}.get(target)
    named = f'{"medium" if target == "medium" else "node"} = "{name}"\n' if name else ""
    for text in (RANDOM.replace('"pause"', f'"{kind}"'), f'{RING}[[faults]]\nat = "1s"\n{named}do = "{kind}"\n'):
        with pytest.raises(Problem, match=re.escape(says)) as caught:
            cluster.parse(text, "r")
        assert caught.value.remedy


def test_random_faults_hit_all_that_can_be_hit() -> None:
    """The fabric, by what it can have; control domain and store, of which there is one each."""
    kinds = '["pause", "restart", "crash", "hang 1ms", "store lose after=2", "loss 0.1"]'
    text = RANDOM.replace('["loss 0.1", "cut", "pause"]', kinds).replace('"a1", "a3"', '"a1", "fabric"')
    c = cluster.parse(text, "r")
    drawn = {(f.do.split()[0], f.target, f.name) for seed in range(60) for f in cluster.draw(c, seed)}
    assert drawn == {("pause", "node", "a1"), ("pause", "node", "fabric"), ("restart", "node", "a1"),
                     ("restart", "node", "fabric"), ("crash", "node", "a1"), ("hang", "control", "control"),
                     ("store", "store", ""), ("loss", "medium", "net")}


def test_every_fault_kind_begins_and_ends_in_words_of_the_plan() -> None:
    examples = {"loss": "0.1", "burst": "0.1 0.2", "drop": "3 a1>a2", "reorder": "0.1 1ms",
                "slow": "10%", "partition": "a1,a2|a3", "flap": "5ms a1>a2", "store": "fail after=2",
                "restart": "", "crash": "", "pause": "", "cut": "a1", "rate": "100", "queue": "100",
                "snapshot": "", "save": "", "restore": "",
                "unplug": "0", "kill": "hello 2", "skew": "-2s", "strobe": "5ms 1ms", "drift": "-300000",
                "freeze": "", "squeeze": "4M",
                "disk-error": "0.1", "disk-torn": "0.5", "disk-lost": "1", "disk-full": "",
                "disk-misdirected": "0.1", "disk-stale": "0.2", "disk-powercut": "",
                **{name: "" for name in faults.KINDS if name.startswith("foe-")}}
    for name, kind in faults.KINDS.items():
        words = examples.get(name, "after=3" if kind.target == "node" else "0.5" if kind.id == "F04"
                             or name == "duplicate" else "5ms")
        fault = faults.Fault(f"{name} {words}".strip(), kind.target, "x", 10**9, 10**6)
        lines = fault.lines()
        assert lines and lines[0].startswith("at 1s ")
        assert all(line.startswith("at 1001ms ") for line in lines[1:])
        assert kind.survives and kind.about and kind.id.startswith("F")


@pytest.mark.parametrize("do,says", [
    ("loss 2", "`2` is no probability"), ("loss 1.5", "no probability"), ("loss -1", "no probability"),
    ("burst 0.1 x", "`x` is no probability"), ("drop a1>a2 3", "`a1>a2` is no count"),
    ("drop 3 a1", "no direction"), ("duplicate 0.5 soon", "`soon` is too much"),
    ("reorder 0.1 5", "`5` is no time"), ("delay 2000000s", "no time"),
    ("jitter 0ms", "`0ms` is nothing"), ("corrupt 0.1 0", "`0` is nothing"), ("flap 5ms", "say `flap TIME A>B`"),
    ("cut a1 a2", "say `cut A>B or A`"), ("rate 1.5", "`1.5` is no count"), ("stall 1 s", "`1` is no time")])
def test_what_the_fabric_would_refuse_is_refused_before(do: str, says: str, tmp_path: pathlib.Path) -> None:
    """And by `osmosis check`, with file, key and remedy."""
    text = RING.replace("loss 0.25", do)
    with pytest.raises(Problem, match=re.escape(says)):
        cluster.parse(text, "f")
    (tmp_path / "c.toml").write_text(text)
    said = check.examine(tmp_path / "c.toml")
    assert "c.toml: faults[1].do: " in said and says in said and "what it takes)" in said


@pytest.mark.parametrize("do", [
    "loss 1", "loss 0.25 a1>a2", "loss 1.0", "burst 0 1 *>a2", "drop 3 a1>*", "duplicate 0.5",
    "duplicate 0.5 a1>a2", "duplicate 0.5 1.5ms a1>a2", "corrupt 0.1 3", "corrupt 0.1 a1>a2", "delay 0ms",
    "rate 0", "queue 100", "cut a1", "flap 5ms a1>a2", "partition a1|a2,a3"])
def test_what_the_fabric_takes_is_taken(do: str) -> None:
    assert cluster.parse(RING.replace("loss 0.25", do), "f").faults[0].do == do


@pytest.mark.parametrize("node,do,says", [
    ("a1", "skew soon", "no number"), ("a1", "skew", "say `skew"), ("a1", "drift 5s", "no rate"),
    ("a1", "drift -990001", "no rate"), ("a1", "unplug 1", "no interface 1"),
    ("a1", "hang 1s", "no fault of a node"), ("control", "pause", "no fault of a control"),
    ("fabric", "unplug 0", "cannot have"), ("a1", "foe-index", "a1 is no foe"),
    ("a1", "strobe 1s", "say `strobe"), ("a1", "strobe 1s 0s", "more than"), ("a1", "strobe 1s 1ms", "no end"),
    ("a1", "squeeze", "say `squeeze SIZE"), ("a1", "squeeze much", "no number"),
    ("fabric", "freeze", "cannot have"), ("a1", "squeeze 8M", "less than its memory")])
def test_faults_that_cannot_be(node: str, do: str, says: str) -> None:
    with pytest.raises(Problem, match=says):
        cluster.parse(RING + f'[[faults]]\nat = "1s"\nnode = "{node}"\ndo = "{do}"\n', "f")


def test_a_moment_of_the_trace() -> None:
    """`after = "trace ..."`: the plan names the record, and the node is told to stand still at its kind."""
    text = RING + '[[faults]]\nafter = "trace a2 kernel.migrate 3 a=1"\nnode = "a2"\ndo = "crash"\n'
    c = cluster.parse(text + '[[faults]]\nafter = "trace a2 net.resend"\nnode = "a1"\ndo = "pause"\n', "f")
    made = plan.compile_cluster(c, c.faults).text
    assert "\nwhen trace a2 0x8013 3 1 destroy a2\n" in made
    assert "\nwhen trace a2 0x9002 1 any pause a1\n" in made
    line = next(line for line in made.splitlines() if line.startswith("create a2 "))
    assert f"stop={(1 << 0x13) | (1 << 34):#x}" in line and made.count("stop=") == 1


def test_a_moment_of_the_store() -> None:
    """`after = "store ..."`: as the plan has it; the nodes that its path names are not left out."""
    after = "store /local/domain/{fabric}/backend/vif/{a2}/0/state 4"
    c = cluster.parse(RING + f'[[faults]]\nafter = "{after}"\nnode = "fabric"\ndo = "restart"\n', "f")
    assert f"\nwhen {after} reboot fabric\n" in plan.compile_cluster(c, c.faults).text
    assert words.names(after) == {"fabric", "a2"} and smaller.named(c, c.faults[-1:]) == {"a2"}
    assert words.names("trace a1 kernel.send 3") == words.names("output a1 x y") == {"a1"}


@pytest.mark.parametrize("after", ["store", "store /a", "store a 1", "store /{a9}/state 4", "trace a1",
                                   "trace a1 kernel.nothing", "trace a9 kernel.send", "trace",
                                   "trace a1 kernel.send 0", "trace a1 kernel.send a=x",
                                   "trace a1 net.medium_send"])
def test_moments_that_never_come(after: str) -> None:
    with pytest.raises(Problem, match="no condition"):
        cluster.parse(RING + f'[[faults]]\nafter = "{after}"\nnode = "a2"\ndo = "crash"\n', "f")


def test_liveness_counts_from_the_moment_of_a_fault() -> None:
    """A fault that waited is over when it was, not at the end; one that never came is none."""
    stall = faults.Fault("stall 150ms", "medium", "m", None, after="trace a kernel.migrate 3")
    cut = faults.Fault("cut A", "medium", "m", None, after="trace a kernel.migrate 9")
    came = collect.Event(2 * 10**9, "fired", "", {"line": 7, "command": stall.lines()[0]})
    begun = judge.moments([stall, cut], [came])
    assert begun == {stall: 2 * 10**9}
    assert judge.calm_after([stall, cut], 10**10, begun) == 215 * 10**7
    assert judge.calm_after([cut], 10**10, {cut: 10**9}) == 10**10
    assert judge.calm_after([stall, cut], 10**10) == 0
    hang = faults.Fault("hang 100ms", "control", faults.CONTROL, 10**9)
    assert judge.calm_after([hang], 10**10) == 11 * 10**8


def test_what_the_plan_does_alone_has_struck_when_its_condition_came() -> None:
    """And what befell the store is what the control domain says of it, by kind and in its time."""
    waited = faults.Fault("kill hello", "node", "a", None, after="exit b")
    never = faults.Fault("slow 10%", "node", "a", None, after="exit c")
    fails, late = (faults.Fault(f"store {kind} after=1 every=2", "store", "", 10**9, 10**9)
                   for kind in ("fail", "delay"))
    events = [collect.Event(2 * 10**9, "fired", "", {"line": 7, "command": waited.lines()[0]})]
    events += [collect.Event(at * 10**8, "store-fault", "a", {"point": "fail", "count": n}) for at, n in (
        (5, 1), (12, 2), (19, 1), (25, 1))]
    told = judge.history({"a": 1}, [], abi.Record(3 * 10**9, 0x8000, 3, 4, 5, 6).pack())
    rows = judge.fired(told, [waited, never, fails, late], {}, events)
    assert [(r["struck"], r["first_ns"]) for r in rows] == [(1, 2 * 10**9), (0, None), (3, 12 * 10**8), (0, None)]


def block(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


def option(code: int, text: bytes) -> bytes:
    return struct.pack("<HH", code, len(text)) + text + bytes(-len(text) % 4)


def test_a_fault_of_one_way_has_struck_the_frames_of_that_way() -> None:
    """F06: ports are numbered as they came; whose they are is in the capture, also of a fabric that was built anew
    and has other ports. Where there is none, or it does not tell of as many, frames of any way count."""
    def capture(*told: bytes) -> bytes:
        section = block(0x0A0D0D0A, struct.pack("<IIII", 0x1A2B3C4D, 1, 2**32 - 1, 2**32 - 1))
        names = b"".join(block(1, bytes(8) + option(2, name) + bytes(4)) for name in (b"other", b"net"))
        frame = struct.pack("<IIIII", 1, 0, 0, 2, 64) + bytes(4)
        return section + names + b"".join(block(6, frame + option(1, text) + bytes(4)) for text in told)

    def cut(at_ms: int, domid: int, source: int, target: int, number: int) -> bytes:
        return abi.Record(at_ms * 10**6, Net.MEDIUM_DROP, domid, 7, source << 48 | number,
                          target << 32 | WHY.index("cut")).pack()
    planned = [faults.Fault(f"cut {way}", "medium", "net", 10**9, 10**9)
               for way in ("a>b", "b>a", "*>a", "a", "c>0")]
    trace = cut(1100, 1, 0, 1, 5) + cut(1200, 1, 1, 0, 5) + cut(1300, 1, 0, 1, 6) + cut(1400, 4, 0, 1, 5)
    told = judge.history({}, [], trace)
    ways = (b"a>b #5 dropped: cut", b"b>a #5 dropped: cut", b"a>b #6 dropped: cut"), (b"b>a #5 dropped: cut",)
    whole = capture(*ways[0]) + capture(*ways[1])

    def struck(captured: bytes) -> list[int]:
        return [row["struck"] for row in judge.fired(told, planned, {"other": 3, "net": 7}, [], captured)]
    assert struck(whole) == struck(whole + b"torn, of this length") == [2, 2, 2, 4, 0]
    assert struck(b"") == [4] * 5
    assert struck(capture(*ways[0])) == [3, 2, 2, 4, 1]  # of #5 it does not tell all; by #6 two ports are known


def test_a_clock_set_wrong_is_waited_for() -> None:
    """F25: what waits by a clock that is set back waits that much longer; liveness counts from then."""
    skew = faults.Fault("skew -2s", "node", "a", 10**9, 5 * 10**8)
    assert skew.lines() == ["at 1s clock a step=-2s", "at 1500ms clock a step=2s"]
    assert judge.calm_after([skew], 10**10) == 35 * 10**8
    strobe = faults.Fault("strobe -3ms 200ms", "node", "a", 10**9, 5 * 10**8)
    assert strobe.lines() == ["at 1s clock a step=-3ms", "at 1200ms clock a step=3ms"]
    assert faults.Fault("strobe 3ms 200ms", "node", "a", 10**9, 6 * 10**8).lines()[2:] == [
        "at 1400ms clock a step=3ms", "at 1600ms clock a step=-3ms"]
    assert judge.calm_after([strobe], 10**10) == 1503 * 10**6
    assert faults.Fault("drift -5", "node", "a", 10**9, 10**9).lines()[1] == "at 2s clock a rate=0"


def test_a_clock_that_stands_and_memory_that_shrinks() -> None:
    """F25 and F16: what a plan says of them; until the clock goes on, nothing need arrive. Not every machine gives
    memory back."""
    freeze = faults.Fault("freeze", "node", "a", 10**9, 5 * 10**8)
    assert freeze.lines() == ["at 1s clock a rate=-1000000", "at 1500ms clock a rate=0"]
    assert judge.calm_after([freeze], 10**10) == 15 * 10**8
    squeeze = faults.Fault("squeeze 2.5M", "node", "a", 10**9, 5 * 10**8)
    assert squeeze.lines() == ["at 1s memory a 2560K", "at 1500ms memory a"]
    assert judge.calm_after([squeeze], 10**10) == 0
    text = RING.replace("[nodes.a]", '[nodes.old]\nmachine = "z8000"\n[nodes.a]')
    with pytest.raises(Problem, match="gives no memory back"):
        cluster.parse(text + '[[faults]]\nat = "1s"\nnode = "old"\ndo = "squeeze 1M"\n', "f")


@pytest.mark.parametrize("more,says", [
    ('media = ["net"]', "bystander and has media"), ('disk = { size = "1M" }', "media or disks")])
def test_a_bystander_is_apart(more: str, says: str) -> None:
    with pytest.raises(Problem, match=says):
        cluster.parse(f"[media.net]\n[nodes.b]\nbystander = true\n{more}\n", "f")
    with pytest.raises(Problem, match="until with bystanders"):
        cluster.parse('until = "exit b"\n[nodes.b]\nbystander = true\n', "f")
    c = cluster.parse('for = "2s"\n[nodes.b]\nbystander = true\n', "f")
    assert "\nat 1999999999ns digest b\n" in plan.compile_cluster(c, []).text


def test_the_fabrics_faults_have_kinds_of_their_own() -> None:
    assert faults.Fault("restart", "node", "fabric", 0).id == "F09"
    assert faults.Fault("pause", "node", "fabric", 0).id == "F08"
    assert faults.Fault("restart", "node", "a", 0).id == "F13"


def test_the_readme_names_every_fault_with_its_parameters_and_invariant() -> None:
    """H20: each kind stands in harness/README.md as it is in the table."""
    text = (TOP / "harness/README.md").read_text()
    for name, kind in faults.KINDS.items():
        words = kind.words.replace("|", "\\|")
        row = (f"| `{name}{' ' + words if words else ''}` | {kind.id} | {kind.target} | {kind.about} | "
               f"{', '.join(kind.survives.split())} |\n")
        assert row in text, row


def test_one_is_not_said_as_many() -> None:
    said = cluster.describe(cluster.parse("[nodes.a]\nmedia = [\"net\"]\n[media.net]\n", "one"))
    assert said.startswith("one: 1 node (x86), 1 medium, 0 faults"), said
    assert units.counted(2, "node") == "2 nodes"


@pytest.mark.parametrize("given,said", [("count = 3", "0 faults and 3 drawn from the seed,"),
                                        ('every = "100ms"', "0 faults and one drawn each 100ms,")])
def test_faults_by_chance_are_said(given: str, said: str) -> None:
    text = f'[nodes.a]\nmedia = ["net"]\n[media.net]\n[random]\n{given}\n'
    assert said in cluster.describe(cluster.parse(text, "x"))


@pytest.mark.parametrize("text,ns", [("1s", 10**9), ("1.5ms", 1500000), ("7ns", 7), ("2m", 120 * 10**9)])
def test_times(text: str, ns: int) -> None:
    assert units.time_ns(text) == ns


@pytest.mark.parametrize("text", ["", "5", "s", "1.5ns", "-1s", "1 fortnight", "0x1s"])
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError):
        units.time_ns(text)


@pytest.mark.parametrize("ns,shown", [(12, "12 ns"), (1500, "1.5 us"), (10**9, "1 s"), (3600 * 10**9, "3,600 s")])
def test_times_for_people(ns: int, shown: str) -> None:
    assert units.short_time(ns) == shown


@given(st.integers(0, 10**15))
def test_times_shown_are_read_back(ns: int) -> None:
    assert units.time_ns(units.show_time(ns)) == ns


@given(st.integers(1, 2**40))
def test_sizes_shown_are_read_back(size: int) -> None:
    assert units.size_bytes(units.show_size(size)) == size


@pytest.fixture
def tree(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A build directory with the files that plans name."""
    for name in ("programs/init", "programs/hello", "images/node", "images/fabric"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\x7fELF" + name.encode())
    monkeypatch.setenv("OSMOSIS_BUILD", str(tmp_path))
    return tmp_path


def test_a_plan_has_its_lines_and_modules(tree: pathlib.Path) -> None:
    c = cluster.parse(RING.replace("count = 3", "count = 3\nprograms = [\"+kernel hello {name}\"]"), "ring")
    p = plan.compile_cluster(c, c.all_faults(1))
    lines = p.text.splitlines()
    assert any(line.startswith("create a1 image=node mem=8M cmdline=id=1") or
               line.startswith('create a1 image=node mem=8M cmdline="id=1') for line in lines)
    assert any(line.startswith("device vif a2 0 backend=fabric mac=02:05:00:00:00:02") for line in lines)
    assert lines[0] == f"# osmosis plan, version {result.FORMATS['plan']}: ring"
    assert "at 1s fault net loss 0.25" in lines and "at 1500ms fault net loss off" in lines
    assert "at 2s pause a2" in lines and "at 3s unpause a2" in lines
    assert lines[-1] == 'at 30s finish status=0 "time is up"'
    assert {"node", "fabric"} < set(p.modules) and len(p.modules) == 5


def test_the_same_boot_list_is_one_module(tree: pathlib.Path) -> None:
    c = cluster.parse("[nodes.a]\ncount = 50\nprograms = [\"hello\"]", "x")
    assert len(plan.compile_cluster(c, []).modules) == 2


def test_a_bundle_is_a_cpio_archive_with_a_boot_list(tree: pathlib.Path) -> None:
    data = plan.bundle({"init": b"I"}, ["init x", "wait"])
    said = subprocess.run(["cpio", "-it", "--quiet"], input=data, capture_output=True, check=True)
    assert said.stdout.split() == [b"boot", b"init"]


def test_a_program_that_does_not_exist_is_named(tree: pathlib.Path) -> None:
    c = cluster.parse("[nodes.a]\nprograms = [\"hallo\"]", "x.toml")
    with pytest.raises(Problem, match="x.toml: nodes.a.programs: program `hallo`.*known: hello, init"):
        plan.compile_cluster(c, [])


def test_words_are_quoted_when_they_must_be() -> None:
    assert words.quoted("plain-word.1") == "plain-word.1"
    assert words.quoted('a "b"\n\\\x01') == '"a \\"b\\"\\n\\\\\\x01"'
    assert words.quoted("") == '""'


def test_check_names_a_program_that_is_not_there(tmp_path: pathlib.Path) -> None:
    """H18: what a run would refuse `check` refuses, in the same words."""
    file = tmp_path / "c.toml"
    for name, said in (("hello", ""), ("helo", "nodes.n.programs: program `helo` does not exist (known: ")):
        file.write_text(f'for = "1s"\n[nodes.n]\nprograms = ["{name}"]\n')
        assert said in check.examine(file)
        assert bool(check.examine(file)) == bool(said)
