# SPDX-License-Identifier: BSD-2-Clause
"""A cluster played for its figures: mostly by a clock that counts, a tick for each instruction."""

import pathlib
import tempfile

from osmo import cluster, paths, run
from osmo.errors import Problem


def played(made: cluster.Cluster, what: str, clock: str = "count") -> run.Outcome:
    """The run, which ended well; `what` names it if it did not."""
    with tempfile.TemporaryDirectory(dir=paths.scratch_parent()) as scratch:
        prepared = run.prepare(made, run.Options(clock=clock), pathlib.Path(scratch))
        prepared.setup.shift = 0
        outcome = run.execute(prepared)
    if not outcome.result.ok:
        raise Problem(outcome.result.error.splitlines()[0], where=what)
    return outcome
