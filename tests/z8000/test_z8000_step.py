"""The language of z8000-step: what it prints for cases that use each of its commands."""

import random
import re

import pytest

from z8000_step import Result, feed, run

SC = """new sc
r14=8000 r15=0F00 r0=1234 fcw=C000 psapoff=08FF pc=00:0200
mem 00:0200 7F12 7A00
mem 00:0818 0000 C000 8100 0300
mem 01:0300 7A00
bus 1
trace 1
run
"""

PRINTED = """CASE sc
B st=D RW 00:0200 7F12
B st=9 WW 00:0EFE 0202
B st=9 WW 00:0EFC 8000
B st=9 WW 00:0EFA C000
B st=9 WW 00:0EF8 7F12
B st=C RW 00:081A C000
B st=C RW 00:081C 8100
B st=C RW 00:081E 0300
STEP 0 pc=00:0200 op=7F12 cyc=39 iter=0
B st=D RW 01:0300 7A00
STEP 1 pc=01:0300 op=7A00 cyc=8 iter=0
END n=2 cyc=47 why=halt odd=0
R 1234 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 8000 0EF8
S fcw=C000 pc=01:0302 nsp=0000:0000 psap=0000:0800 refresh=0000 halt=1
W 00:0EF8 7F12
W 00:0EFA C000
W 00:0EFC 8000
W 00:0EFE 0202
.
"""


def test_every_line_of_a_trap() -> None:
    done = feed(SC)
    assert done.returncode == 0, done.stderr
    assert done.stdout == PRINTED, "PSAPOFF has no low byte"


GRAMMAR = [
    r"CASE .*", r"B st=[0-9A-F] R[WB] [0-9A-F]{2}:[0-9A-F]{4} ([0-9A-F]{4}|[0-9A-F]{2})",
    r"B st=[0-9A-F] WW [0-9A-F]{2}:[0-9A-F]{4} [0-9A-F]{4}",
    r"B st=[0-9A-F] WB [0-9A-F]{2}:[0-9A-F]{4} [0-9A-F]{2}",
    r"STEP \d+ pc=[0-9A-F]{2}:[0-9A-F]{4} op=[0-9A-F]{4} cyc=\d+ iter=\d+",
    r"END n=\d+ cyc=\d+ why=(halt|steps|limit) odd=\d+", r"R( [0-9A-F]{4}){16}",
    r"S fcw=[0-9A-F]{4} pc=[0-9A-F]{2}:[0-9A-F]{4} nsp=[0-9A-F]{4}:[0-9A-F]{4} psap=[0-9A-F]{4}:[0-9A-F]{4} "
    r"refresh=[0-9A-F]{4} halt=[01]",
    r"W [0-9A-F]{2}:[0-9A-F]{3}[02468ACE] [0-9A-F]{4}",
    r"IO [rw] [ns] W [0-9A-F]{4} [0-9A-F]{4}", r"IO [rw] [ns] B [0-9A-F]{4} [0-9A-F]{2}", r"\.",
]


def test_every_line_is_of_the_grammar() -> None:
    """Hexadecimal in upper case without prefix, counts decimal: all kinds of lines, with letters among
    their digits and counts beyond nine, and in this order."""
    case = """new all kinds
r1=abc0 r2=abe0 r3=b r4=00bd fcw=4000 pc=0A:0bc0 psapoff=ABFF nspseg=fedc nspoff=ba98 refresh=AB00 r15=ABCD
mem 0a:0BC0 BB11 0320 3D46 3F46 3A44 00BE 93F1 2024 7A00
mem 0a:ABC0 AAAA BBBB
io BD CAFE
io bd F00D
sio BE EE
absent 0A:ABC0
coalesce 1
trace 1
bus 1
run
"""
    lines = feed(case).stdout.splitlines()
    kinds = [next((n for n, form in enumerate(GRAMMAR) if re.fullmatch(form, line)), line) for line in lines]
    assert all(isinstance(kind, int) for kind in kinds), kinds
    assert {1, 2, 4, 5, 6, 7, 8, 9, 10, 11} <= set(kinds)
    ends = [line for line in lines if line[0] in "CERSWI."]
    assert [line.split()[0] for line in ends if not line.startswith("STEP")] == (
        ["CASE", "END", "R", "S"] + ["W"] * 12 + ["IO"] * 3 + ["."])
    assert "STEP 0 pc=0A:0BC0 op=BB11 cyc=110 iter=11" in lines
    assert "IO r n W 00BD CAFE" in lines and "IO w n W 00BD CAFE" in lines and "IO r n B 00BE FF" in lines


