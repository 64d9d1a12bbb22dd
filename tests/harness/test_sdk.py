# SPDX-License-Identifier: BSD-2-Clause
"""Programs from outside the tree: `osmosis new` and `cc`, from an installed copy too (L31's and
H19's ground: one program file in every place)."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from osmo import cluster, paths, plan, qemu, sdk
from osmo.errors import Problem

TOP = pathlib.Path(__file__).resolve().parents[2]
OSMOSIS = TOP / "harness" / "osmosis"
LIBRARIES = all((paths.build() / "prog" / f"lib{n}.a").is_file() for n in ("demos", "base"))
BUILT = (paths.hypervisor().is_file() and all(paths.image(i).is_file() for i in ("control", "node"))
         and shutil.which(qemu.BINARY) is not None and LIBRARIES)
needs_libraries = pytest.mark.skipif(not LIBRARIES, reason="libdemos is not built (`make`)")


def osmosis(command: pathlib.Path, *words: object, where: pathlib.Path, status: int = 0) -> str:
    done = subprocess.run([str(command), *map(str, words)], cwd=where, capture_output=True, text=True,
                          check=False, timeout=500,
                          env={k: v for k, v in os.environ.items() if k != "OSMOSIS_BUILD"})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_flags_are_those_of_the_tree() -> None:
    """What mk/toolchain.mk asks of programs beyond warnings, size of debug data and paths."""
    said = subprocess.run(["make", "-s", "print-flags"], cwd=TOP, capture_output=True, text=True, check=True)
    words = next(line.split()[1:] for line in said.stdout.splitlines() if line.startswith("prog "))
    free = ("-W", "-I", "-O", "-g", "-ffile-prefix-map", "-fno-ident", "-mmem")
    assert {w for w in words if not w.startswith(free)} == set(sdk.FLAGS)


@needs_libraries
def test_a_new_program_runs_hosted_and_is_whole(tmp_path: pathlib.Path) -> None:
    osmosis(OSMOSIS, "new", "mine", where=tmp_path)
    folder = tmp_path / "mine"
    assert sorted(p.name for p in folder.iterdir()) == ["Makefile", "mine.c", "mine.toml"]
    osmosis(OSMOSIS, "cc", "-o", "mine", "-DUNUSED=1", "mine.c", where=folder)
    node = paths.build() / "demos-node"
    if node.is_file():
        said = subprocess.run([str(node), "--programs", str(_beside(folder, "mine")), "--run", "mine a b"],
                              capture_output=True, text=True, check=True, timeout=60)
        assert said.stdout == "mine has 2 arguments a b\n"


def _beside(folder: pathlib.Path, name: str) -> pathlib.Path:
    """A folder of programs: the tree's first one, and the new one."""
    programs = folder / "programs"
    programs.mkdir()
    for path in (paths.build() / "programs" / "init", folder / name):
        shutil.copy(path, programs)
    return programs


@pytest.mark.skipif(not BUILT, reason="the machine's images are not built (`make`)")
@pytest.mark.slow
def test_an_installed_copy_builds_and_runs_one(tmp_path: pathlib.Path) -> None:
    """Nothing of the tree is in reach but by the copy; the cluster is the template's."""
    subprocess.run([str(TOP / "harness" / "install-tree"), str(tmp_path / "usr")], check=True, capture_output=True)
    command = tmp_path / "usr" / "bin" / "osmosis"
    osmosis(command, "new", "mine", where=tmp_path)
    subprocess.run(["make", "mine"], cwd=tmp_path / "mine", check=True, capture_output=True,
                   env={**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}"})
    out = json.loads(osmosis(command, "run", "mine.toml", "--json", where=tmp_path / "mine"))
    assert out["ok"] and out["nodes"][0]["ended"] == "poweroff"


@needs_libraries
def test_what_does_not_build_is_said(tmp_path: pathlib.Path) -> None:
    (tmp_path / "bad.c").write_text("int main(void) { return missing(); }\n")
    assert "missing" in osmosis(OSMOSIS, "cc", "-o", "bad", "bad.c", where=tmp_path, status=2)
    assert "nothing to build" in osmosis(OSMOSIS, "cc", "-o", "bad", where=tmp_path, status=2)
    assert "does not exist" in osmosis(OSMOSIS, "cc", "-o", "bad", "none.c", where=tmp_path, status=2)
    assert "no program's name" in osmosis(OSMOSIS, "new", "a b", where=tmp_path, status=2)
    osmosis(OSMOSIS, "new", "twice", where=tmp_path)
    assert "not there yet" in osmosis(OSMOSIS, "new", "twice", where=tmp_path, status=2)


def test_a_program_by_its_path_is_brought_along(tmp_path: pathlib.Path) -> None:
    """It goes by its last part; one that is not there is named with the remedy."""
    file = tmp_path / "c.toml"
    file.write_text('[nodes.n]\nprograms = ["+kernel ./mine x ./y"]\n')
    with pytest.raises(Problem, match="does not exist") as caught:
        plan.compile_cluster(cluster.load(file), [])
    assert "osmosis cc" in caught.value.remedy
    if not (paths.build() / "programs" / "init").is_file():
        pytest.skip("programs are not built (`make`)")
    (tmp_path / "mine").write_bytes(b"a program")
    with pytest.raises(Problem, match="is no program of a DEMOS node"):
        plan.compile_cluster(cluster.load(file), [])
    (tmp_path / "mine").write_bytes(b"\x7fELF, a program")
    modules = plan.compile_cluster(cluster.load(file), []).modules
    (bundle,) = [data for name, data in modules.items() if name.startswith("bundle")]
    assert isinstance(bundle, bytes) and b"+kernel mine x ./y\n" in bundle and b"a program" in bundle
