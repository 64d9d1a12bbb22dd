# SPDX-License-Identifier: BSD-2-Clause
"""The second opinion: one-file guests in Bochs (CPU model `ryzen`: SVM with next-RIP), started
from a GRUB CD. What works in only one of QEMU and Bochs is suspect.
"""

import pathlib
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


def boot(guest: str, here: pathlib.Path, seconds: float = 170) -> str:
    subprocess.run([TOP / "hyp" / "mkiso", here / "cd.iso", TOP / "build" / "hyp" / "osmosis", "",
                    TOP / "build" / "guests" / guest], check=True)
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
            if "finished with status" in said or "PANIC" in said:
                break
            time.sleep(0.2)
        bochs.kill()
    return said


@pytest.mark.parametrize("guest", ["hello", "machine"])
def test_guest_in_bochs(guest: str, tmp_path: pathlib.Path) -> None:
    """H01, H02 on another implementation of SVM."""
    said = boot(guest, tmp_path)
    assert "next-RIP" in said and "Test result: SUCCESS" in said, said
    assert "finished with status 0" in said, said
