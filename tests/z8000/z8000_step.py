"""Runs cases through build/z8000/z8000-step and takes its answers apart."""

import dataclasses
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
TOOL = TOP / "build" / "z8000" / "z8000-step"


@dataclasses.dataclass
class Result:
    """What one `run` printed."""

    name: str
    end: dict[str, str] = dataclasses.field(default_factory=dict)
    state: dict[str, str] = dataclasses.field(default_factory=dict)
    regs: list[int] = dataclasses.field(default_factory=list)
    bus: list[str] = dataclasses.field(default_factory=list)
    steps: list[dict[str, str]] = dataclasses.field(default_factory=list)
    words: dict[str, int] = dataclasses.field(default_factory=dict)
    io: list[str] = dataclasses.field(default_factory=list)


def pairs(text: str) -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", text))


def feed(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([TOOL], input=text, capture_output=True, text=True, timeout=100, check=False)


def run(text: str) -> list[Result]:
    """All results of the cases in `text`, which must be understood."""
    done = feed(text)
    assert done.returncode == 0, done.stderr
    results: list[Result] = []
    for line in done.stdout.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "CASE":
            results.append(Result(rest))
            continue
        here = results[-1]
        if kind == "END":
            here.end = pairs(rest)
        elif kind == "S":
            here.state = pairs(rest)
        elif kind == "R":
            here.regs = [int(word, 16) for word in rest.split()]
        elif kind == "B":
            here.bus.append(rest)
        elif kind == "STEP":
            here.steps.append(pairs(rest))
        elif kind == "W":
            address, value = rest.split()
            here.words[address] = int(value, 16)
        elif kind == "IO":
            here.io.append(rest)
        else:
            assert line == ".", line
    return results
