# SPDX-License-Identifier: BSD-2-Clause
"""The little statistics that reports need: intervals for proportions, quantiles, spread."""

import math
from collections.abc import Sequence

Z95 = 1.959963984540054


def wilson(passed: int, total: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of passed/total; (0, 1) of nothing."""
    if total == 0:
        return 0.0, 1.0
    p = passed / total
    middle = p + z * z / (2 * total)
    spread = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def quantile(values: Sequence[float], part: float) -> float:
    """Nearest rank; of nothing, nan."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(part * len(ordered)) - 1))]
