# SPDX-License-Identifier: BSD-2-Clause
"""What the toolstack asks of a domain by control/shutdown, by the control domain's `shutdown` here and by `xl` on
Xen: x86 and Z8000 nodes, with and without a network, computing or idle.
"""

import pathlib
import shutil

import pytest

from osmo import cluster, qemu, run

CLUSTER = """
clock = "count"
for = "3s"
[media.net]
[nodes.off]
programs = ["+kernel shell"]
[nodes.again]
media = ["net"]
programs = ["+kernel shell"]
[nodes.stays]
media = ["net"]
programs = ["+kernel shell"]
[nodes.busy]
programs = ["work 1000000"]
[nodes.old]
machine = "z8000"
media = ["net"]
programs = ["server"]
"""
ASK = """at 400ms shutdown off
at 500ms shutdown again reason=reboot
at 600ms shutdown stays reason=suspend
at 650ms input stays "help\\n"
at 700ms shutdown busy
at 750ms shutdown old reason=suspend
at 800ms shutdown old reason=halt
at 850ms resume stays
at 900ms resume stays
"""


def test_asked_to_end(tmp_path: pathlib.Path) -> None:
    """H12: power-off and reboot are heeded, whatever the node does; an x86 node that is suspended does nothing
    until it is let go on, once; what cannot be done is refused, in words, and the node goes on."""
    if not shutil.which(qemu.BINARY):
        pytest.skip("QEMU is not installed")
    prepared = run.prepare(cluster.parse(CLUSTER, "asked"), run.Options(), tmp_path)
    prepared.plan.text += ASK
    (tmp_path / "plan").write_text(prepared.plan.text)
    outcome = run.execute(prepared)
    said = {name: outcome.collector.text(name) for name in ("off", "again", "stays", "busy", "old")}
    assert "poweroff: as the toolstack asks" in said["off"] and "poweroff: as" in said["busy"], said
    assert said["again"].count("demos> ") == 2 and "reboot: as the toolstack asks" in said["again"], said
    before, after = said["stays"].split("node: goes on")
    assert "how busy" in after and "help" not in before, said
    changes = [e.event for e in outcome.collector.events if e.name == "stays" and e.event != "start"]
    assert changes == ["suspended", "resumed"], changes
    errors = [e.fields["error"] for e in outcome.collector.events if e.event == "error"]
    assert errors == ["stays is not suspended"], errors
    assert "suspend: asked by the toolstack, refused" in said["old"], said
    assert "halt: as the toolstack asks" in said["old"], said
    ended = {name: end.reason for name, end in outcome.collector.ended.items() if name != "again"}
    assert ended == {"off": "poweroff", "busy": "poweroff", "old": "poweroff"}
