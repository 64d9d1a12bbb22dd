# SPDX-License-Identifier: BSD-2-Clause
"""A cluster played for its figures: mostly by a clock that counts, a tick for each instruction."""


from osmo import cluster, run
from osmo.errors import Problem
from osmo.scratch import Scratch


def played(made: cluster.Cluster, what: str, clock: str = "count") -> run.Outcome:
    """The run, which ended well; `what` names it if it did not."""
    with Scratch() as scratch:
        prepared = run.prepare(made, run.Options(clock=clock), scratch)
        prepared.setup.shift = 0
        outcome = run.execute(prepared)
    if not outcome.result.ok:
        raise Problem(outcome.result.error.splitlines()[0], where=what)
    return outcome
