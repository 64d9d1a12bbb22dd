"""Clocks of every instruction form, nonsegmented and with short and long addresses, as the
table forms.tsv has them (P32's base)."""

import re

import pytest

from z8000_forms import Form, forms, instruction
from z8000_step import run


def registers(form: Form) -> list[int]:
    """Even registers 0, odd ones 3: pairs hold 3, pointers point at the page of a segment."""
    values = [0 if n % 2 == 0 else 3 for n in range(16)]
    if form.name in ("djnz", "dbjnz"):
        values = [0x0101] * 16
    if form.name == "divl":
        values[13] = 0
    return values


def expected(form: Form, segmentation: int) -> int:
    text = form.clocks[segmentation].split("/")[0]
    n = {"multl": 2, "halt": 0}.get(form.name, 3)  # what the operands below make it
    match = re.fullmatch(r"(\d+)(?:\+(\d+)[nb])?", text)
    assert match, form
    return int(match[1]) + n * int(match[2] or 0)


def case(form: Form, number: int, segmentation: int) -> str:
    words = instruction(form, segmentation)
    fcw = 0x6000 | (0x8000 if segmentation else 0)
    if form.name in ("jp", "ret", "jr"):
        words = instruction(form, segmentation, cccc=8)
    if re.match(r"CP[SDI]", form.name.upper()):
        words = instruction(form, segmentation, cccc=0)
    lines = [
        f"new {number}.{segmentation}",
        f"cpu {'z8001' if segmentation else 'z8002'}",
        f"fcw={fcw:04X} pc=00:1000",
        " ".join(f"r{n}={value:X}" for n, value in enumerate(registers(form))),
        "mem 00:1000 " + " ".join(f"{w:04X}" for w in words),
    ]
    if not form.name.startswith("tr"):
        for where in ("00:0000", "00:2040", "01:2040", "01:0040"):
            lines.append(f"mem {where} 0303 0303 0303 0303")
    return "\n".join(lines + ["coalesce 1", "steps 1", "run", ""])


@pytest.mark.parametrize("segmentation", [0, 1, 2], ids=["nonsegmented", "short", "long"])
def test_clocks_of_every_form(segmentation: int) -> None:
    """DV01: emulated time is the chip's."""
    table = forms()
    assert len(table) > 430
    results = run("".join(case(form, i, segmentation) for i, form in enumerate(table)))
    wrong = [
        f"{form.name} {form.mode} {form.first}: {result.end['cyc']} not {expected(form, segmentation)}"
        for form, result in zip(table, results, strict=True)
        if int(result.end["cyc"]) != expected(form, segmentation)
    ]
    assert not wrong, "\n".join(wrong)
