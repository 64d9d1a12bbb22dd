# SPDX-License-Identifier: BSD-2-Clause
"""SVG by hand: shapes as text, everything escaped, colours that the colour-blind tell apart."""

from html import escape

# Okabe and Ito's palette: distinct with any kind of colour vision.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a6a00")
RED, GREY, INK = "#c1272d", "#8a8f98", "#222"


def attributes(values: dict[str, object]) -> str:
    return "".join(f' {k.rstrip("_").replace("_", "-")}="{escape(str(v))}"' for k, v in values.items())


def number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def line(x1: float, y1: float, x2: float, y2: float, **more: object) -> str:
    more.setdefault("stroke", INK)
    return (f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"'
            f'{attributes(more)}/>')


def rectangle(x: float, y: float, width: float, height: float, **more: object) -> str:
    return (f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(width, 0.5))}" '
            f'height="{number(height)}"{attributes(more)}/>')


def circle(x: float, y: float, radius: float, **more: object) -> str:
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"{attributes(more)}/>'


def text(x: float, y: float, words: str, **more: object) -> str:
    more.setdefault("font_size", 11)
    return f'<text x="{number(x)}" y="{number(y)}"{attributes(more)}>{escape(words)}</text>'


def path(points: list[tuple[float, float]], **more: object) -> str:
    more.setdefault("fill", "none")
    more.setdefault("stroke", INK)
    d = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f'<path d="{d}"{attributes(more)}/>'


def titled(shape: str, words: str) -> str:
    """A shape with words that appear when it is pointed at."""
    return f"<g>{shape}<title>{escape(words)}</title></g>"


def picture(width: float, height: float, parts: list[str], label: str) -> str:
    return (f'<svg viewBox="0 0 {number(width)} {number(height)}" role="img" aria-label="{escape(label)}" '
            f'xmlns="http://www.w3.org/2000/svg" font-family="system-ui,sans-serif">{"".join(parts)}</svg>')


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round numbers that cover the range."""
    if high <= low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** len(str(int(raw))) / 10 if raw >= 1 else 1.0
    while power > raw:
        power /= 10
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw)
    first = -(-low // step) * step
    out = []
    while first <= high + step / 1e6:
        out.append(first)
        first += step
    return out
