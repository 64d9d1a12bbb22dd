# SPDX-License-Identifier: BSD-2-Clause
"""What pages claim is shown by something that is there: tests by name, clusters, commands."""

import pathlib
import re

from osmo import cli

TOP = pathlib.Path(__file__).resolve().parents[2]
SHOWN = re.compile(r"`(tests/[\w/]+\.(?:py|c))::(\w+)`")


def test_every_test_and_cluster_that_the_trust_page_names_is_there() -> None:
    page = (TOP / "harness" / "TRUST.md").read_text()
    named = SHOWN.findall(page)
    assert len(named) > 15
    for file, function in named:
        assert re.search(rf"\b{function}\(", (TOP / file).read_text()), f"{file} has no {function}"
    for cluster in re.findall(r"`(clusters/\w+\.toml)`", page):
        assert (TOP / "harness" / cluster).is_file(), cluster


def test_every_failure_has_something_that_shows_it() -> None:
    rows = [line for line in (TOP / "harness" / "TRUST.md").read_text().split("## Trust")[0].splitlines()
            if line.startswith("| ")][1:]
    assert len(rows) > 10 and all("`" in row.rsplit("|", 2)[1] for row in rows)


def test_the_front_page_names_commands_that_exist() -> None:
    """The first page a reader sees: each `harness/osmosis WORD` is one."""
    for words in re.findall(r"^harness/osmosis ([a-z, ]+)", (TOP / "README.md").read_text(), re.M):
        for word in words.split("  ")[0].split(","):
            assert word.split()[0] in cli.COMMANDS, word
