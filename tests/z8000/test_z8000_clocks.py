"""Clocks of every instruction form, nonsegmented and with short and long addresses, as the
table forms.tsv has them (P32's base)."""

import re

import pytest

from z8000_forms import Form, case, forms
from z8000_step import run


def expected(form: Form, segmentation: int) -> int:
    text = form.clocks[segmentation].split("/")[0]
    n = {"multl": 2, "halt": 0}.get(form.name, 3)  # what the operands below make it
    match = re.fullmatch(r"(\d+)(?:\+(\d+)[nb])?", text)
    assert match, form
    return int(match[1]) + n * int(match[2] or 0)


@pytest.mark.parametrize("segmentation", [0, 1, 2], ids=["nonsegmented", "short", "long"])
def test_clocks_of_every_form(segmentation: int) -> None:
    """DV01: emulated time is the chip's."""
    table = forms()
    assert len(table) > 430
    results = run("".join("\n".join(case(form, i, segmentation)) + "\nrun\n" for i, form in enumerate(table)))
    wrong = [
        f"{form.name} {form.mode} {form.first}: {result.end['cyc']} not {expected(form, segmentation)}"
        for form, result in zip(table, results, strict=True)
        if int(result.end["cyc"]) != expected(form, segmentation)
    ]
    assert not wrong, "\n".join(wrong)
