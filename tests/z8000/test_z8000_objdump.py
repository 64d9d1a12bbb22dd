"""Our decoder against GNU objdump: name and length of the instruction that each of the
65,536 first words begins, nonsegmented and segmented."""

import pathlib
import re
import subprocess

import pytest

from z8000_step import TOP, feed

SLOT = 16  # bytes a word and what follows it have in the file

# One name here where objdump looks at the next word for which of two to print.
SAME = {
    "slab": {"slab", "srab"}, "sla": {"sla", "sra"}, "slal": {"slal", "sral"},
    "sllb": {"sllb", "srlb"}, "sll": {"sll", "srl"}, "slll": {"slll", "srll"},
}


def tools() -> pathlib.Path:
    where = [str(TOP / "harness" / "z8k-binutils"), "--where"]
    done = subprocess.run(where, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no z8k-coff binutils (harness/z8k-binutils builds them)")
    return pathlib.Path(done.stdout.strip())


def ours() -> dict[int, tuple[str, int, bool]]:
    done = feed("".join(f"form {word:04X}\n" for word in range(65536)))
    assert done.returncode == 0
    table = {}
    for line in done.stdout.splitlines():
        _, word, name, words, address = line.split()
        table[int(word, 16)] = (name, int(words), address == "1")
    return table


def theirs(folder: pathlib.Path, machine: str, words: range, follow: str) -> dict[int, tuple[str, int]]:
    image = folder / "words.bin"
    image.write_bytes(b"".join(word.to_bytes(2, "big") + bytes.fromhex(follow) * 7 for word in words))
    listing = subprocess.run(
        [tools() / "z8k-coff-objdump", "-D", "-b", "binary", "-m", machine, "--no-show-raw-insn", image],
        capture_output=True, text=True, check=True, timeout=100,
    ).stdout
    starts = []
    for line in listing.splitlines():
        match = re.match(r"^\s*([0-9a-f]+):\s+(\S+)", line)
        if match:
            starts.append((int(match[1], 16), match[2]))
    found = {}
    for (at, name), (after, _) in zip(starts, starts[1:] + [(len(words) * SLOT, "")]):
        if at % SLOT == 0:
            found[words[at // SLOT]] = (name, (after - at) // 2)
    return found


@pytest.mark.parametrize("machine", ["z8002", "z8001"])
def test_names_and_lengths(machine: str, tmp_path: pathlib.Path) -> None:
    """Every word that objdump knows, we know by the same name and length, and the other way."""
    mine = ours()
    # What follows reads as a register field or count (0C08) or a long address (8D07, a nop).
    rows = []
    for follow in ("8d07", "0c08"):
        for word, (name, length) in theirs(tmp_path, machine, range(65536), follow).items():
            our_name, our_length, address = mine[word]
            if machine == "z8001" and address and follow == "8d07":
                our_length += 1
            rows.append((word, name, length, our_name, our_length, follow))
    bad = [w for w in rows if not agree(*w)]
    assert len(rows) > 100000
    assert not bad, f"{len(bad)}: {bad[:40]}"


def agree(word: int, name: str, length: int, our_name: str, our_length: int, follow: str) -> bool:
    """Reserved words do nothing here; of extended ones objdump shows the first word only."""
    del follow
    if name.startswith("rsvd") or name in ("bpt", "brk"):
        return our_name in ("-", "ext")
    if name.startswith("ext"):
        return our_name.startswith("ext")
    if our_name == "-":
        # Control register numbers 0 and 1 and EI, DI with more bits set name nothing.
        return word >> 8 in (0x7C, 0x7D) or name == ".word"
    return name == ".word" or (name in SAME.get(our_name, {our_name}) and length == our_length)
