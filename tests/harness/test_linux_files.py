# SPDX-License-Identifier: BSD-2-Clause
"""Initramfs, ELF and kernel images: made and taken apart without a machine."""

import gzip
import lzma
import pathlib
import struct
import subprocess

import pytest

from osmo import debian, elf, initramfs, vmlinux, xen
from osmo.cpio import Archive
from osmo.errors import Problem


def test_cpio_agrees_with_the_hosts_cpio(tmp_path: pathlib.Path) -> None:
    archive = Archive()
    archive.file("a/b/c", b"hello")
    archive.program("init", b"#!/bin/sh\n")
    archive.link("bin/sh", "busybox")
    archive.character_device("dev/null", 1, 3)
    said = subprocess.run(["cpio", "-itv"], input=archive.pack(), capture_output=True, check=True)
    names = [line.split()[-1] for line in said.stdout.decode().splitlines()]
    assert names == ["a", "a/b", "a/b/c", "bin", "busybox", "dev", "dev/null", "init"]
    subprocess.run(["cpio", "-id", "--quiet", "a/b/c", "init"], input=archive.pack(), check=True,
                   cwd=tmp_path)
    assert (tmp_path / "a/b/c").read_bytes() == b"hello"
    assert (tmp_path / "init").stat().st_mode & 0o777 == 0o755


def test_cpio_is_the_same_whatever_the_order() -> None:
    one, two = Archive(), Archive()
    one.file("x", b"1")
    one.file("y", b"2")
    two.file("y", b"2")
    two.file("x", b"1")
    assert one.pack() == two.pack()


def bzimage(payload: bytes) -> bytes:
    image = bytearray(1024)
    image[0x1F1] = 1
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", image, 0x248, 0, len(payload))
    return bytes(image) + payload


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress, lambda data: data])
def test_vmlinux_comes_out_of_a_bzimage(pack: object) -> None:
    kernel = b"\x7fELF" + bytes(range(256)) * 40
    assert vmlinux.extract(bzimage(pack(kernel) + b"1234")[:-4]) == kernel  # type: ignore[operator]


def test_vmlinux_lz4() -> None:
    lz4 = pytest.importorskip("lz4.block")
    kernel = b"\x7fELF" + bytes(100000)
    block = lz4.compress(kernel, store_size=False)
    payload = b"\x02\x21\x4c\x18" + struct.pack("<I", len(block)) + block
    assert vmlinux.extract(bzimage(payload)) == kernel


@pytest.mark.parametrize("image", [b"", b"MZ" * 1000, bzimage(b"????????")])
def test_what_is_no_kernel_is_refused(image: bytes) -> None:
    with pytest.raises(Problem):
        vmlinux.extract(image)


def test_debians_kernel_has_a_pvh_entry() -> None:
    kernel = debian.kernel()
    if kernel is None:
        pytest.skip("no Debian kernel")
    assert elf.Elf(vmlinux.extracted(kernel).read_bytes()).pvh_entry()


def test_grub_is_pvh_too() -> None:
    grub = debian.find("usr/lib/grub-xen/grub-i386-xen_pvh.bin")
    if grub is None:
        pytest.skip("grub-xen-host is not installed")
    assert elf.Elf(grub.read_bytes()).pvh_entry()


def test_needed_libraries_are_those_that_ldd_names() -> None:
    program = pathlib.Path("/bin/bash")
    folders = [pathlib.Path("/lib/x86_64-linux-gnu"), pathlib.Path("/usr/lib/x86_64-linux-gnu")]
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    named = {line.split()[0].split("/")[-1] for line in said.splitlines() if "vdso" not in line}
    assert {name.split("/")[-1] for name in elf.closure([program], folders)} == named


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + b"\xff" * 60])
def test_broken_elf_is_refused(data: bytes) -> None:
    with pytest.raises(Problem):
        elf.Elf(data)


def test_modules_come_after_what_they_need() -> None:
    kernel = debian.kernel()
    if kernel is None:
        pytest.skip("no Debian kernel")
    order = [p.name for p in initramfs.module_order(debian.modules(kernel), ["ext4", "bridge"])]
    assert order.index("jbd2.ko") < order.index("ext4.ko")
    assert order.index("stp.ko") < order.index("bridge.ko")
    with pytest.raises(Problem, match="frobnicate"):
        initramfs.module_order(debian.modules(kernel), ["frobnicate"])


def test_shutdown_reasons() -> None:
    head = "Name ID Mem VCPUs State Time(s) UUID Reason-Code Security Label\n"
    assert xen.shutdown_reason(head + "g 1 64 1 ------ 0.6 u-u - -") is None
    assert xen.shutdown_reason(head + "g 1 64 1 ---s-- 0.6 u-u 0 -") == "poweroff"
    assert xen.shutdown_reason(head + "g 1 64 1 ---sc- 0.6 u-u 3 -") == "crash"


def test_a_guest_with_a_network_names_our_script() -> None:
    text = xen.Guest("n", "image", mac="00:16:3e:00:00:01").config()
    assert "vif-osmosis" in text and 'type="pvh"' in text
