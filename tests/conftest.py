# SPDX-License-Identifier: BSD-2-Clause
"""What all tests share: the harness and helper modules on the path, a marker per area, the order.

The folder of a test is its marker (`pytest -m net`); C tests get theirs from the folder of
their source. `slow` marks what `make test-quick` leaves out. Long tests start first, so that
the last minutes are not one worker's alone.
"""

import pathlib
import signal
import sys
from typing import Any

import hypothesis
import pytest

TESTS = pathlib.Path(__file__).resolve().parent
AREAS = sorted(p.name for p in TESTS.iterdir() if p.is_dir() and not p.name.startswith("_"))
# Helper modules of all areas are found by name (tests/ground holds the names unique).
sys.path[:0] = [str(TESTS.parent / "harness"), *(str(TESTS / area) for area in AREAS)]
# What takes longest, longest first; the rest of `slow` follows, then everything else.
LONG = ("test_lint_is_clean", "test_images_do_not_depend_on_where_they_are_built",
        "test_each_header_stands_alone", "tests/interop/",
        "tests/harness/test_runs.py")


def pytest_configure(config: Any) -> None:
    # What a shell starts in the background ignores Ctrl-C, and so would what the tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for area in AREAS:
        config.addinivalue_line("markers", f"{area}: tests of tests/{area}")
    config.addinivalue_line("markers", "slow: left out by make test-quick")


# How long an example takes is the host's business, and of no test.
hypothesis.settings.register_profile("any host", deadline=None,
                                     suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any host")


def area_of(item: Any) -> str | None:
    folder = pathlib.Path(item.fspath).parent.name
    if folder in AREAS:
        return folder
    source = getattr(item, "callspec", None) and item.callspec.params.get("source")
    return source.parts[0] if isinstance(source, pathlib.Path) else None


def turn(item: Any) -> int:
    for place, name in enumerate(LONG):
        if name in item.nodeid:
            return place
    return len(LONG) + (item.get_closest_marker("slow") is None)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        area = area_of(item)
        if area:
            item.add_marker(getattr(pytest.mark, area))
    items.sort(key=turn)
