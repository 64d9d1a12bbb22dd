"""The instruction forms of forms.tsv, and instructions made from them."""

import dataclasses
import pathlib
import re

TABLE = pathlib.Path(__file__).with_name("forms.tsv")


@dataclasses.dataclass(frozen=True)
class Form:
    name: str
    mode: str
    first: str
    next: str
    clocks: tuple[str, str, str]

    @property
    def size(self) -> str:
        if self.name.endswith("l") and self.name not in ("rl", "sll", "call", "sdl"):
            return "l"
        byte = self.name.endswith("b") and self.name not in ("sub",)
        return "b" if byte else "w"


def forms() -> list[Form]:
    rows = []
    for line in TABLE.read_text().splitlines()[1:]:
        name, mode, first, following, *clocks = line.split("\t")
        rows.append(Form(name, mode, first, following, (clocks[0], clocks[1], clocks[2])))
    return rows


# Fields of a pattern and what a test instruction has there. Pointers and pairs are even,
# counts and sources odd, so that registers can be filled by parity.
FIELDS = {
    "Rsnz": 2, "Rdnz": 4, "R1nz": 2, "R2nz": 6, "RRss": 8, "RRdd": 10, "RQdd": 12, "Rbss": 13,
    "Rbdd": 11, "Rsss": 9, "Rddd": 5, "Rrrr": 1, "Rxxx": 7, "CZSV": 15, "cccc": 8, "nnnn": 2,
    "bbbb": 2, "0bbb": 2,
}


def nibble(pattern: str, fields: dict[str, int]) -> str:
    if pattern in FIELDS:
        return f"{fields.get(pattern, FIELDS[pattern]):04b}"
    return "".join(bit if bit in "01" else "0" for bit in pattern)


def word(pattern: str, fields: dict[str, int]) -> int:
    """A 16-bit word of a pattern; fields not named take their usual value."""
    pattern = pattern.replace("_", "")
    assert len(pattern) == 16, pattern
    return int("".join(nibble(pattern[i:i + 4], fields) for i in range(0, 16, 4)), 2)


def address_words(segmentation: int) -> list[int]:
    """Nonsegmented, short, long."""
    return ([0x2040], [0x0140], [0x8100, 0x2040])[segmentation]


def immediates(size: str, mode: str) -> list[int]:
    if size == "b":
        return [0x0303, 0x0303]
    return [0, 3] if size == "l" and mode == "IM" else [3, 3]


def instruction(form: Form, segmentation: int, **fields: int) -> list[int]:
    """Words of an instruction of this form, and a few more than it may need."""
    words = [word(form.first, fields)]
    if re.match(r"[0x]{4}_?[R0x]", form.next):
        words.append(word(form.next, fields))
    if form.mode in ("DA", "X") and "port" not in form.next and not words[0] >> 8 in (0x3A, 0x3B):
        words += address_words(segmentation)
    long_immediate = "high" in form.next
    return words + immediates("l" if long_immediate else form.size, "IM" if long_immediate else "")


def registers(form: Form) -> list[int]:
    """Even registers 0, odd ones 3: pairs hold 3, pointers point at the page of a segment."""
    values = [0 if n % 2 == 0 else 3 for n in range(16)]
    if form.name in ("djnz", "dbjnz"):
        values = [0x0101] * 16
    if form.name == "divl":
        values[13] = 0
    return values


def case(form: Form, number: int, segmentation: int) -> list[str]:
    """Lines for z8000-step, but for `run`: one instruction of this form in system mode."""
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
    return [*lines, "coalesce 1", "steps 1"]
