"""The figures of the report as inline SVG: text stays text, colors follow the page, nothing is loaded from elsewhere.

matplotlib draws with a few placeholder colors, which CSS colors of the page then replace, so that one figure serves the
light page, the dark page and paper. Every line differs from its neighbor by marker or dash, not by color alone.
"""

import io
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from likely.report.page import printable
from likely.report.statements import Bin

INK, ACCENT, CONTRAST = "#010203", "#010204", "#010205"
_PAGE_COLORS = {INK: "currentColor", ACCENT: "var(--accent)", CONTRAST: "var(--contrast)"}

# Readable on light and on dark ground: an image inside an SVG cannot take colors from the page.
_RIGHT_RGB, _WRONG_RGB = (56, 122, 206), (214, 102, 20)

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.size": 9.5,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "patch.edgecolor": INK,
    "patch.force_edgecolor": True,
    "patch.linewidth": 0.5,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}
_WIDTH = 4.6  # inches: at 72 units each, text of 9.5 units is legible where a phone shows the figure 360 pixels wide
_MOST_CHUNKS = 100
_MOST_CELLS = 250
_MOST_POINTS = 1000
FEW_IN_BIN = 10

Points = Sequence[tuple[int, float]]


def loss_curve(training: Points, held_out: Points, description: str, name: str = "loss") -> str:
    """Training loss (line: means of equal stretches; band: their range) and held-out loss over the steps."""
    with drawing(name, description, 3.1) as page:
        ax = page.figure.subplots()
        if training:
            chunks = np.array_split(np.asarray(training, dtype=np.float64), min(len(training), _MOST_CHUNKS))
            step, mean = np.array([c.mean(axis=0) for c in chunks]).T
            low, high = (np.array([f(c[:, 1]) for c in chunks]) for f in (np.min, np.max))
            ax.fill_between(step, low, high, color=ACCENT, alpha=0.18, linewidth=0)
            ax.plot(step, mean, color=ACCENT, label="training", marker="." if len(step) < 3 else "")
        if held_out:
            ax.plot(*zip(*held_out, strict=True), color=CONTRAST, marker="o", linestyle="--", label="held out")
        ax.set(xlabel="step", ylabel="loss")
        ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
        legend_above(ax)
    return page.svg


def accuracy_curve(held_out: Points, description: str) -> str:
    """Held-out accuracy over the steps, the last value written next to its point."""
    with drawing("accuracy", description, 3.1) as page:
        ax = page.figure.subplots()
        ax.plot(*zip(*held_out, strict=True), color=CONTRAST, marker="o", linestyle="--")
        step, last = held_out[-1]
        ax.annotate(f"{last:.2%}", (step, last), xytext=(0, -13), textcoords="offset points", ha="right")
        ax.margins(y=0.18)
        ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g}%")
        ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
        ax.set(xlabel="step", ylabel="held-out accuracy")
    return page.svg


def reliability_diagram(bins: Sequence[Bin], noun: str, description: str, event: int | None = None) -> str:
    """Accuracy over confidence with 95% intervals, and below it how many rows lie in each bin.

    With the number of an event: its frequency over its probability.
    """
    name, said, came = "reliability", "confidence", "accuracy"
    what, of = "share named correctly", "confidence: the highest probability"
    if event is not None:
        name, said, came = f"event{event}", "probability", "frequency"
        what, of = "share in the event", "probability of the event"
    with drawing(name, description, 4.9) as page:
        top, bottom = page.figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.25])
        confidence = np.array([b.confidence for b in bins])
        accuracy = np.array([b.accuracy for b in bins])
        reach = np.abs(np.array([b.interval for b in bins]).T - accuracy)
        top.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1, label=f"{said} = {came}")
        drawn: dict[str, Any] = {"color": ACCENT, "marker": "o", "linestyle": "", "elinewidth": 1.2, "capsize": 2.5}
        many = np.array([b.count >= FEW_IN_BIN for b in bins])
        for some, fill in ((many, ACCENT), (~many, "none")):
            if some.any():
                drawn |= {"markerfacecolor": fill, "label": "model" if some is many or not many.any() else None}
                top.errorbar(confidence[some], accuracy[some], reach[:, some], **drawn)
        top.set(ylabel=what, xlim=(0, 1.01), ylim=(-0.02, 1.04))
        legend_above(top)
        counts = [b.count for b in bins]
        widths = [b.high - b.low for b in bins]
        bottom.bar([b.low for b in bins], counts, widths, align="edge", color=ACCENT, alpha=0.55)
        above: dict[str, Any] = {
            "xytext": (0, 3),
            "textcoords": "offset points",
            "rotation": 90,
            "ha": "center",
            "fontsize": 8,
        }
        for b in bins:
            bottom.annotate(f"{b.count:,}", ((b.low + b.high) / 2, b.count), **above)
        bottom.set(xlabel=of, ylabel=f"{noun}s", ylim=(0, 1.9 * max(counts)), yticks=[])
        bottom.grid(visible=False)
    return page.svg


