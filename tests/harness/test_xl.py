# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis xl`: configuration files as xl's parser takes them, and every file they name."""

import pathlib
import re

import pytest

from osmo import cli, cluster, plan, xl
from osmo.errors import Problem

IMAGE = "an image of nobody's"
TWO = """
[media.one]
[media.two]
[nodes.a]
machine = "foreign"
kernel = "kernel"
initrd = "initrd"
cmdline = "words 'of' a line"
memory = "12M"
cpus = 2
cap = 50
media = ["two", "one"]
disk = ["data", { size = "1M", readonly = true }]
[nodes.b]
machine = "foreign"
kernel = "kernel"
memory = "1536K"
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "two.toml").write_text(TWO)
    (tmp_path / "kernel").write_bytes(b"\x7fELF" + bytes(60))
    (tmp_path / "initrd").write_text(IMAGE)
    (tmp_path / "data").write_bytes(b"disk" * 128)
    return tmp_path


def test_what_xl_is_told(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out"
    assert cli.main(["xl", str(folder / "two.toml"), "--out", str(out), "--at", "/there", "--bridge", "br7"]) == 0
    said = (out / "a.cfg").read_text().splitlines()
    assert {'type = "pvh"', 'memory = 12', 'vcpus = 2', 'cap = 50', 'ramdisk = "/there/a-initrd"',
            'kernel = "/there/a-kernel"', """cmdline = "words 'of' a line\""""} <= set(said)
    assert 'vif = ["mac=02:05:00:00:00:01,bridge=xenbr1", "mac=02:05:01:00:00:01,bridge=br7"]' in said
    assert ('disk = ["format=raw,vdev=xvda,access=rw,target=/there/a-0.img", '
            '"format=raw,vdev=xvdb,access=ro,target=/there/a-1.img"]') in said
    assert "memory = 2" in (out / "b.cfg").read_text() and "vif" not in (out / "b.cfg").read_text()
    named = {name for path in out.glob("*.cfg") for name in re.findall(r"/there/([\w.-]+)", path.read_text())}
    assert named == {path.name for path in out.iterdir() if path.suffix != ".cfg"}
    assert (out / "a-0.img").read_bytes() == b"disk" * 128 and (out / "a-1.img").stat().st_size == 1 << 20
    assert "medium two: the host's bridge xenbr1" in capsys.readouterr().out


def test_what_xl_cannot_be_told(folder: pathlib.Path) -> None:
    made = cluster.load(folder / "two.toml")
    with pytest.raises(Problem, match="3 bridges for 2 media"):
        xl.bridges_of(made, ["a", "b", "c"])
    with pytest.raises(Problem, match="quotation"):
        xl.text("both ' and \"")
    start = plan.Start("image", "", "")
    assert "cmdline" not in xl.config(made.nodes[1], start, {}, "/x")
