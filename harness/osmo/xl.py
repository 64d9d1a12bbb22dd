# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis xl CLUSTER.toml`: the cluster's nodes for a host that runs Xen, a configuration file for
`xl create` each, with the same images and bundles that run here.

Media become bridges of that host, disks files beside the configurations. What belongs to our fabric
and our clocks stays here: faults, rates and latencies, captures, trace, the seed.
"""

import argparse
import dataclasses
import pathlib
import shutil

from osmo import arguments, cluster, plan
from osmo.cluster import Cluster, Disk, Node
from osmo.errors import Problem

BRIDGE = "xenbr"
LEFT = "faults, rates, captures and clocks are Osmosis's and stay behind"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=pathlib.Path, help="cluster file")
    parser.add_argument("--out", type=arguments.folder, required=True, metavar="DIR", help="where the files go")
    parser.add_argument("--at", metavar="DIR", help="where they will be on the Xen host; default: the same place")
    parser.add_argument("--bridge", action="append", default=[], metavar="NAME",
                        help="of the host, for the first medium, then for the next; default: xenbr0, xenbr1 ...")


def command(options: argparse.Namespace) -> int:
    made = cluster.load(options.file)
    bridges = bridges_of(made, options.bridge)
    options.out.mkdir(parents=True, exist_ok=True)
    at = options.at or str(options.out.resolve())
    write(made, bridges, options.out, at)
    for medium, bridge in bridges.items():
        print(f"medium {medium}: the host's bridge {bridge}")
    names = " ".join(f"{at}/{node.name}.cfg" for node in made.nodes)
    print(f"on the Xen host: for node in {names}; do xl create $node; done\n{LEFT}")
    return 0


def bridges_of(made: Cluster, named: list[str]) -> dict[str, str]:
    media = [m.name for m in made.media]
    if len(named) > len(media):
        raise Problem(f"{len(named)} bridges for {len(media)} media",
                      "name at most one each", made.path)
    return {name: named[i] if i < len(named) else f"{BRIDGE}{i}" for i, name in enumerate(media)}


def write(made: Cluster, bridges: dict[str, str], out: pathlib.Path, at: str) -> None:
    """Configurations, and all files they name."""
    compiler = plan.Compiler(dataclasses.replace(made, trace=False))
    for node in made.nodes:
        (out / f"{node.name}.cfg").write_text(config(node, compiler.start(node), bridges, at))
        for number, disk in enumerate(node.disks):
            write_disk(disk, out / disk_file(node, number))
    for name, content in compiler.modules.items():
        if isinstance(content, bytes):
            (out / name).write_bytes(content)
        else:
            shutil.copyfile(content, out / name)


def config(node: Node, start: plan.Start, bridges: dict[str, str], at: str) -> str:
    lines = [f"name = {text(node.name)}", 'type = "pvh"', f"kernel = {text(f'{at}/{start.image}')}",
             f"memory = {-(-node.memory // (1 << 20))}", f"vcpus = {node.vcpus('real')}"]
    if start.cmdline:
        lines.append(f"cmdline = {text(start.cmdline)}")
    if start.module:
        lines.append(f"ramdisk = {text(f'{at}/{start.module}')}")
    vifs = [text(f"mac={node.mac(i)},bridge={bridges[m]}") for i, m in enumerate(node.media)]
    disks = [text(f"format=raw,vdev=xvd{chr(ord('a') + i)},access={'ro' if disk.readonly else 'rw'},"
                  f"target={at}/{disk_file(node, i)}") for i, disk in enumerate(node.disks)]
    lines += [f"{key} = [{', '.join(values)}]" for key, values in (("vif", vifs), ("disk", disks)) if values]
    lines += [f"{key} = {value}" for key, value in (("cpu_weight", node.weight), ("cap", node.cap)) if value]
    return "\n".join(lines) + "\n"


def text(value: str) -> str:
    """As xl's files have it, where nothing can be escaped."""
    quote = next((q for q in "\"'" if q not in value), None)
    if quote is None:
        raise Problem(f"`{value}` has both kinds of quotation marks", "leave one out: xl takes no such text")
    return f"{quote}{value}{quote}"


def disk_file(node: Node, number: int) -> str:
    return f"{node.name}-{number}.img"


def write_disk(disk: Disk, path: pathlib.Path) -> None:
    if disk.file:
        shutil.copyfile(disk.file, path)
        return
    with path.open("wb") as file:
        file.truncate(disk.bytes)
