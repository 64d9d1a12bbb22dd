# SPDX-License-Identifier: BSD-2-Clause
"""`osmosis check FILE...`: cluster files taken in, nothing started; the plan if asked for."""

import argparse
import json
import pathlib

from osmo import arguments, cluster, plan, schema
from osmo.errors import Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="*", type=pathlib.Path, help="cluster files")
    parser.add_argument("--plan", action="store_true", help="print the plan that would run")
    parser.add_argument("--seed", type=arguments.whole(0, schema.SEED_MOST),
                        help="draw random faults from this seed")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of cluster files")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")


def examine(path: pathlib.Path) -> str:
    """Empty if the file is good, else what is wrong with it."""
    try:
        plan.check_programs(cluster.load(path))
    except Problem as problem:
        return str(problem)
    return ""


def command(options: argparse.Namespace) -> int:
    if options.schema:
        print(schema.schema_text(), end="")
        return 0
    if not options.file:
        raise Problem("no cluster file is named", "osmosis check FILE.toml")
    verdicts = {str(path): examine(path) for path in options.file}
    bad = any(verdicts.values())
    if options.json:
        print(json.dumps([{"file": f, "ok": not said, "error": said} for f, said in verdicts.items()]))
        return 1 if bad else 0
    for path, said in verdicts.items():
        print(said or cluster.describe(cluster.load(pathlib.Path(path))))
        if options.plan and not said:
            loaded = cluster.load(pathlib.Path(path))
            seed = loaded.seed if options.seed is None else options.seed
            print(plan.compile_cluster(loaded, loaded.all_faults(seed)).text, end="")
    return 1 if bad else 0