@pytest.mark.parametrize("line, n, cycles", [("steps 10", 10, 40), ("untilhalt 10", 10, 40), ("steps 12", 12, 48)])
def test_counts_are_decimal(line: str, n: int, cycles: int) -> None:
    """Also those given: `steps 10` makes ten."""
    words = " ".join(["A900"] * 40)
    (result,) = run(f"new n\nmem 00:0000 {words} 7A00\n{line}\nrun\n")
    assert (result.end["n"], result.end["cyc"], result.regs[0]) == (str(n), str(cycles), n)


def test_a_request_comes_at_a_decimal_step() -> None:
    words = " ".join(["8D07"] * 40)
    (result,) = run(f"new n\nr14=8000 r15=0F00 psapoff=0800\nmem 00:0100 {words}\npc=00:0100\n"
                    "mem 00:0828 0 C000 8000 0300\nmem 00:0300 7A00\nat 10 nmi ABCD\ntrace 1\nrun\n")
    assert len(result.steps) == 11 and result.words["00:0EFE"] == 0x0100 + 20 and result.words["00:0EF8"] == 0xABCD


def test_ports() -> None:
    """Successive words, the last repeated; bytes by the port's parity; FFFF where unset."""
    case = """new io
cpu z8002
fcw=4000 pc=00:0100 r2=40 r8=1234
io 40 1111 2222
sio 41 A1B2
mem 00:0100 3D20 3D21 3D24 3B54 0050 3A05 0041 3F28 3A86 0043 7A00
run
"""
    (result,) = run(case)
    assert result.io == [
        "r n W 0040 1111", "r n W 0040 2222", "r n W 0040 2222", "r n W 0050 FFFF",
        "r s B 0041 B2", "w n W 0040 1234", "w n B 0043 11",
    ]
    assert result.regs[4] == 0x2222 and result.regs[5] == 0xFFFF


@pytest.mark.parametrize("coalesce", [0, 1])
def test_block_steps(coalesce: int) -> None:
    case = f"""new ldir
fcw=4000 pc=00:0200 r1=0500 r2=0600 r3=3
mem 00:0200 BB11 0320 7A00
mem 00:0500 1111 2222 3333
trace 1
coalesce {coalesce}
run
"""
    (result,) = run(case)
    rows = [(step["cyc"], step["iter"]) for step in result.steps]
    assert rows == ([("38", "3"), ("8", "0")] if coalesce else [("20", "1"), ("9", "1"), ("9", "1"), ("8", "0")])
    assert result.words == {"00:0600": 0x1111, "00:0602": 0x2222, "00:0604": 0x3333}


def test_absent_pages_change_nothing_but_time_held() -> None:
    """DV04: the trap's own frame and program status on pages that are missing at first."""
    free, = run(SC)
    held, = run(SC.replace("bus 1", "absent 00:0200 00:0E00 00:0800 01:0300\nbus 1"))
    assert (held.bus, held.regs, held.state, held.words) == (free.bus, free.regs, free.state, free.words)


def test_requests() -> None:
    case = """new vi
r14=8000 r15=0F00 fcw=D800 psapoff=0800 pc=00:0200
mem 00:0200 8D07 8D07 8D07 7A00
mem 00:083A 4000
mem 00:085C 8000 0400
mem 00:0400 8D07 7A00
at 2 vi 0010
trace 1
run
"""
    (result,) = run(case)
    assert [step["pc"] for step in result.steps] == ["00:0200", "00:0202", "00:0204", "00:0402"]
    frame = [result.words[f"00:{at:04X}"] for at in (0x0EF8, 0x0EFA, 0x0EFC, 0x0EFE)]
    assert frame == [0x0010, 0xD800, 0x8000, 0x0204]


