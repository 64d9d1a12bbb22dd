# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's ELF file inside a bzImage, as Xen's and our loaders want it.

Layout: Documentation/arch/x86/boot.rst, fields setup_sects, payload_offset, payload_length.
"""

import bz2
import gzip
import lzma
import pathlib
import struct
import subprocess
from collections.abc import Callable

from osmo import paths
from osmo.errors import Problem

SETUP_SECTS, MAGIC, PAYLOAD = 0x1F1, 0x202, 0x248


def _lz4(data: bytes) -> bytes:
    """The legacy frame the kernel's build uses: blocks with a 32-bit length before each."""
    try:
        import lz4.block
    except ImportError:
        raise Problem("an lz4 kernel needs python3-lz4", "run `make deps`") from None
    out, offset = [], 4
    while offset + 4 <= len(data):
        length = struct.unpack_from("<I", data, offset)[0]
        offset += 4
        if length == 0 or offset + length > len(data):
            break
        out.append(lz4.block.decompress(data[offset:offset + length], uncompressed_size=8 << 20))
        offset += length
    return b"".join(out)


def _zstd(data: bytes) -> bytes:
    done = subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=False)
    if not done.stdout:
        raise Problem("the kernel is packed with zstd, which failed", "apt-get install zstd")
    return done.stdout


def _xz(data: bytes) -> bytes:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)


def _gzip(data: bytes) -> bytes:
    import zlib
    return zlib.decompressobj(31).decompress(data)


UNPACK: dict[bytes, Callable[[bytes], bytes]] = {
    b"\xfd7zXZ\0": _xz,
    b"\x02\x21\x4c\x18": _lz4,
    b"\x1f\x8b\x08": _gzip,
    b"\x28\xb5\x2f\xfd": _zstd,
    b"BZh": lambda data: bz2.BZ2Decompressor().decompress(data),
    b"\x7fELF": lambda data: data,
}


def extract(image: bytes) -> bytes:
    """The ELF file of a kernel image; an ELF file itself is returned as it is."""
    if image[:4] == b"\x7fELF":
        return image
    if len(image) < 0x250 or image[MAGIC:MAGIC + 4] != b"HdrS":
        raise Problem("neither an ELF file nor a Linux bzImage")
    sectors = image[SETUP_SECTS] or 4
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    payload = image[(sectors + 1) * 512 + offset:][:length]
    for magic, unpack in UNPACK.items():
        if payload.startswith(magic):
            elf = unpack(payload)
            if elf[:4] != b"\x7fELF":
                raise Problem("the kernel's payload unpacks to something that is no ELF file")
            return elf
    raise Problem(f"the kernel is packed in an unknown way ({payload[:4].hex()})")


def extracted(image: pathlib.Path) -> pathlib.Path:
    """The ELF file beside others in the cache; unpacked once per kernel."""
    stat = image.stat()
    target = paths.cache() / "vmlinux" / f"{image.name}-{stat.st_size}-{stat.st_mtime_ns:x}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        part.write_bytes(extract(image.read_bytes()))
        part.rename(target)
    return target


def gunzipped(path: pathlib.Path) -> bytes:
    """A file's bytes, unpacked if it is gzipped (Xen's package brings one such)."""
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
