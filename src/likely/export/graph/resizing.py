"""Images of any size brought to the model's, as the gate does it in Python: bicubic, with antialiasing, bit for bit.

Pillow resizes in two passes, one along the rows and one along the columns, and rounds to whole gray levels after each.
A pass is a matrix product: with a = max(in / out, 1), output pixel i is a mean of input pixels j with the weights

    w_ij proportional to k((j + 1/2 - (i + 1/2) in / out) / a),     k(t) = 0 for |t| >= 2

rounded to multiples of 2^-22, where k is the cubic kernel with the slope -1/2 at 1. ONNX's own Resize weighs the edges
in another way. All numbers are whole, so that sums in float64 are exact, in whatever order they are taken.

Reference: Keys (1981), Cubic convolution interpolation for digital image processing.
"""

from functools import cache

import numpy as np
from PIL import Image

from likely.export.graph.builder import Graph

_ONE = float(2**22)  # a weight of 1


def resized_images(g: Graph, images: str, size: tuple[int, int]) -> str:
    """Images (n, c, h, w) of uint8 as float32 of this height and width; those of this size stay as they are."""
    shape = g.add("Shape", images, start=2, end=4)
    same = g.add("ReduceMin", g.cast(g.add("Equal", shape, np.array(size)), np.int32), keepdims=0)

    def resize() -> str:
        height, width = (g.cast(g.add("Gather", shape, np.array(axis)), np.float64) for axis in (0, 1))
        x, down = g.cast(images, np.float64), _weights(g, height, size[0])
        along = g.add("Transpose", _weights(g, width, size[1]), perm=[1, 0])

        def by_rows() -> str:
            return _whole_levels(g, g.add("MatMul", down, _whole_levels(g, g.add("MatMul", x, along))))

        def by_columns() -> str:
            return _whole_levels(g, g.add("MatMul", _whole_levels(g, g.add("MatMul", down, x)), along))

        if not pillow_chooses():
            return g.cast(by_rows(), np.float32)
        taller, wider = g.add("Sub", height, float(size[0])), g.add("Sub", width, float(size[1]))
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


def _weights(g: Graph, before: str, after: int) -> str:
    """The matrix (after, before) of one pass, float64, in units of 2^-22; `before` is a scalar float64."""
    scale = g.add("Div", before, float(after))
    centers = g.add("Mul", np.arange(after)[:, None] + 0.5, scale)
    pixels = g.add("Range", 0.0, before, 1.0)
    narrow = g.add("Div", 1.0, g.add("Max", scale, 1.0))
    t = g.add("Abs", g.add("Mul", g.add("Add", g.add("Sub", pixels, centers), 0.5), narrow))
    near = g.add("Mul", g.add("Mul", g.add("Sub", g.add("Mul", t, 1.5), 2.5), t), t)
    far = g.add("Mul", g.add("Add", g.add("Mul", g.add("Sub", t, 5.0), t), 8.0), t)
    far = g.add("Mul", g.add("Sub", far, 4.0), -0.5)
    kernel = g.add("Where", g.add("Less", t, 2.0), far, 0.0)
    kernel = g.add("Where", g.add("Less", t, 1.0), g.add("Add", near, 1.0), kernel)
    weights = g.add("Div", kernel, g.add("ReduceSum", kernel, np.array([1]), keepdims=1))
    whole = g.add("Floor", g.add("Add", g.add("Mul", g.add("Abs", weights), _ONE), 0.5))
    return g.add("Mul", whole, g.add("Sign", weights))


def _whole_levels(g: Graph, x: str) -> str:
    levels = g.add("Floor", g.add("Mul", g.add("Add", x, _ONE / 2), 1 / _ONE))
    return g.add("Clip", levels, 0.0, 255.0)