def confusion_image(confusion: np.ndarray, description: str) -> tuple[str, int]:
    """The confusion matrix of many classes as an image, and how many neighboring classes share one of its cells.

    A cell is the more opaque the larger its share of its row; right answers (the diagonal) are blue, wrong ones orange.
    """
    together = -(-len(confusion) // _MOST_CELLS)
    starts = np.arange(0, len(confusion), together)
    cells = np.add.reduceat(np.add.reduceat(confusion, starts, axis=0), starts, axis=1).astype(np.float64)
    share = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    pixels = np.empty((*cells.shape, 4), dtype=np.uint8)
    pixels[..., :3] = np.where(np.eye(len(cells), dtype=bool)[..., None], _RIGHT_RGB, _WRONG_RGB)
    # The square root keeps rare confusions visible beside the diagonal.
    pixels[..., 3] = np.round(255 * np.sqrt(share))
    with drawing("confusion", description, 4.5) as page:
        ax = page.figure.subplots()
        edge = len(confusion) + 0.5
        ax.imshow(pixels, interpolation="none", extent=(0.5, edge, edge, 0.5))
        ax.grid(visible=False)
        ax.set(xlabel="answer (class number)", ylabel="true class (number)")
    return page.svg, together


def prediction_scatter(y: np.ndarray, predicted: np.ndarray, description: str) -> str:
    """Predicted over true values; at most 1,000 rows are drawn, evenly spaced."""
    with drawing("scatter", description, 4.2) as page:
        ax = page.figure.subplots()
        some = np.unique(np.linspace(0, len(y) - 1, min(len(y), _MOST_POINTS)).astype(int))
        ends = [min(y.min(), predicted.min()), max(y.max(), predicted.max())]
        ax.plot(ends, ends, color=INK, linestyle=":", linewidth=1, label="predicted = true")
        points: dict[str, Any] = {"marker": "o", "markersize": 3.5, "linestyle": "", "alpha": 0.5}
        ax.plot(y[some], predicted[some], color=ACCENT, label="row", **points)
        ax.set(xlabel="true value", ylabel="predicted value")
        legend_above(ax)
    return page.svg


def residual_histogram(residuals: np.ndarray, description: str) -> str:
    """How the errors (predicted minus true) are spread."""
    with drawing("residuals", description, 4.2) as page:
        ax = page.figure.subplots()
        ax.hist(residuals, bins=min(31, max(5, len(residuals) // 5)), color=ACCENT, alpha=0.55)
        ax.axvline(0, color=INK, linestyle=":", linewidth=1)
        _, top = ax.get_ylim()
        ax.set_ylim(0, 1.12 * top)
        ax.annotate("no error", (0, 1.12 * top), xytext=(4, -3), textcoords="offset points", va="top")
        ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
        ax.set(xlabel="predicted minus true", ylabel="rows")
    return page.svg


def legend_above(ax: Axes) -> None:
    """A legend that covers nothing."""
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)


@dataclass
class Drawing:
    """A figure to draw into, and the element of the page that it has become in the end."""

    figure: Figure
    svg: str = ""


@contextmanager
def drawing(name: str, description: str, height: float) -> Generator[Drawing]:
    """A figure of so many inches in the style of the page; `svg` holds it after the block."""
    with mpl.rc_context():
        mpl.rcdefaults()  # so that nobody's own matplotlibrc changes the page
        mpl.rcParams.update(_STYLE)
        mpl.rcParams["svg.hashsalt"] = name
        page = Drawing(Figure(figsize=(_WIDTH, height), layout="constrained"))
        canvas, file = FigureCanvasSVG(page.figure), io.StringIO()
        yield page
        # `savefig` would draw twice, once only for the layout.
        canvas.print_svg(file, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    page.svg = _inline(file.getvalue(), name, description)


def _inline(text: str, name: str, description: str) -> str:
    """matplotlib's document as an element of the page: without its head, with ids, colors and fonts of the page."""
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key, value in list(element.attrib.items()):
            del element.attrib[key]
            element.set(key.rpartition("}")[2], _prefixed(key, value, name))
    root.set("xmlns", "http://www.w3.org/2000/svg")
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("class", "figure")
    root.set("role", "img")
    root.set("aria-label", printable(description))
    # matplotlib says this in a <style> element, which would apply to the whole page.
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    return ElementTree.tostring(root, encoding="unicode")


def _prefixed(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if value.startswith("#"):
        return f"#{name}-{value[1:]}"
    value = value.replace("url(#", f"url(#{name}-")
    if key == "style":
        value = re.sub(r"font-family: [^;]*;? ?", "", value)
        for stand_in, color in _PAGE_COLORS.items():
            value = value.replace(stand_in, color)
    return value
