"""The language of z8000-step: what it prints for cases that use each of its commands."""

import pytest

from z8000_step import feed, run

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


@pytest.mark.parametrize("line", ["nonsense", "r16=0", "mem 80:0000 1", "steps -1", "at 1 what 0", "io 1 10000"])
def test_lines_not_understood(line: str) -> None:
    done = feed("new x\n" + line + "\nrun\n")
    assert done.returncode == 2 and "line 2" in done.stderr


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
