# SPDX-License-Identifier: BSD-2-Clause
"""One booted Xen for all checks of a session; its tests run in one worker (group `xen`)."""

import pathlib
from collections.abc import Iterator

import pytest

from osmo import debian, dom0, paths, xen


def images() -> dict[str, bytes]:
    """GRUB's PVH image and every image of ours."""
    found = {p.name: p.read_bytes() for p in sorted((paths.build() / "images").glob("*"))
             if p.is_file() and p.read_bytes()[:4] == b"\x7fELF"}
    grub = debian.find("usr/lib/grub-xen/grub-i386-xen_pvh.bin")
    if grub:
        found["grub"] = grub.read_bytes()
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
