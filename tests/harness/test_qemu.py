# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's command line and life: the flags of a seeded run, nothing left behind."""

import os
import pathlib
import shutil
import time

import pytest

from osmo import cluster, doctor, qemu, run
from osmo.errors import Problem

needs_qemu = pytest.mark.skipif(not shutil.which(qemu.BINARY), reason="QEMU is not installed")


def line(**changes: object) -> list[str]:
    return qemu.argv(qemu.Setup(**{"kernel": pathlib.Path("k"), **changes}))  # type: ignore[arg-type]


def test_count_has_every_flag_that_determinism_needs() -> None:
    words = " ".join(line(clock="count", seed=7))
    for flag in ("-accel tcg", "-icount shift=3,sleep=off", "-seed 7", "-smp 1", "-nodefaults",
                 "-rtc base=2024-01-01T00:00:00,clock=vm", "-serial file:serial"):
        assert flag in words


def test_real_has_no_instruction_clock() -> None:
    words = line(clock="real", cpus=2)
    assert "-icount" not in words and "tcg,thread=multi" in words


@pytest.mark.parametrize("changes", [{"cpus": 2}, {"kvm": True}])
def test_count_elsewhere_is_an_error_with_its_remedy(changes: dict[str, object]) -> None:
    with pytest.raises(Problem) as caught:
        line(clock="count", **changes)
    assert caught.value.remedy


def kvm_here(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, nested: str | None) -> None:
    """A host whose KVM has the module parameter `nested`; None: one without KVM."""
    for name, text in (("kvm", nested), ("nested", nested)):
        (folder / name).unlink(missing_ok=True)
        if text is not None:
            (folder / name).write_text(text)
    monkeypatch.setattr(qemu, "KVM", folder / "kvm")
    monkeypatch.setattr(qemu, "NESTED", folder / "nested")


SMALL = cluster.parse('[nodes.n]\nprograms = ["hello"]\n')


@pytest.mark.parametrize("nested,clock,asked,kvm,said", [
    ("1\n", "real", None, True, "KVM, this host's KVM gives guests SVM"),
    ("Y\n", "event", None, True, "KVM, this host's KVM gives guests SVM"),
    ("1\n", "count", None, False, "TCG, clock `count` counts the emulator's instructions"),
    ("1\n", "real", False, False, "TCG, as asked for"), ("1\n", "event", True, True, "KVM, as asked for"),
    ("0\n", "real", None, False, "TCG, /dev/kvm gives no SVM to guests"),
    (None, "event", None, False, "TCG, no /dev/kvm"), (None, "count", None, False, "TCG, clock `count`")])
def test_which_machine_it_is_and_why(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, nested: str | None,
                                     clock: str, asked: bool | None, kvm: bool, said: str) -> None:
    """KVM where it gives guests SVM and the clock allows, else TCG; on hosts of any kind."""
    kvm_here(tmp_path, monkeypatch, nested)
    options = run.Options(clock=clock, kvm=asked)
    assert run.choose_clock(SMALL, options) == (clock, 1, kvm)
    assert run.machine_words(kvm, clock, options).startswith(said)
    words = line(clock=clock, kvm=kvm)
    assert (words[words.index("-accel") + 1] == "kvm") == kvm
    assert (words[words.index("-cpu") + 1] == "host") == kvm
    assert ("KVM with nested SVM" in doctor.virtualisation().said) == (nested in ("1\n", "Y\n"))


@pytest.mark.parametrize("options,what,remedy", [
    (run.Options(clock="count", kvm=True), "needs TCG", "leave --kvm out"),
    (run.Options(clock="count", cpus=2), "on one processor, not 2", "--cpus 1"),
    (run.Options(clock="event", kvm=True), "no SVM: no /dev/kvm", "leave --kvm out")])
def test_what_does_not_go_together_is_refused_as_the_user_meets_it(
        tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, options: run.Options, what: str,
        remedy: str) -> None:
    kvm_here(tmp_path, monkeypatch, None)
    with pytest.raises(Problem, match=what) as caught:
        run.choose_clock(SMALL, options)
    assert remedy in caught.value.remedy


def test_unknown_machine_names_the_known() -> None:
    with pytest.raises(Problem, match="q35, pc, microvm"):
        line(machine="vax")


def test_modules_and_their_commas() -> None:
    modules = [(pathlib.Path("/x/a,b"), "x=1,2"), (pathlib.Path("c"), "")]
    assert qemu.module_argument(modules) == "a,,b x=1,,2,c"


def test_no_folder_of_this_host_reaches_the_guest() -> None:
    words = line(kernel=pathlib.Path("/somewhere/k"), modules=[(pathlib.Path("/else/m"), "")])
    assert not [w for w in words if "/" in w]


def test_two_files_of_one_name_are_refused(tmp_path: pathlib.Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m").write_text(folder)
    setup = qemu.Setup(kernel=tmp_path / "a" / "m", modules=[(tmp_path / "b" / "m", "")])
    with pytest.raises(Problem, match="called m"):
        qemu.Qemu(setup).__enter__()


@needs_qemu
def test_nothing_is_left_behind(tmp_path: pathlib.Path) -> None:
    """A machine that does nothing at all still starts, stops, snapshots and goes."""
    kernel = tmp_path / "idle.bin"
    kernel.write_bytes(multiboot_halt())
    setup = qemu.Setup(kernel=kernel, memory_mib=16, machine="microvm", snapshots=True)
    with qemu.Qemu(setup) as machine:
        machine.stop()
        machine.ram.write(0x9000, b"before")
        machine.save("x")
        machine.ram.write(0x9000, b"after!")
        machine.load("x")
        assert machine.ram.read(0x9000, 6) == b"before"
        machine.resume()
        process, directory = machine.process, machine.directory
        assert machine.alive() and directory.is_dir() and 0 <= machine.delayed() < 600
    assert process is not None and process.poll() is not None
    assert not directory.exists()


@needs_qemu
def test_qemu_dies_with_its_parent(tmp_path: pathlib.Path) -> None:
    """Killing the command (not asking it) still ends the machine."""
    kernel = tmp_path / "idle.bin"
    kernel.write_bytes(multiboot_halt())
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        machine = qemu.Qemu(qemu.Setup(kernel=kernel, memory_mib=16, machine="microvm"))
        machine.start()
        assert machine.process
        os.write(write_end, f"{machine.process.pid} {machine.directory}".encode())
        time.sleep(60)
        os._exit(1)
    pid, directory = os.read(read_end, 200).decode().split(" ", 1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and os.path.exists(f"/proc/{pid}/exe"):
        time.sleep(0.05)
    shutil.rmtree(directory)
    assert not os.path.exists(f"/proc/{pid}/exe")


def multiboot_halt() -> bytes:
    """A multiboot 1 kernel with address fields: `cli; hlt; jmp .-1` at 1 MiB."""
    import struct
    magic, flags, base = 0x1BADB002, 0x10000, 0x100000
    header = struct.pack("<8I", magic, flags, -(magic + flags) & 0xFFFFFFFF,
                         base, base, base + 4096, base + 4096, base + 32)
    return (header + b"\xfa\xf4\xeb\xfd").ljust(4096, b"\0")
