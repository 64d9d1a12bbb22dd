# SPDX-License-Identifier: BSD-2-Clause
"""Every command of harness/TUTORIAL.md carried out, and what it says held against the page (DG01)."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

import pytest
from test_attend import BUILT

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = TOP / "harness" / "TUTORIAL.md"
BLOCK = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.M | re.S)


def blocks() -> Iterator[tuple[str, str, str]]:
    """Kind, name and text of each block of the page."""
    for kind, name, text in BLOCK.findall(PAGE.read_text()):
        yield kind or "said", name, text


def said(line: str, output: str) -> bool:
    """Whether a line of the page stands in the output, blanks aside."""
    words = [r"\s+".join(re.escape(w) for w in part.split()) for part in line.split("...")]
    return re.search(r".*?".join(rf"\s*{w}\s*" for w in words), output) is not None


def test_dots_stand_for_anything() -> None:
    output = "crash    1/1   0/1  1/1\nok: 12 ms\n"
    assert said("crash ... 0/1 ...", output) and said("ok: ... ms", output)
    assert not said("crash ... 0/2", output) and not said("ok: 13 ms", output)


@pytest.mark.skipif(not BUILT or not shutil.which("gdb"), reason="images or gdb are missing")
@pytest.mark.slow
@pytest.mark.usefixtures("frozen")
def test_the_tutorial_does_what_it_says() -> None:
    with tempfile.TemporaryDirectory(prefix="osmo-") as name:
        folder = pathlib.Path(name)
        (folder / "osmosis").symlink_to(TOP / "harness" / "osmosis")
        env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": name}
        output, lines = "", 0
        for kind, file, text in blocks():
            if kind == "toml":
                (folder / file).write_text(text)
            elif kind == "sh":
                done = subprocess.run(["bash", "-ec", text], cwd=folder, env=env, capture_output=True, text=True,
                                      check=False, timeout=500)
                output = done.stdout + done.stderr
                assert done.returncode == 0, f"{text}\n{output}"
            else:
                for line in text.splitlines():
                    assert said(line, output), f"the page says `{line}`, the command\n{output}"
                    lines += 1
        assert lines > 15
