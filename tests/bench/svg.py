"""Plots as SVG that reads on white and on dark: no background, and colours of middling lightness."""

from html import escape
from math import ceil, floor, log10

INK, FAINT = "#6e7781", "#8c959f"
COLOURS = ["#2f81d6", "#e07b24", "#2da05a", "#a371d6", "#d1495b", "#1b9aaa"]
FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"


def number(value):
    """As short as it can be said: 0.25, 12, 10 k, 1 M."""
    for factor, letter in ((1e6, " M"), (1e3, " k")):
        if abs(value) >= factor:
            return f"{value / factor:.4g}{letter}"
    return f"{value:.3g}"


class Canvas:
    def __init__(self, width, height, title):
        self.parts = [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img' {FONT}>",
            f"<title>{escape(title)}</title>",
        ]

    def line(self, x1, y1, x2, y2, colour=FAINT, width=1.0, more=""):
        self.parts.append(
            f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' stroke-width='{width}' {more}/>"
        )

    def text(self, x, y, text, anchor="start", size=12, colour=INK, more=""):
        self.parts.append(f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-size='{size}' fill='{colour}' {more}>{escape(text)}</text>")

    def path(self, points, colour):
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f"<polyline points='{way}' fill='none' stroke='{colour}' stroke-width='2' stroke-linejoin='round'/>")

    def dot(self, x, y, colour):
        self.parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>")

    def bar(self, x, y, width, height, colour):
        self.parts.append(f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 1):.1f}' height='{height:.1f}' rx='2' fill='{colour}'/>")

    def done(self):
        return "\n".join([*self.parts, "</svg>"]) + "\n"


class Axis:
    """Values to positions: from zero, or by powers of ten, from one of them to another or just over the values (tight)."""

    def __init__(self, values, start, end, log=False, tight=False):
        self.log, self.start, self.end = log, start, end
        if log:
            known = [v for v in values if v > 0]
            self.low, self.high = floor(log10(min(known)) + 1e-9), ceil(log10(max(known)) - 1e-9)
            self.high = max(self.high, self.low + 1)
            self.ticks = [10.0**n for n in range(self.low, self.high + 1)]
            if tight and min(known) < max(known):
                self.low, self.high = log10(min(known)), log10(max(known))
        else:
            top = max([*values, 0]) or 1
            step = 10 ** floor(log10(top))
            step = next(s for s in (step / 5, step / 2, step, step * 2) if top / s <= 5.5)
            self.low, self.high = 0, step * ceil(top / step - 1e-9)
            self.ticks = [step * n for n in range(round(self.high / step) + 1)]

    def at(self, value):
        place = (log10(value) if value > 0 else self.low) if self.log else value
        return self.start + (self.end - self.start) * (place - self.low) / (self.high - self.low)


def lines(title, panels, series):
    """Panels side by side. A panel: title, x title, y title, and for each series points of (x, y, low, high). x is by powers of ten if it
    spans more than one (zero stands at its left end); y starts at zero, or is by powers of ten if the panel says so."""
    width, height, left, top, gap = 860, 336, 66, 50, 76
    each = (width - left - 24 - gap * (len(panels) - 1)) / len(panels)
    legend = 26 * ceil(len(series) / 2)
    canvas = Canvas(width, height + legend, title)
    bottom = height - 46
    for p, panel in enumerate(panels):
        x0 = left + p * (each + gap)
        x1 = x0 + each
        points = [point for s in series for point in panel["points"].get(s, [])]
        xs = sorted({x for x, *_ in points})
        far = bool(panel.get("x_log"))
        x_axis = Axis([x for x in xs if x] or [1], x0 + (18 if far and not xs[0] else 0), x1, far, tight=True)
        ys = [y for _, *each_y in points for y in each_y] + [panel.get("top", 0)]
        y_axis = Axis(ys, bottom, top, panel.get("log"))
        canvas.text(x0, top - 32, panel["title"], size=13, more="font-weight='600'")
        canvas.text(x0, top - 15, panel["y"], size=11)
        canvas.text((x0 + x1) / 2, bottom + 36, panel["x"], "middle", 11)
        for tick in y_axis.ticks:
            y = y_axis.at(tick)
            canvas.line(x0, y, x1, y, width=0.5, more="stroke-opacity='0.5'")
            canvas.text(x0 - 6, y + 4, number(tick), "end", 11)
        canvas.line(x0, bottom, x1, bottom)
        shown = xs if len(xs) <= 6 else x_axis.ticks
        for tick in shown:
            x = x_axis.at(tick) if tick or not far else x0
            canvas.line(x, bottom, x, bottom + 4)
            canvas.text(x, bottom + 17, number(tick), "middle", 11)
        for s, name in enumerate(series):
            colour = COLOURS[s % len(COLOURS)]
            placed = [(x_axis.at(x) if x or not far else x0, y, low, high) for x, y, low, high in sorted(panel["points"].get(name, []))]
            for x, _, low, high in placed:
                canvas.line(x, y_axis.at(low), x, y_axis.at(high), colour, 1.2, "stroke-opacity='0.6'")
            canvas.path([(x, y_axis.at(y)) for x, y, _, _ in placed], colour)
            for x, y, _, _ in placed:
                canvas.dot(x, y_axis.at(y), colour)
    for s, name in enumerate(series):
        x, y = left + (s % 2) * (width - left) / 2, height + 8 + 22 * (s // 2)
        canvas.line(x, y - 4, x + 20, y - 4, COLOURS[s % len(COLOURS)], 3)
        canvas.text(x + 28, y, name)
    return canvas.done()


def bars(title, axis_title, groups, log=True):
    """Groups of horizontal bars: heading, and (label, value, text, whether it is ours). By powers of ten unless told otherwise, as the
    peers lie that far apart."""
    width, left, row = 860, 300, 23
    rows = sum(len(items) for _, items in groups)
    height = 30 + rows * row + len(groups) * 34 + 34
    canvas = Canvas(width, height, title)
    axis = Axis([value for _, items in groups for _, value, _, _ in items], left, width - 100, log)
    y = 18
    bottom = height - 48
    for tick in axis.ticks:
        canvas.line(axis.at(tick), y, axis.at(tick), bottom, width=0.5, more="stroke-opacity='0.5'")
        canvas.text(axis.at(tick), bottom + 16, number(tick), "middle", 11)
    canvas.text((left + width - 100) / 2, bottom + 36, axis_title, "middle", 11)
    for heading, items in groups:
        y += 18
        canvas.text(8, y, heading, size=13, more="font-weight='600'")
        y += 10
        for label, value, text, ours in items:
            canvas.text(left - 8, y + 13, label, "end")
            canvas.bar(left, y + 3, axis.at(value) - left, row - 8, COLOURS[0] if ours else FAINT)
            canvas.text(axis.at(value) + 6, y + 13, text, size=11)
            y += row
        y += 6
    return canvas.done()
