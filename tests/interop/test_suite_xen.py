# SPDX-License-Identifier: BSD-2-Clause
"""The ABI suite's kernels (tests/hyp/suite) on real Xen 4.17: what they expect of Osmosis is what
Xen does, but for the checks named here, each with its reason.
"""

import pathlib
import re
import sys

import pytest

from osmo import xen

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "control"))

import machine  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xen")]

NO_PAT = "under nested paging Xen leaves the PAT to the processor, and QEMU neither checks nor switches it"
DIFFERENT = {
    "invd": "Xen looks for another opcode than 0f 08 where the processor brings no next-RIP: #GP",
    "rdpmc": "#UD on Xen; without counters, #GP is what the manual says of a counter that is not there",
    "pat: as after reset": NO_PAT,
    "pat: type 2 is none": NO_PAT,
    "pat: type 3 is none": NO_PAT,
    "pat: type 8 is none": NO_PAT,
    "apic: told once": "Xen's error register keeps what a second write should have dropped",
    "apic: and interrupts": "and therefore takes the next error for the same",
}

# Calls and sub-operations that the survey (tests/hyp/suite/survey.c) finds answered differently, as
# `call.sub-operation`, a parameter's number, or a command of the control interface.
NOT_HERE = "Osmosis has it not, and says ENOSYS"
PV_CONTROL = "asked of Xen's control domain, which is no HVM guest"
SURVEYED = {
    r"7\.0|13\.0|26\.0|40\.\d+|41\.0|42\.\d|49\.0": NOT_HERE,
    r"12\.(5|16|17|18|19|21|24|25|26|27|28)|34\.(11|24|25)": NOT_HERE,
    r"32\.14": "a reset that Xen goes on with; ours goes on by itself",
    r"12\.(7|15|23)|34\.[01]|domctl\.(21|38|39|40|46|48|50)": PV_CONTROL,
    r"domctl\.5": "Xen goes through all domains for one that is not there, and says EINVAL",
    r"12\.[24]": "how much memory the machine has, and how far above its own a domain may go",
    r"12\.3": "Xen has memory under the hole below 1 MiB",
    r"12\.11": "for guests that own page tables: refused here before the structure is looked at",
    r"12\.13": "a guest's map is its builder's here, on Xen its own",
    r"18\.[02]": "Xen as released refuses guests the emergency console",
    r"20\.0": "a mapping that failed has no handle here; flags without meaning are refused later",
    r"20\.5": "which of two errors of a copy is told",
    r"20\.7": "unmap_and_replace is an unmapping here; Xen keeps it from guests without page tables of its making",
    r"34\.9": "no shadow paging here, whoever is meant",
    r"55\.0": "our own",
    r"param\.19": "EPERM here, ENODEV there",
}


# PAE kernels do not run on Xen under QEMU: it sets an accessed bit where Xen finds it reserved.
@pytest.mark.parametrize("shape", ["4", "2", "0"])
def test_same_on_xen(testbed: xen.Testbed, built: pathlib.Path, shape: str) -> None:
    """H04, H05, H06, H07: the same kernel, unchanged, with the same verdicts. `careful` leaves out
    the one check (CR0.NW without CD) that ends a guest of Xen under QEMU."""
    name = f"suite-{shape}"
    if not (built / name).is_file():
        pytest.skip(f"build/images/{name} is not built")
    testbed.put("module0", b"module 0")
    guest = xen.Guest(name, name, cmdline="words of a line careful", ramdisk="module0")
    outcome = testbed.run(guest, seconds=150)
    assert outcome.reason == "poweroff", outcome.console[-2000:]
    failed = re.findall(r"^FAIL (.*?): [^:]*$", outcome.console, re.M)
    assert set(failed) == set(DIFFERENT), [line for line in outcome.console.splitlines() if "FAIL" in line]
    assert len(re.findall("^ok ", outcome.console, re.M)) > 400


@pytest.mark.parametrize("how,reason", [("halt", "poweroff"), ("reboot", "reboot"), ("crash", "crash"),
                                        ("silent", "watchdog")])
def test_ends_as_on_osmosis(testbed: xen.Testbed, built: pathlib.Path, how: str, reason: str) -> None:
    """H05: the ends that tests/hyp/test_suite.py::test_ends finds."""
    if not (built / "suite-0").is_file():
        pytest.skip("build/images/suite-0 is not built")
    guest = xen.Guest(f"end-{how}", "suite-0", cmdline=f"x {how}", extra=['on_watchdog="preserve"'])
    outcome = testbed.run(guest, seconds=150)
    assert outcome.reason == reason, outcome.console


@pytest.mark.parametrize("name,bits,levels", [("low", 32, 0), ("high", 32, 2), ("narrow", 64, 4), ("x32", 64, 4)])
def test_files_of_other_kinds(testbed: xen.Testbed, built: pathlib.Path, name: str, bits: int,
                              levels: int) -> None:
    """H05: load address 0, a high one, ELF32 that carries 64-bit code, for both machines."""
    if not (built / f"suite-{name}").is_file():
        pytest.skip(f"build/images/suite-{name} is not built")
    outcome = testbed.run(xen.Guest(name, f"suite-{name}", cmdline="x halt"), seconds=150)
    assert f"A kernel of {bits} bits with {levels} levels of paging\n" in outcome.console
    assert "halting with interrupts off" in outcome.console and outcome.reason == "poweroff", outcome.console


def answers(said: str) -> dict[str, str]:
    return {m[1]: m[2] for m in re.finditer(r"^survey (\S+) (.*?)\r?$", said, re.M)}


@pytest.mark.parametrize("shape", ["4", "0"])
def test_every_call_answers_as_on_xen(testbed: xen.Testbed, tmp_path: pathlib.Path, shape: str) -> None:
    """H04: each hypercall and sub-operation of the public headers, with four arguments each, each
    parameter, each control command: results and changed words are the same but for those named."""
    name = f"suite-{shape}"
    if name not in testbed.have:
        pytest.skip(f"build/images/{name} is not built")
    there = answers(testbed.run(xen.Guest("survey", name, cmdline="x survey"), seconds=150).console)
    plan = (f'create k image={name} mem=32M cmdline="x survey"\nstart k\n'
            "when exit k finish\nat 90s finish status=1\n")
    here = answers(machine.run(tmp_path, plan, [name], seconds=150).serial)
    assert here.keys() == there.keys() and len(here) > 350
    different = {key for key in here if here[key] != there[key]}
    unknown = {key for key in different if not any(re.fullmatch(known, key) for known in SURVEYED)}
    assert not unknown, [(key, here[key], there[key]) for key in sorted(unknown)]
    gone = [known for known in SURVEYED if not any(re.fullmatch(known, key) for key in different)]
    assert not gone, gone
