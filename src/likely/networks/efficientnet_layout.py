"""EfficientNet-Lite as data: which convolutions there are, in which order. torch and ONNX are both made from it.

    images (n, 3, s, s), (x - 127) / 128
      -> 3x3 convolution, stride 2
      -> inverted residual blocks: [1x1 expanding, 3x3 or 5x5 depthwise, 1x1 projecting], widening
      -> 1x1 convolution to 1,280 channels
      -> the mean of each channel                                       = features (n, 1280)

Every convolution but a projecting one is followed by ReLU6. There is no squeeze-and-excitation, and normalizations are
folded into the convolutions.

Reference: Tan and Le (2019), EfficientNet, arXiv 1905.11946; its "Lite" variants in tensorflow/tpu,
efficientnet/lite/efficientnet_lite_builder.py.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

N_FEATURES = 1_280
MEAN, SCALE = 127.0, 128.0
"""A pixel x from 0 to 255 is given as (x - MEAN) / SCALE."""

_STEM = 32
_STAGES = (
    # repeats, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class Convolution:
    """A convolution with a bias; its weight has shape (n_out, n_in, k, k), or (n_out, 1, k, k) if it is depthwise."""

    name: str
    n_in: int
    n_out: int
    kernel: int = 1
    stride: int = 1
    depthwise: bool = False
    relu6: bool = True

    @property
    def groups(self) -> int:
        """How many groups of channels are computed apart."""
        return self.n_in if self.depthwise else 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each of its parameters by name."""
        weight = (self.n_out, self.n_in // self.groups, self.kernel, self.kernel)
        return {f"{self.name}.weight": weight, f"{self.name}.bias": (self.n_out,)}

    def padding(self, size: int) -> tuple[int, int]:
        """The zeros before and after an axis of this size, as TensorFlow's "same" puts them: the odd one after.

        Example:
            >>> Convolution("stem", 3, 32, kernel=3, stride=2).padding(224)
            (0, 1)
        """
        missing = max((math.ceil(size / self.stride) - 1) * self.stride + self.kernel - size, 0)
        return missing // 2, missing - missing // 2


@dataclass(frozen=True)
class Block:
    """Convolutions one after the other; with `skip` their input is added to what they make of it."""

    convolutions: tuple[Convolution, ...]
    skip: bool = False


@dataclass(frozen=True)
class EfficientNetLayout:
    """One of the family: the side of its images in pixels, and what channels and repeats are multiplied by.

    Example:
        >>> sum(math.prod(shape) for shape in LITE0.shapes.values()) // 1000
        3350
    """

    side: int
    width: float
    depth: float

    n_features = N_FEATURES
    mean, scale = (MEAN,) * 3, (SCALE,) * 3

    @property
    def blocks(self) -> Iterator[Block]:
        """All of it, from the image to the last feature map."""
        yield Block((Convolution("stem", 3, _STEM, kernel=3, stride=2),))
        n_in, number = _STEM, 0
        for i, (repeats, kernel, stride, expansion, channels) in enumerate(_STAGES):
            n_out = self._channels(channels)
            # The first and the last stage keep their length in the whole family.
            for j in range(repeats if i in (0, len(_STAGES) - 1) else math.ceil(repeats * self.depth)):
                yield _inverted_residual(f"blocks.{number}", n_in, n_out, kernel, stride if j == 0 else 1, expansion)
                n_in, number = n_out, number + 1
        yield Block((Convolution("head", n_in, N_FEATURES),))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter by name."""
        return {
            name: shape for block in self.blocks for conv in block.convolutions for name, shape in conv.shapes.items()
        }

    def _channels(self, channels: int) -> int:
        """The nearest multiple of 8, but not less than nine tenths."""
        wide = channels * self.width
        nearest = max(8, int(wide + 4) // 8 * 8)
        return nearest + 8 if nearest < 0.9 * wide else nearest


LITE0 = EfficientNetLayout(224, 1.0, 1.0)
LITE2 = EfficientNetLayout(260, 1.1, 1.2)


def _inverted_residual(name: str, n_in: int, n_out: int, kernel: int, stride: int, expansion: int) -> Block:
    wide = n_in * expansion
    expand = (Convolution(f"{name}.expand", n_in, wide),) if expansion > 1 else ()
    depthwise = Convolution(f"{name}.depthwise", wide, wide, kernel, stride, depthwise=True)
    project = Convolution(f"{name}.project", wide, n_out, relu6=False)
    return Block((*expand, depthwise, project), skip=stride == 1 and n_in == n_out)
