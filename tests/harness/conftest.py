# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the harness share."""

import os
import shutil
from collections.abc import Iterator

import pytest

from osmo import paths


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The images as they are now: a build beside the tests must not change them in between."""
    copy = tmp_path_factory.mktemp("frozen")
    for part in ("hyp/osmosis", "hyp/osmosis.64", "demos-fs", "demos-node", "images", "programs", "debug",
                 "bundles", "z8000/demos"):
        source = paths.build() / part
        (copy / part).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy / part)
        elif source.is_file():
            shutil.copy(source, copy / part)
    before = os.environ.get("OSMOSIS_BUILD")
    os.environ["OSMOSIS_BUILD"] = str(copy)
    yield
    os.environ.pop("OSMOSIS_BUILD")
    if before is not None:
        os.environ["OSMOSIS_BUILD"] = before
