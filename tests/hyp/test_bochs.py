# SPDX-License-Identifier: BSD-2-Clause
"""The second opinion: a one-file guest, and domains under the control domain, in Bochs (CPU model
`ryzen`: SVM with next-RIP), started from a GRUB CD. What works in only one of QEMU and Bochs is suspect.
"""

import pathlib
import re
import shutil
import subprocess
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BIOS = pathlib.Path("/usr/share/bochs/BIOS-bochs-latest")
VGA = pathlib.Path("/usr/share/vgabios/vgabios.bin")
CONFIGURATION = """\
megs: 256
cpu: model=ryzen, count=1, ips=200000000
romimage: file={bios}
vgaromimage: file={vga}
ata0-master: type=cdrom, path={here}/cd.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={here}/serial
log: {here}/log
display_library: rfb, options="timeout=0"
clock: sync=none
panic: action=fatal
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("bochs"),
    pytest.mark.skipif(not shutil.which("bochs") or not BIOS.exists() or not VGA.exists(),
                       reason="Debian's packages bochs, bochsbios and vgabios are not installed"),
]


def boot(here: pathlib.Path, *modules: str, seconds: float = 400) -> str:
    subprocess.run([TOP / "hyp" / "mkiso", here / "cd.iso", TOP / "build" / "hyp" / "osmosis", "", *modules],
                   check=True)
    (here / "configuration").write_text(CONFIGURATION.format(bios=BIOS, vga=VGA, here=here))
    (here / "start").write_text("c\n")  # Debian's Bochs waits in its debugger
    said = ""
    with (here / "out").open("w") as out, subprocess.Popen(
            ["bochs", "-q", "-f", "configuration", "-rc", "start"], cwd=here, stdout=out,
            stderr=out, stdin=subprocess.DEVNULL) as bochs:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and bochs.poll() is None:
            serial = here / "serial"
            said = serial.read_text(errors="replace") if serial.exists() else ""
            if re.search("finished with status.*\n", said) or "PANIC" in said:
                break
            time.sleep(0.2)
        bochs.kill()
    return said


def test_guest_in_bochs(tmp_path: pathlib.Path) -> None:
    """H01, H02 on another implementation of SVM."""
    said = boot(tmp_path, str(TOP / "build" / "guests" / "machine"))
    assert "next-RIP" in said and "Test result: SUCCESS" in said, said
    assert "finished with status 0" in said, said


def test_domains_in_bochs(tmp_path: pathlib.Path) -> None:
    """H04, H05: the hello domain, and the ABI's self-test, built by the control domain."""
    images = TOP / "build" / "images"
    (tmp_path / "plan").write_text("""
create n1 image=hello mem=8M start=yes
create abi image=test-abi mem=52M start=yes
""")
    said = boot(tmp_path, f"{images / 'control'}=echo=1", str(images / "hello"), str(images / "test-abi"),
                str(tmp_path / "plan"))
    assert "hello from Osmosis: domain 1" in said, said
    assert "Test result: SUCCESS" in said and "Test result: FAILURE" not in said, said
    assert "finished with status 0: all ended" in said, said
