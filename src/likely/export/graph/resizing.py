"""Images of any size brought to the model's, as the gate does it in Python: with antialiasing, bit for bit.

Pillow resizes in two passes, one along the rows and one along the columns, and rounds to whole gray levels after each.
A pass is a matrix product: with a = max(in / out, 1), output pixel i is a mean of input pixels j with the weights

    w_ij proportional to k((j + 1/2 - (i + 1/2) in / out) / a),     k(t) = 0 for |t| >= 2

rounded to multiples of 2^-22, where k is the cubic kernel with the slope -1/2 at 1, or the triangle 1 - |t| up to
t = 1. ONNX's own Resize weighs the edges in another way. All numbers are whole, so that sums in float64 are exact, in
whatever order they are taken.

Reference: Keys (1981), Cubic convolution interpolation for digital image processing.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from PIL import Image

from likely.errors import EngineError
from likely.export.graph.builder import Graph
from likely.preprocessing.conversion import ResizeAndCrop

Kernel: TypeAlias = Callable[[Graph, str], str]
"""From distances to weights."""

_ONE = float(2**22)  # a weight of 1


def resized_images(g: Graph, images: str, size: tuple[int, int], how: ResizeAndCrop | None = None) -> str:
    """Images (n, c, h, w) of uint8 as float32 of this height and width; those of this size stay as they are.

    Args:
        g, images, size: the graph, the images, height and width of the result.
        how: cuts out the middle, once the shortest edge is resized; None resizes the whole, bicubic.
    Raises:
        EngineError: if the filter is another one than bicubic and bilinear.
    """
    kernel = _KERNELS.get("bicubic" if how is None else how.resampling)
    if kernel is None:
        assert how is not None
        raise EngineError(
            f"The filter that resizes must be {' or '.join(_KERNELS)} to be exported; got {how.resampling!r}. Try "
            "network='efficientnet-lite2'."
        )
    shape = g.add("Shape", images, start=2, end=4)
    same = g.add("ReduceMin", g.cast(g.add("Equal", shape, np.array(size)), np.int32), keepdims=0)

    def resize() -> str:
        before = [g.cast(g.add("Gather", shape, np.array(axis)), np.float64) for axis in (0, 1)]
        after = [float(side) for side in size] if how is None or not how.edge else _whole_sizes(g, before, how.edge)
        x = g.cast(images, np.float64)
        down, across = (_weights(g, *sides, kernel) for sides in zip(before, after, size, strict=True))
        along = g.add("Transpose", across, perm=[1, 0])

        def by_rows() -> str:
            return _whole_levels(g, g.add("MatMul", down, _whole_levels(g, g.add("MatMul", x, along))))

        def by_columns() -> str:
            return _whole_levels(g, g.add("MatMul", _whole_levels(g, g.add("MatMul", down, x)), along))

        if not pillow_chooses():
            return g.cast(by_rows(), np.float32)
        taller, wider = (g.add("Sub", b, a) for b, a in zip(before, after, strict=True))
        columns_first = g.add("Less", g.add("Max", 0.0, g.add("Mul", wider, 2.0)), taller)
        return g.cast(g.either(columns_first, by_columns, by_rows), np.float32)

    found = g.either(g.cast(same, np.bool_), lambda: g.cast(images, np.float32), resize)
    return g.add("Reshape", found, np.array([0, 0, *size]))  # which says the size to those that come


@cache
def pillow_chooses() -> bool:
    """Whether this version of Pillow begins with the columns where a picture shrinks more along them.

    It then does so where 0 < h - H and 2 (w - W) < h - H, for images h x w and a result H x W; older versions begin
    with the rows.
    """
    levels = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (9, 2))
    image, cubic = Image.fromarray(levels), Image.Resampling.BICUBIC
    rows_first = image.resize((5, 9), cubic).resize((5, 4), cubic)
    return image.resize((5, 4), cubic).tobytes() != rows_first.tobytes()


def _whole_sizes(g: Graph, before: Sequence[str], edge: int) -> list[str]:
    """Height and width, scalars float64, of the whole image whose shortest edge is resized."""
    shortest = g.add("Min", *before)
    return [g.add("Floor", g.add("Div", g.add("Mul", side, float(edge)), shortest)) for side in before]


def _weights(g: Graph, before: str, after: str | float, count: int, kernel: Kernel) -> str:
    """The matrix (count, before) of one pass, float64, in units of 2^-22, for the middle of `after` pixels.

    `before` and `after` are scalars float64.
    """
    scale = g.add("Div", before, after)
    first = 0.0 if after == count else g.add("Floor", g.add("Mul", g.add("Sub", after, float(count)), 0.5))
    centers = g.add("Mul", g.add("Add", np.arange(count)[:, None] + 0.5, first), scale)
    pixels = g.add("Range", 0.0, before, 1.0)
    narrow = g.add("Div", 1.0, g.add("Max", scale, 1.0))
    t = g.add("Abs", g.add("Mul", g.add("Add", g.add("Sub", pixels, centers), 0.5), narrow))
    values = kernel(g, t)
    weights = g.add("Div", values, g.add("ReduceSum", values, np.array([1]), keepdims=1))
    whole = g.add("Floor", g.add("Add", g.add("Mul", g.add("Abs", weights), _ONE), 0.5))
    return g.add("Mul", whole, g.add("Sign", weights))


def _bicubic(g: Graph, t: str) -> str:
    near = g.add("Mul", g.add("Mul", g.add("Sub", g.add("Mul", t, 1.5), 2.5), t), t)
    far = g.add("Mul", g.add("Add", g.add("Mul", g.add("Sub", t, 5.0), t), 8.0), t)
    far = g.add("Mul", g.add("Sub", far, 4.0), -0.5)
    values = g.add("Where", g.add("Less", t, 2.0), far, 0.0)
    return g.add("Where", g.add("Less", t, 1.0), g.add("Add", near, 1.0), values)


def _bilinear(g: Graph, t: str) -> str:
    return g.add("Max", g.add("Sub", 1.0, t), 0.0)


_KERNELS: dict[str, Kernel] = {"bicubic": _bicubic, "bilinear": _bilinear}


def _whole_levels(g: Graph, x: str) -> str:
    levels = g.add("Floor", g.add("Mul", g.add("Add", x, _ONE / 2), 1 / _ONE))
    return g.add("Clip", levels, 0.0, 255.0)
