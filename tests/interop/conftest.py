# SPDX-License-Identifier: BSD-2-Clause
"""One booted Xen for all checks of a session; its tests run in one worker (group `xen`)."""

import pathlib
from collections.abc import Iterator

import pytest

from osmo import cluster, debian, dom0, linux, paths, plan, vmlinux, xen

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "harness" / "clusters" / "tools.toml"


def images() -> dict[str, bytes]:
    """GRUB's PVH image, Debian's Linux with the user space of our Linux nodes, every image of ours."""
    found = {p.name: p.read_bytes() for p in sorted((paths.build() / "images").glob("*"))
             if p.is_file() and p.read_bytes()[:4] == b"\x7fELF"}
    grub = debian.find("usr/lib/grub-xen/grub-i386-xen_pvh.bin")
    if grub:
        found["grub"] = grub.read_bytes()
    kernel = debian.kernel()
    if kernel:
        found |= {"linux": vmlinux.extracted(kernel).read_bytes(), "linux-initrd": linux.initrd()}
        tools = plan.compile_cluster(cluster.load(TOOLS), []).modules["tools-initrd"]
        found |= {"tools-initrd": tools} if isinstance(tools, bytes) else {}
    return found


@pytest.fixture(scope="session")
def testbed() -> Iterator[xen.Testbed]:
    why = dom0.missing()
    if why:
        pytest.skip(why)
    with xen.Testbed(images()) as bed:
        yield bed


@pytest.fixture
def built() -> pathlib.Path:
    return paths.build() / "images"