def test_odd_words_and_limits() -> None:
    case = """new odd
r14=8000 r15=0F01 pc=00:0200
mem 00:0200 93E0 E8FE
untilhalt 5
run
"""
    (result,) = run(case)
    assert result.end["why"] == "limit" and result.end["n"] == "5" and result.end["odd"] == "3"
    (result,) = run(case.replace("untilhalt 5", "steps 1"))
    assert result.end["why"] == "steps" and result.words == {"00:0EFE": 0} and result.regs[15] == 0x0EFF


WRONG = {
    "nonsense": "new, cpu, mem", "cpu z80": "cpu z8001 or cpu z8002", "cpu": "cpu z8001 or cpu z8002",
    "r16=0": "r0 to r15", "r1=10000": "KEY=VALUE", "r1=": "KEY=VALUE", "r1=-1": "KEY=VALUE", "r1": "KEY=VALUE",
    "r1=5 fcw": "KEY=VALUE", "what=1": "KEY=VALUE", "pc=80:0000": "pc (SS:OOOO", "=5": "KEY=VALUE",
    "mem 80:0000 1": "mem SS:OOOO", "mem 00:0000 10000": "mem SS:OOOO", "mem": "mem SS:OOOO",
    "memb 00:0000 100": "memb SS:OOOO", "io 1 10000": "io PORT", "sio 10000 1": "sio PORT",
    "at 1 what 0": "nmi|nvi|vi|segt", "at -1 nmi 0": "nmi|nvi|vi|segt", "at 1 nmi 0 0": "nmi|nvi|vi|segt",
    "steps -1": "steps N", "steps": "steps N", "untilhalt x": "untilhalt MAX", "trace 2": "trace 0 or trace 1",
    "bus": "bus 0 or bus 1", "coalesce yes": "coalesce 0", "absent 00:10000": "absent SS:OOOO", "run 2": "run",
}


@pytest.mark.parametrize("line", WRONG)
def test_lines_not_understood(line: str) -> None:
    """Such a line is named with its number and what would be right; all others count."""
    case = "new x\nr1=7 pc=00:0100\nmem 00:0100 A910 7A00\n"
    done = feed(case + line + "\nrun\n")
    assert done.returncode == 2 and "line 4 " in done.stderr and WRONG[line] in done.stderr
    assert done.stdout == feed(case + "run\n").stdout and "why=halt" in done.stdout


def small(*lines: str) -> Result:
    """A HALT at 100 of a Z8001, with more lines before `run`."""
    (result,) = run("\n".join(["new n", "pc=00:0100", "mem 00:0100 7A00", *lines, "run", ""]))
    return result


def test_every_key() -> None:
    """KEY=VALUE, hexadecimal in either case, as the state line shows them."""
    keys = " ".join(f"r{n}={0xa000 + n:x}" for n in range(16))
    result = small(keys, "fcw=D8fc psapseg=8100 psapoff=12ff nspseg=8200 nspoff=3456 refresh=9E00", "pc=7F:FFFE",
                   "mem 7f:fffe 7A00")
    assert result.regs == [0xA000 + n for n in range(16)]
    assert result.state == {"fcw": "D8FC", "pc": "7F:0000", "nsp": "8200:3456", "psap": "8100:1200",
                            "refresh": "9E00", "halt": "1"}


def test_new_forgets_and_names() -> None:
    """A second case begins with nothing of the first; its name is the rest of the line."""
    first, second = run("new one\nr1=5\nmem 00:0000 6F01 0400 7A00\nbus 1\ntrace 1\nrun\n"
                        "new the second\nmem 00:0000 6101 0400 7A00\nrun\n")
    assert first.words == {"04:0000": 5} and first.bus and first.steps
    assert second.name == "the second" and second.regs == [0] * 16 and not second.bus and not second.steps


def test_cpu_z8002_has_no_segments() -> None:
    result = small("fcw=C000", "cpu z8002")
    assert result.state["fcw"] == "4000"


def test_bytes_of_memory() -> None:
    """memb, also at odd addresses and over the end of a segment."""
    result = small("memb 03:FFFF AB CD", "r2=8300 r3=FFFF r4=8300", "mem 00:0100 2028 2049 7A00")
    assert result.regs[0] == 0x00AB and result.regs[1] == 0x00CD


