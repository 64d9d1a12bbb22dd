# SPDX-License-Identifier: BSD-2-Clause
"""Media that lead outside: each is a virtio-net function of the machine that the fabric drives, and a
socket of QEMU's, on which another machine's medium is (net/fabric/outside.h).
"""

import re
from typing import TYPE_CHECKING

from osmo.errors import Problem

if TYPE_CHECKING:
    from osmo.cluster import Cluster, Medium

PLACE = r"[A-Za-z0-9.:-]*:[0-9]{1,5}"
WAY = re.compile(f"(listen|connect|mcast)={PLACE}|udp={PLACE},localaddr={PLACE}")
PORT = "outside"  # the port's name, for faults
MOST = 4
SHOWN = ["duplicate", "order", "leak"]  # invariants that half of a network's trace can show broken


def media(cluster: "Cluster") -> list["Medium"]:
    """Those that lead outside, whether a node here is on them or not."""
    return [m for m in cluster.media if m.outside]


def function(number: int) -> str:
    """On PCI's first bus: an interrupt line of the fabric's own."""
    return f"6.{number}"


def arguments(cluster: "Cluster", clock: str, machine: str) -> list[str]:
    """QEMU's, for the sockets and the devices on them."""
    found = media(cluster)
    if found and clock != "real":
        raise Problem(f"medium {found[0].name} leads outside: frames come at the host's time, which a run by "
                      f"clock `{clock}` cannot repeat", "say --clock real, or leave outside out")
    if found and machine == "microvm":
        raise Problem("a microvm has no PCI, and ways outside are on it", "say --machine q35 or pc")
    line = []
    for number, medium in enumerate(found):
        line += ["-netdev", f"socket,id=outside{number},{medium.outside}",
                 "-device", f"virtio-net-pci,netdev=outside{number},addr={function(number)},"
                            "multifunction=on,romfile="]
    return line
