# SPDX-License-Identifier: BSD-2-Clause
"""The user space of a Linux node: busybox, Debian's network and disk drivers, a console shell.

Its address follows from its number on the kernel's command line (osmosis.number=N), so that
nodes can ping each other; osmosis.run=... (with ~ for a blank) is run instead of a shell.
"""

from osmo import initramfs

MODULES = ["xen-netfront", "xen-blkfront", "crc32c_generic", "ext4"]
INIT = """
word() { tr ' ' '\\n' </proc/cmdline | sed -n "s/^$1=//p" | head -n 1; }
n=$(word osmosis.number)
ip link set lo up
i=0
for nic in /sys/class/net/eth*; do
    [ -e "$nic" ] || continue
    ip addr add 10.5.$i.${n:-1}/24 dev ${nic##*/}
    ip link set ${nic##*/} up
    i=$((i + 1))
done
echo "linux: node ${n:-?} is up"
run=$(word osmosis.run)
if [ -n "$run" ]; then
    sh -c "$(echo "$run" | tr '~' ' ')"
    poweroff -f
fi
while true; do setsid cttyhack sh; done
"""


def initrd() -> bytes:
    return initramfs.base(INIT, MODULES).pack()
