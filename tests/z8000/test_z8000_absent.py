"""DV04 by the words of a case: each instruction form with pages missing under its references."""

import pytest

from z8000_forms import case, forms
from z8000_step import Result, run

# Program status in segment 2 (a Z8002: page 2), the system's stack in segment 3, so that frames and
# vectors of traps have pages of their own.
TRAPS = ["psapseg=8200 psapoff=0200", "mem 02:0208 0000 C000 8000 4000 0000 C000 8000 4000 0000 C000 8000 4000",
         "mem 00:0204 4000 4000 4000 4000 4000 4000"]
POINTERS = "r2=8400 r4=8500 r6=8600"  # to a page or a segment each
MODES = {"system": "", "normal": "fcw={:04X} nspseg=8300 nspoff=0F02", "unextended": "fcw={:04X}"}
BITS = {"normal": 0x0000, "unextended": 0x4000}


def pages(result: Result) -> list[str]:
    """Those of 256 bytes that memory was referred to in, in their order."""
    where = [line.split()[2] for line in result.bus if line[3] in "89ABCD"]
    return list(dict.fromkeys(at[:5] + "00" for at in where))


def missing(result: Result) -> list[str]:
    """Each page alone, then all at once."""
    each = pages(result)
    return [f"absent {page}" for page in each] + ["absent " + " ".join(each)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("segmentation", [0, 1, 2], ids=["nonsegmented", "short", "long"])
def test_every_form_with_pages_missing(segmentation: int, mode: str) -> None:
    """Instruction words, operands, both sides of block moves, port to memory, stack and trap frames, program
    status: bus, registers, memory and clocks are those of a run in which all were there. In normal mode
    privileged forms trap, without EPA extended ones."""
    state = MODES[mode].format(BITS.get(mode, 0) | (0x8000 if segmentation else 0))
    bodies = ["\n".join([*case(form, i, segmentation), *TRAPS, POINTERS, state, "bus 1", "trace 1"]) + "\n"
              for i, form in enumerate(forms())]
    free = run("".join(body + "run\n" for body in bodies))
    assert sum(len(pages(result)) >= 2 for result in free) > 200
    tried = [(body, result, line) for body, result in zip(bodies, free, strict=True) for line in missing(result)]
    held = run("".join(body + line + "\nrun\n" for body, _, line in tried))
    wrong = [f"{result.name}: {line}" for (_, result, line), other in zip(tried, held, strict=True)
             if other != result]
    assert not wrong, wrong[:20]
