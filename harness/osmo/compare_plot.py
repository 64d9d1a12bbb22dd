# SPDX-License-Identifier: BSD-2-Clause
"""compare.svg: the operations, the delay against size, and where a call goes, in one picture."""

import pathlib
from typing import Any

from osmo.errors import Problem
from osmo.svg import COLOURS

COLOUR = dict(zip(("native", "osmosis", "xen", "hosted"), COLOURS))


def write(doc: dict[str, Any], path: pathlib.Path) -> None:
    try:
        import matplotlib
    except ImportError:
        raise Problem("matplotlib is not installed", "run `make deps` (python3-matplotlib)") from None
    matplotlib.use("svg")
    # Text stays text, and the same data give the same bytes.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "osmosis", "font.size": 9})
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(4, 1, figsize=(8, 17), constrained_layout=True)
    operations(axes[0], doc)
    curve(axes[1], doc)
    media(axes[2], doc)
    factors(axes[3], doc)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def operations(axis: Any, doc: dict[str, Any]) -> None:
    """Instructions of Table 1's rows and of the kinds of invocation, by place."""
    rows = [r for r in doc["rows"] if r["row"] in ("T1", "L33")]
    where = [p for p in COLOUR if any(r["places"].get(p, {}).get("I") for r in rows)]
    height = 0.8 / max(1, len(where))
    for i, place in enumerate(where):
        drawn = [(y + i * height, r["places"][place]["I"]) for y, r in enumerate(rows)
                 if r["places"].get(place, {}).get("I")]
        axis.barh([y for y, _ in drawn], [v for _, v in drawn], height, label=place, color=COLOUR[place])
    axis.set_yticks([y + 0.4 - height / 2 for y in range(len(rows))], [r["name"] for r in rows])
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlabel("instructions")
    axis.set_title("Operations of Table 1, and kinds of invocation")
    if where:
        axis.legend()


def curve(axis: Any, doc: dict[str, Any]) -> None:
    """A call there and back against the bytes it carries each way."""
    drawn = False
    for place, colour in COLOUR.items():
        for kind, style in (("remote", "o-"), ("local", "s--")):
            points = [(int(r["name"].split()[1]), r["places"][place]["I"]) for r in doc["rows"]
                      if r["row"] == "L35" and r["name"].startswith(kind) and r["places"].get(place, {}).get("I")]
            if points:
                axis.plot(*zip(*points), style, markersize=3, color=colour, label=f"{place}, {kind}")
                drawn = True
    for cut in range(1024, 4097, 1024):
        axis.axvline(cut, color="#ddd", linewidth=0.8, zorder=0)
    axis.set_yscale("log")
    axis.set_xlabel("bytes each way (the network cuts at multiples of 1,024)")
    axis.set_ylabel("instructions")
    axis.set_title("Delay of a call against its size")
    if drawn:  # the network's cuts have no name
        axis.legend(fontsize=7)


def media(axis: Any, doc: dict[str, Any]) -> None:
    """The same to another node over media that take their time, one more packet at each step."""
    for (name, delay), colour in zip(doc["delays"].items(), COLOURS):
        least = next(iter(delay.values()))
        axis.plot([int(size) for size in delay], [ns / least for ns in delay.values()], "o-", markersize=2,
                  color=colour, label=f"{name}: {least / 1000:,.0f} us for nothing")
    axis.set_yscale("log")
    axis.set_xlabel("bytes each way")
    axis.set_ylabel("against a call of nothing")
    axis.set_title("Delay of a call to another node, by the medium")
    if doc["delays"]:
        axis.legend(fontsize=7)
    else:
        axis.text(0.5, 0.5, "not measured", ha="center", transform=axis.transAxes)


def factors(axis: Any, doc: dict[str, Any]) -> None:
    """Stacked bars: what the instructions of a call are for."""
    names = list(doc["breakdown"])
    kinds = list(dict.fromkeys(k for b in doc["breakdown"].values() for k in b["factors"]))
    left = [0.0] * len(names)
    for i, kind in enumerate(kinds):
        widths = [doc["breakdown"][n]["factors"].get(kind, 0) for n in names]
        axis.barh(names, widths, 0.7, left=left, label=kind, color=COLOURS[i % len(COLOURS)],
                  hatch="" if i < len(COLOURS) else "///", edgecolor="white", linewidth=0.4)
        left = [a + b for a, b in zip(left, widths)]
    axis.invert_yaxis()
    axis.set_xlabel("instructions of one call, there and back")
    axis.set_title("Where a call goes")
    if kinds:
        axis.legend(fontsize=7)
    else:
        axis.text(0.5, 0.5, "not measured", ha="center", transform=axis.transAxes)
