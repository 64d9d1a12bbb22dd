# SPDX-License-Identifier: BSD-2-Clause
"""compare.svg: the operations, the delay against size, and where a call goes, in one picture; of these what was
measured."""

import pathlib
from collections.abc import Callable
from typing import Any

from osmo import delays
from osmo.errors import Problem
from osmo.svg import COLOURS

OPERATIONS = ("T1", "L33")
ABOVE = 22  # points between a title and its axis: room for a legend, which would hide bars elsewhere
HATCHES = ("", "///", "...")
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
    drawn = [draw for draw, there in PANELS if there(doc)] or [nothing]
    figure, axes = pyplot.subplots(len(drawn), 1, figsize=(8, 4.25 * len(drawn)), constrained_layout=True,
                                   squeeze=False)
    for draw, axis in zip(drawn, axes[:, 0]):
        draw(axis, doc)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def rows_of(doc: dict[str, Any], key: str, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    return [r for r in doc["rows"] if r["row"] in kinds and any(c.get(key) for c in r["places"].values())]


def nothing(axis: Any, _: dict[str, Any]) -> None:
    axis.set_axis_off()
    axis.text(0.5, 0.5, "nothing was measured", ha="center", transform=axis.transAxes)


def operations(axis: Any, doc: dict[str, Any]) -> None:
    """Instructions of Table 1's rows and of the kinds of invocation, by place."""
    bars(axis, doc, "I", lambda cell: (cell["I"], 0, 0))
    axis.set_xlabel("instructions")
    axis.set_title("Operations of Table 1, and kinds of invocation", pad=ABOVE)


def times(axis: Any, doc: dict[str, Any]) -> None:
    """The same in time, with its spread."""
    def spread(cell: dict[str, Any]) -> tuple[float, float, float]:
        least, most = cell["ns_spread"]
        return cell["ns"] / 1000, (cell["ns"] - least) / 1000, (most - cell["ns"]) / 1000

    bars(axis, doc, "ns", spread)
    axis.set_xlabel("us: the median of all rounds, a line from the least to the most")
    axis.set_title("The same in an emulator's time", pad=ABOVE)


def bars(axis: Any, doc: dict[str, Any], key: str,
         of: Callable[[dict[str, Any]], tuple[float, float, float]]) -> None:
    """A group for each row, in it a bar for each place: how long, and by how much less and more it was."""
    rows = rows_of(doc, key, OPERATIONS)
    where = [p for p in COLOUR if any(r["places"].get(p, {}).get(key) for r in rows)]
    height = 0.8 / len(where)
    for i, place in enumerate(where):
        there = [(y + i * height, *of(r["places"][place])) for y, r in enumerate(rows)
                 if r["places"].get(place, {}).get(key)]
        at, values, less, more = zip(*there)
        axis.barh(at, values, height, label=place, color=COLOUR[place],
                  xerr=(less, more) if any(less) or any(more) else None, ecolor="#444",
                  error_kw={"linewidth": 0.8})
    axis.set_yticks([y + 0.4 - height / 2 for y in range(len(rows))], [r["name"] for r in rows])
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=len(where), frameon=False)


def curve(axis: Any, doc: dict[str, Any]) -> None:
    """A call there and back against the bytes it carries each way."""
    for place, colour in COLOUR.items():
        for kind, style in (("remote", "o-"), ("local", "s--")):
            points = [(int(r["name"].split()[1]), r["places"][place]["I"]) for r in rows_of(doc, "I", ("L35",))
                      if r["name"].startswith(kind) and r["places"].get(place, {}).get("I")]
            if points:
                axis.plot(*zip(*points), style, markersize=3, color=colour, label=f"{place}, {kind}")
    for cut in delays.cuts(4096):
        axis.axvline(cut, color="#ddd", linewidth=0.8, zorder=0)
    axis.set_yscale("log")
    axis.set_xlabel("bytes each way (grey, up to 4,096: a remote request or answer takes one more packet)")
    axis.set_ylabel("instructions")
    axis.set_title("Delay of a call against its size")
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
    axis.legend(fontsize=7)


def factors(axis: Any, doc: dict[str, Any]) -> None:
    """Stacked bars: what the instructions of a call are for."""
    names = list(doc["breakdown"])
    kinds = list(dict.fromkeys(k for b in doc["breakdown"].values() for k in b["factors"]))
    left = [0.0] * len(names)
    for i, kind in enumerate(kinds):
        widths = [doc["breakdown"][n]["factors"].get(kind, 0) for n in names]
        axis.barh(names, widths, 0.7, left=left, label=kind, color=COLOURS[i % len(COLOURS)],
                  hatch=HATCHES[i // len(COLOURS) % len(HATCHES)], edgecolor="white", linewidth=0.4)
        left = [a + b for a, b in zip(left, widths)]
    axis.invert_yaxis()
    axis.set_xlabel("instructions of one call, there and back")
    axis.set_title("Where a call goes")
    axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.4, -0.16), ncol=2, frameon=False)


PANELS: tuple[tuple[Callable[[Any, dict[str, Any]], None], Callable[[dict[str, Any]], bool]], ...] = (
    (operations, lambda doc: bool(rows_of(doc, "I", OPERATIONS))),
    (times, lambda doc: bool(rows_of(doc, "ns", OPERATIONS))),
    (curve, lambda doc: bool(rows_of(doc, "I", ("L35",)))),
    (media, lambda doc: bool(doc["delays"])),
    (factors, lambda doc: bool(doc["breakdown"])))
