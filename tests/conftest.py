# SPDX-License-Identifier: BSD-2-Clause
"""What all tests share: the harness on the path, a marker per area, one machine at a time.

The folder of a test is its marker (`pytest -m net`); C tests get theirs from the folder of
their source. `slow` marks what `make test-quick` leaves out.
"""

import pathlib
import sys
from typing import Any

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS.parent / "harness"))

AREAS = sorted(p.name for p in TESTS.iterdir() if p.is_dir() and not p.name.startswith("_"))


def pytest_configure(config: Any) -> None:
    for area in AREAS:
        config.addinivalue_line("markers", f"{area}: tests of tests/{area}")
    config.addinivalue_line("markers", "slow: left out by make test-quick")


def area_of(item: Any) -> str | None:
    folder = pathlib.Path(item.fspath).parent.name
    if folder in AREAS:
        return folder
    source = getattr(item, "callspec", None) and item.callspec.params.get("source")
    return source.parts[0] if isinstance(source, pathlib.Path) else None


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        area = area_of(item)
        if area:
            item.add_marker(getattr(pytest.mark, area))
