# SPDX-License-Identifier: BSD-2-Clause
"""Runs a bundle of programs in the places a node can be in, and gives back what it printed."""

import pathlib
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
NODE = BUILD / "demos-node"
IMAGE = BUILD / "images" / "node"


def bundle(*commands: str) -> bytes:
    """A bundle of all programs that starts these."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "bundle"
        options = [o for c in commands for o in ("--run", c)]
        subprocess.run([NODE, *options, "--pack", out], check=True)
        return out.read_bytes()


def hosted(bundle_bytes: bytes, *options: str, seconds: float = 60) -> tuple[int, str]:
    """Status and output of a hosted node."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bundle_bytes)
        file.flush()
        done = subprocess.run([NODE, "--bundle", file.name, *options], timeout=seconds,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, text=True)
    return done.returncode, done.stdout


def native(bundle_bytes: bytes, append: str = "", counted: bool = False, cpu: str = "qemu64",
           seconds: float = 120) -> str:
    """What a node on the bare machine says on its serial port; it must end by itself."""
    with tempfile.TemporaryDirectory() as folder:
        module, serial = pathlib.Path(folder) / "bundle", pathlib.Path(folder) / "serial"
        module.write_bytes(bundle_bytes)
        clock = ["-icount", "shift=0,sleep=off", "-seed", "1",
                 "-rtc", "base=2024-01-01T00:00:00,clock=vm"] if counted else []
        subprocess.run(
            ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-cpu", cpu, "-m", "64", *clock,
             "-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{serial}",
             "-kernel", IMAGE, "-initrd", module, "-append", append],
            timeout=seconds, check=True, stdin=subprocess.DEVNULL)
        return serial.read_text(errors="replace").replace("\r\n", "\n")
