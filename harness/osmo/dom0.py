# SPDX-License-Identifier: BSD-2-Clause
"""The control domain of real Xen: a Linux with Debian's toolstack, its bridge and its back ends,
no more than `xl` and guests need.
"""

from osmo import debian, elf, initramfs
from osmo.cpio import Archive
from osmo.errors import Problem

MODULES = ["xen-privcmd", "xenfs", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-netback",
           "xen-blkback", "loop", "bridge", "virtio_pci", "virtio_console"]
PROGRAMS = ("xl", "xenstored", "xenconsoled", "xen-init-dom0", "libxl-save-helper")
BIN = "usr/lib/xen-4.17/bin"

INIT = """
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t xenfs xen /proc/xen
mkdir -p /var/run/xen /var/run/xenstored /var/lib/xen /var/lib/xenstored /var/log/xen/console /var/lock
ln -s /usr/lib/xen-4.17 /usr/lib/xen
X=/usr/lib/xen-4.17/bin
$X/xenstored --pid-file /var/run/xenstored.pid
$X/xen-init-dom0
$X/xenconsoled --log=guest --log-dir=/var/log/xen/console
ip link set lo up
brctl addbr xenbr0
ip link set xenbr0 up
export PATH=$PATH:$X
while [ ! -e /dev/vport0p1 ]; do sleep 0.1; done
exec 3<>/dev/vport0p1
echo READY >&3
# Through a pipe: a shell on a terminal would prompt and edit.
cat <&3 | sh >&3 2>&1
"""
XL_CONF = """autoballoon="off"
run_hotplug_scripts=1
vif.default.script="vif-osmosis"
"""
# xl calls this instead of the package's scripts, which want bash and iproute.
VIF_SCRIPT = """#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/lib/xen-4.17/bin
case $1 in
online)
    ip link set $vif up
    brctl addif xenbr0 $vif
    xenstore-write $XENBUS_PATH/hotplug-status connected ;;
offline)
    brctl delif xenbr0 $vif 2>/dev/null || true ;;
esac
"""
# As Debian's own would, for block devices: which one it is, and that it is there.
BLOCK_SCRIPT = """#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/lib/xen-4.17/bin
[ "$1" = add ] || exit 0
disk=$(xenstore-read $XENBUS_PATH/params)
if [ -f $disk ]; then
    file=$disk
    disk=$(losetup -f)
    losetup $disk $file
fi
xenstore-write $XENBUS_PATH/physical-device $(stat -L -c %t:%T $disk)
xenstore-write $XENBUS_PATH/hotplug-status connected
"""


def missing() -> str:
    """Why there can be no test bed here, in words; empty if there can."""
    if debian.kernel() is None:
        return "no Debian Linux kernel (linux-image-amd64)"
    if debian.xen() is None:
        return "no Xen (xen-hypervisor-4.17-amd64)"
    for program in PROGRAMS:
        if debian.find(f"{BIN}/{program}") is None:
            return f"no {program} (xen-utils-4.17)"
    if debian.find("usr/bin/xenstore-write") is None:
        return "no xenstore-write (xenstore-utils)"
    return ""


def archive() -> Archive:
    """The control domain's user space."""
    made = initramfs.base(INIT, MODULES)
    programs = []
    for program in PROGRAMS:
        path = debian.find(f"{BIN}/{program}")
        if path is None:
            raise Problem(f"{program} is not here", "run `make deps` (xen-utils-4.17)")
        initramfs.add_program(made, path, f"{BIN}/{program}")
        programs.append(path)
    for name in ("xenstore-write", "xenstore-read", "xenstore-ls", "xenstore-chmod"):
        path = debian.find(f"usr/bin/{name}")
        if path is None:
            raise Problem(f"{name} is not here", "run `make deps` (xenstore-utils)")
        initramfs.add_program(made, path, f"usr/bin/{name}")
        programs.append(path)
    folders = [root / f for root in debian.roots() for f in
               ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/xen-4.17/lib/x86_64-linux-gnu")]
    libraries = elf.closure(programs, folders)
    # glibc loads this one by name when a thread is cancelled; no program names it.
    libraries["libgcc_s.so.1"] = elf.library("libgcc_s.so.1", folders)
    for name, path in libraries.items():
        initramfs.add_program(made, path, name if name.startswith("/") else f"lib/{name}")
    made.file("etc/xen/xl.conf", XL_CONF.encode())
    made.program("etc/xen/scripts/vif-osmosis", VIF_SCRIPT.encode())
    made.program("etc/xen/scripts/block-osmosis", BLOCK_SCRIPT.encode())
    return made
