# SPDX-License-Identifier: BSD-2-Clause
"""The four places a DEMOS node can be in, each running the same program file between two nodes.

`native`: the node's image on the bare (emulated) machine, one node, for two would be two QEMUs
whose clocks are not one. `osmosis` and `xen`: two domains of that image and the fabric's domain between them.
`hosted`: the node's core as a Linux process, a second one beside it. What a place cannot do is
a Problem; what comes back is the first node's console.
"""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator

from osmo import bench_run, cluster, paths, plan, qemu, xen
from osmo.errors import Problem
from osmo.scratch import Scratch

DONE = '{"compared": true}'
CLUSTER = """
clock = "{clock}"
for = "{length}"
until = 'output a "compared": true'
trace = false
[media.net]
rate = "10G"
latency = "1ns"
capture = false
[nodes.a]
memory = "64M"
media = ["net"]
programs = ["{line} 2"]
[nodes.b]
memory = "64M"
media = ["net"]
programs = ["compare host"]
"""
SECONDS = 300.0
PERIOD = 8.0


def line(rounds: int) -> str:
    """The boot list's line without the other machine's number."""
    return f"+kernel +machine compare {rounds}"


def bundle(command: str, program: str = "compare") -> bytes:
    names = ("init", program)
    files = {n: paths.need(paths.build() / "programs" / n).read_bytes() for n in names}
    return plan.bundle(files, [command])


def native(clock: str, rounds: int) -> str:
    with Scratch() as scratch:
        module = scratch / "bundle"
        module.write_bytes(bundle(line(rounds)))
        setup = qemu.Setup(kernel=paths.need(paths.image("node")), modules=[(module, "")], memory_mib=256,
                           clock=clock, shift=0)
        with qemu.Qemu(setup) as machine:
            until = time.monotonic() + SECONDS
            while machine.alive() and DONE not in machine.serial() and time.monotonic() < until:
                time.sleep(0.05)
            return complete(machine.serial(), "native")


def osmosis(clock: str, rounds: int) -> str:
    text = CLUSTER.format(clock=clock, length="600s", line=line(rounds))
    outcome = bench_run.played(cluster.parse(text, "compare"), "osmosis", clock)
    return complete(outcome.collector.text("a"), "osmosis")


def hosted(clock: str, rounds: int) -> str:
    """Two processes on one ether of sockets; there is no counter of instructions to go by."""
    if clock != "real":
        raise Problem("a Linux process counts no instructions by itself", where="hosted")
    program = str(paths.need(paths.build() / "demos-node"))
    with tempfile.TemporaryDirectory() as net:
        host = subprocess.Popen([program, "--net", net, "--id", "2", "--run", "compare host"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            done = subprocess.run([program, "--net", net, "--id", "1", "--run", f"{line(rounds)} 2"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                                  timeout=SECONDS)
        finally:
            host.kill()
            host.wait()
    return complete(done.stdout, "hosted")


XEN_IMAGES = ("fabric", "node")


def xen_images() -> dict[str, bytes]:
    """What the test bed must hold."""
    return {name: paths.need(paths.image(name)).read_bytes() for name in XEN_IMAGES}


def on_xen(bed: xen.Testbed, rounds: int) -> str:
    """On a test bed that has the images of `xen_images`."""
    with pair_on_xen(bed, "compare", f"{line(rounds)} 2"):
        return complete(bed.wait("n1", SECONDS, DONE, PERIOD).console, "xen")


@contextlib.contextmanager
def pair_on_xen(bed: xen.Testbed, program: str, asks: str) -> Iterator[None]:
    """n1, whose boot list says `asks`, and n2, where `program` may move to, with the fabric's domain between them:
    joined by xl, not otherwise than here."""
    bed.put(f"{program}-ask", bundle(asks, program))
    bed.put(f"{program}-host", bundle(f"{program} host", program))
    bed.shell.run("xenstore-write /osmosis/media/0 'name=net kind=ether rate=10000000000 latency=1ns'")
    bed.shell.run("xenstore-chmod -r /osmosis r0")
    guests = [xen.Guest("fabric", "fabric", 64, extra=["driver_domain=1"]),
              _node(2, f"{program}-host"), _node(1, f"{program}-ask")]
    try:
        for guest in guests:
            bed.create(guest)
            if guest.name == "fabric":
                bed.wait("fabric", 60, "fabric: ready")
        yield
    finally:
        for guest in reversed(guests):
            bed.destroy(guest.name)


def _node(number: int, module: str) -> xen.Guest:
    vif = f"vif=['mac=02:05:00:00:00:{number:02x},backend=fabric']"
    return xen.Guest(f"n{number}", "node", 64, cmdline=f"id={number}", ramdisk=module, extra=[vif])


def complete(text: str, where: str) -> str:
    """The console, if the program came to its end."""
    if DONE not in text:
        raise Problem(f"the program did not end: {text[-600:].strip() or 'it said nothing'}", where=where)
    return text
