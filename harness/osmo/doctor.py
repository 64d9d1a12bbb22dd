# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis doctor`: what this machine has and lacks, what that means, and what to install."""

import argparse
import dataclasses
import json
import os
import shutil
import subprocess

from osmo import debian, paths, qemu


@dataclasses.dataclass(frozen=True)
class Tool:
    """A program something here calls, the Debian package it comes in, and what for."""

    program: str
    package: str
    purpose: str
    needed: bool = False


TOOLS = (
    Tool("qemu-system-x86_64", "qemu-system-x86", "running machines", True),
    Tool("gcc", "gcc", "building", True),
    Tool("make", "make", "building", True),
    Tool("ld.bfd", "binutils", "building", True),
    Tool("clang", "clang", "fuzzers and the second build"),
    Tool("clang-format", "clang-format", "lint"),
    Tool("clang-tidy", "clang-tidy", "lint"),
    Tool("cppcheck", "cppcheck", "lint"),
    Tool("shellcheck", "shellcheck", "lint"),
    Tool("mypy", "mypy", "lint"),
    Tool("flake8", "flake8", "lint"),
    Tool("qemu-img", "qemu-utils", "snapshots"),
    Tool("grub-mkrescue", "grub-common", "ISO images"),
    Tool("xorriso", "xorriso", "ISO images"),
    Tool("mformat", "mtools", "ISO images for UEFI"),
    Tool("tshark", "tshark", "reading captures"),
    Tool("valgrind", "valgrind", "figures of the hosted build"),
    Tool("bochs", "bochs", "the second machine"),
    Tool("chromium-headless-shell", "chromium-headless-shell", "pictures of reports"),
    Tool("mkfs.ext4", "e2fsprogs", "disks of Linux guests"),
    Tool("gdb", "gdb", "debugging nodes"),
)


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the doctor's report; `bad` ones make the exit status 1."""

    name: str
    state: str
    said: str
    remedy: str = ""

    @property
    def bad(self) -> bool:
        return self.state == "missing"


def which(program: str) -> str | None:
    """Like the shell, but sbin counts too: mkfs lives there."""
    search = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    return shutil.which(program, path=search)


def remedy(tool: Tool) -> str:
    return f"apt-get install {tool.package}, or `make deps`"


def tools() -> list[Finding]:
    found = []
    for tool in TOOLS:
        path = which(tool.program)
        state = "ok" if path else "missing" if tool.needed else "absent"
        found.append(Finding(tool.program, state, path or f"for {tool.purpose}", "" if path else remedy(tool)))
    return found


def qemu_version() -> str:
    """The first line of QEMU's own words, empty without QEMU."""
    if not which(qemu.BINARY):
        return ""
    said = subprocess.run([qemu.BINARY, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.splitlines()[0] if said.stdout else ""


def virtualisation() -> Finding:
    why = qemu.without_kvm()
    if not why:
        return Finding("acceleration", "ok", "KVM with nested SVM: clock `real` at full speed")
    return Finding("acceleration", "ok", f"{why}: QEMU emulates SVM, about 7 us a world switch")


def iommu() -> Finding:
    return Finding("IOMMU", "note", "not used: a domain that drives a device with DMA is trusted")


def built() -> list[Finding]:
    found = []
    for name, path in (("hypervisor", paths.hypervisor()), ("control domain", paths.image("control"))):
        here = path.is_file()
        found.append(Finding(name, "ok" if here else "absent", str(path), "" if here else "run `make`"))
    return found


def foreign() -> list[Finding]:
    """Kernels and hypervisors of others, for the interoperation tests and `compare`."""
    parts = (("Linux kernel", debian.kernel(), "linux-image-amd64"),
             ("Xen", debian.xen(), "xen-hypervisor-4.17-amd64"),
             ("xl", debian.find("usr/lib/xen-4.17/bin/xl"), "xen-utils-4.17"),
             ("busybox", debian.find("bin/busybox", "usr/bin/busybox"), "busybox-static"),
             ("GRUB for PVH", debian.find("usr/lib/grub-xen/grub-i386-xen_pvh.bin"), "grub-xen-host"))
    return [Finding(name, "ok" if path else "absent", str(path or "for comparison and interoperation"),
                    "" if path else f"`make deps` unpacks {package}") for name, path, package in parts]


def host() -> list[Finding]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    free = shutil.disk_usage(paths.scratch_parent()).free >> 20
    return [Finding("processors", "ok", str(os.cpu_count())),
            Finding("memory", "ok" if pages >= 2048 else "note", f"{pages} MiB"),
            Finding("room for machines", "ok" if free >= 1024 else "note",
                    f"{free} MiB in {paths.scratch_parent()}")]


def examine() -> list[Finding]:
    version = qemu_version()
    head = [Finding("QEMU", "ok", version)] if version else []
    return head + tools() + [virtualisation(), iommu()] + host() + built() + foreign()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def command(options: argparse.Namespace) -> int:
    findings = examine()
    bad = [f for f in findings if f.bad]
    if options.json:
        rows = [dataclasses.asdict(f) for f in findings]
        print(json.dumps({"ok": not bad, "findings": rows}, indent=1))
        return 1 if bad else 0
    width = max(len(f.name) for f in findings)
    for finding in findings:
        remedy = f"  -> {finding.remedy}" if finding.remedy else ""
        print(f"{finding.state:8}{finding.name:{width}}  {finding.said}{remedy}")
    print("Something needed is missing: run `make deps`." if bad
          else "This machine can build and run Osmosis.")
    return 1 if bad else 0
