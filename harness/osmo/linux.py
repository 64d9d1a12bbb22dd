# SPDX-License-Identifier: BSD-2-Clause
"""The user space of a Linux node: busybox, Debian's network and disk drivers, a console shell.

Its address follows from its number on the kernel's command line (osmosis.number=N), so that
nodes can ping each other; osmosis.run=... (with ~ for a blank) is run instead of a shell. With a
bundle it has a DEMOS node too, the hosted one, started by `demos`: its network is the machine's
interfaces, its console whatever input and output `demos` is given, a pipe for instance. It is what
runs, once, where the command line names nothing else.
"""

from typing import TYPE_CHECKING

from osmo import initramfs, paths

if TYPE_CHECKING:
    from osmo.cluster import Cluster, Node

BLOCK = 1514  # the largest frame of Linux's interfaces, which all nodes of a medium must keep to
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
    ethers="$ethers --ether ${nic##*/}"
    i=$((i + 1))
done
echo "linux: node ${n:-?} is up"
run=$(word osmosis.run)
if [ -e /demos/bundle ]; then
    printf '#!/bin/sh\\nexec /demos/node --id %s%s --memory 24 --bundle /demos/bundle\\n' \\
        "${n:-1}" "$ethers" >/bin/demos
    chmod 755 /bin/demos
    : ${run:=demos}
fi
if [ -n "$run" ]; then
    sh -c "$(echo "$run" | tr '~' ' ')"
    poweroff -f
fi
while true; do setsid cttyhack sh; done
"""


def hosts(node: "Node") -> bool:
    """Whether a DEMOS node runs in it."""
    return node.machine == "linux" and bool(node.programs)


def on(cluster: "Cluster", medium: str) -> bool:
    """Whether such a node is on this medium."""
    return any(hosts(node) for node in cluster.attached(medium))


def initrd(bundle: bytes | None = None) -> bytes:
    archive = initramfs.base(INIT, MODULES)
    if bundle is not None:
        archive.program("demos/node", paths.need(paths.build() / "demos-node").read_bytes())
        archive.file("demos/bundle", bundle)
    return archive.pack()