def test_steps_and_untilhalt() -> None:
    loop = "mem 00:0100 E8FF"
    assert small(loop, "steps 7").end == {"n": "7", "cyc": "42", "why": "steps", "odd": "0"}
    assert small(loop, "untilhalt 9").end["why"] == "limit"
    assert small("steps 7").end == {"n": "1", "cyc": "8", "why": "halt", "odd": "0"}
    assert small("untilhalt").end["n"] == "1"
    assert small("steps 0").end["n"] == "0"


@pytest.mark.parametrize("kind, entry, status", [("nmi", 0x28, "5"), ("segt", 0x20, "4"), ("vi", 0x38, "7"),
                                                 ("nvi", 0x30, "6")])
def test_each_request(kind: str, entry: int, status: str) -> None:
    """The fetch given up, the acknowledge with its word, the frame, the status block; then an instruction."""
    result = small("r14=8000 r15=0F00 fcw=D800 psapoff=0800", "mem 00:0100 8D07 7A00",
                   f"mem 00:{0x802 + entry:04X} C000 8000 0300", "mem 00:0300 7A00", f"at 1 {kind} BE00",
                   "bus 1", "trace 1")
    assert [line for line in result.bus[1:]] == [
        "st=D RW 00:0102 7A00", f"st={status} RW 00:0000 BE00",
        "st=9 WW 00:0EFE 0102", "st=9 WW 00:0EFC 8000", "st=9 WW 00:0EFA D800", "st=9 WW 00:0EF8 BE00",
        f"st=C RW 00:{0x802 + entry:04X} C000", f"st=C RW 00:{0x804 + entry:04X} 8000",
        f"st=C RW 00:{0x806 + entry:04X} 0300", "st=D RW 00:0300 7A00"]
    assert [step["cyc"] for step in result.steps] == ["7", "47"]


def test_request_ends_a_halt_and_waits_while_masked() -> None:
    """A masked request stays; HALT takes three clocks a step until one comes."""
    state = ("r14=8000 r15=0F00 fcw=C000 psapoff=0800", "mem 00:0828 0000 C000 8000 0300", "mem 00:0300 7A00")
    result = small(*state, "at 1 nvi 0", "at 4 nmi 0", "trace 1")
    assert result.end == {"n": "5", "cyc": str(8 + 3 * 3 + 39 + 8), "why": "halt", "odd": "0"}


def test_ports_by_kind_and_lane() -> None:
    program = "mem 00:0100 3B04 0010 3B15 0010 3A24 0011 3A34 0012 7A00"
    result = small("io 10 1111", "sio 10 2222", program)
    assert result.regs[:4] == [0x1111, 0x2222, 0xFF00, 0xFF00]
    assert result.io == ["r n W 0010 1111", "r s W 0010 2222", "r n B 0011 FF", "r n B 0012 FF"]


def test_more_than_a_log_of_ports() -> None:
    """Every transfer is reported, however many."""
    (result,) = run("new many\nfcw=4000 r1=700 r2=10 r3=0\nmem 0 3B12 0320 3B12 0320 7A00\ncoalesce 1\nrun\n")
    assert len(result.io) == 2 * 65536


def test_a_long_line() -> None:
    """A whole segment fits in one."""
    words = " ".join(f"{n & 0xffff:X}" for n in range(32768))
    result = small("mem 05:0000 " + words, "r2=8500 r3=FFFC", "mem 00:0100 1424 7A00")
    assert result.regs[4:6] == [0x7FFE, 0x7FFF]


def test_run_again_goes_on() -> None:
    first, second = run("new x\nmem 0 A900 E8FE\nsteps 2\nrun\nrun\n")
    assert (first.regs[0], second.regs[0]) == (1, 2)


def test_a_request_is_raised_once() -> None:
    """`at 1` is spent in the first of two runs."""
    state = "new x\nr14=8000 r15=0F00 psapoff=0800 pc=00:0100\n"
    first, second = run(state + "mem 00:0100 8D07 E8FE\nmem 00:0828 0 C000 8000 0100\nat 1 nmi 0\n"
                        "steps 4\nrun\nrun\n")
    assert len(first.words) == len(second.words) == 4 and second.regs[15] == first.regs[15] == 0x0EF8


@pytest.mark.parametrize("word, status", [("0E21", "A"), ("0FE9", "B"), ("0FE1", "B"), ("4F0D", "A")])
def test_extended_memory_cycles(word: str, status: str) -> None:
    """With EPA set: a stack pointer's references have the EPU stack's status."""
    result = small("fcw=E000 r2=8200 r3=10 r14=8300 r15=20", f"mem 00:0100 {word} 0001 "
                   + ("8200 0010 7A00" if word == "4F0D" else "7A00"), "bus 1")
    cycles = [line for line in result.bus if line.startswith(f"st={status} ")]
    assert len(cycles) == 2 and result.end["why"] == "halt"
    assert cycles[0].split()[2] == ("03:0020" if status == "B" else "02:0010")


def test_any_lines_at_all() -> None:
    """Whatever comes, each `run` prints one whole result, each bad line is named, none stops it."""
    words = ["new a", "cpu z8002", "cpu z8001", "r1=FFFF r15=F001", "fcw=0", "fcw=FFFF", "pc=7F:FFFF",
             "mem 7F:FFFF 1234", "memb 0 FF", "io 1", "io 1 2 3", "sio FFFF 1", "at 0 nmi", "at 1 vi FFFF",
             "at 2 segt 1", "steps 30", "untilhalt 40", "trace 1", "trace 0", "bus 1", "bus 0", "coalesce 1",
             "absent 00:0000 7F:FF00", "absent",
             "form 0", "form", "run", "run", "", "# nothing", "nonsense", "\x01", "r1", "=", "mem", "mem 0"]
    for seed in range(5):
        dice = random.Random(seed)
        lines = [dice.choice(words) for _ in range(60)]
        lines += [f"mem {dice.randrange(2):02X}:{dice.randrange(0, 65536, 2):04X} "
                  + " ".join(f"{dice.randrange(65536):X}" for _ in range(8)) for _ in range(40)]
        dice.shuffle(lines)
        done = feed("\n".join(lines) + "\n")
        bad = sum(line in ("nonsense", "\x01", "r1", "=", "mem", "form") for line in lines)
        assert done.returncode in (0, 2) and (bad > 0) == (done.returncode == 2)
        assert done.stdout.count("CASE") == done.stdout.count("\n.\n") == lines.count("run")


def test_settings_before_new_hold_for_all() -> None:
    results = run("trace 1\nbus 1\nnew a\nmem 0 7A00\nrun\n"
                  "new b\nmem 0 7A00\nbus 0\nrun\nnew c\nmem 0 7A00\nrun\n")
    assert [bool(r.bus) for r in results] == [True, False, True] and all(r.steps for r in results)


@pytest.mark.parametrize("page", ["00:0100", "00:0EFF", "00:0800", "01:0300", "02:0010"])
def test_absent_supplies_and_completes(page: str) -> None:
    """Instruction words, stack, status block, operands: the page comes, the bus stays as without."""
    lines = ("r14=8000 r15=0F00 psapoff=0800 r2=8200 r3=10", "mem 00:0100 2320 7F00", "mem 02:0010 FFFF",
             "mem 00:0818 0000 C000 8100 0300", "mem 01:0300 7A00", "bus 1", "trace 1")
    free, held = small(*lines), small(*lines, f"absent {page}")
    assert (held.bus, held.steps, held.words, held.regs) == (free.bus, free.steps, free.words, free.regs)


def test_translation_loads_rh1_before_it_stores() -> None:
    """A pointer in R1, which the manual forbids: seen on silicon, the byte goes elsewhere."""
    case = """new trib
fcw=4000 pc=00:0200 r1=04FF r2=0500 r3=2
mem 00:0200 B810 0320 7A00
mem 00:04FE 0003
mem 00:0502 AA42
run
"""
    (result,) = run(case)
    assert result.regs[1] == 0x4300 and result.words == {"00:42FE": 0x0042}
