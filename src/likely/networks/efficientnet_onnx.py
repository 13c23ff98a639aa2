"""EfficientNet-Lite as an ONNX graph, written straight from its layout: the same bytes each time."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from likely.networks.efficientnet_layout import N_FEATURES, Convolution, EfficientNetLayout

OPSET = 17


def onnx_features(layout: EfficientNetLayout, weights: Mapping[str, np.ndarray]) -> bytes:
    """A model from "images", float32 (n, 3, side, side), to "features" (n, 1280), with weights of any float dtype.

    Raises:
        ImportError: if onnx is not installed.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    size, last = layout.side, "images"
    for number, block in enumerate(layout.blocks):
        before = last
        for conv in block.convolutions:
            inputs = [last, f"{conv.name}.weight", f"{conv.name}.bias"]
            last = add("Conv", inputs, f"{conv.name}.output", **_attributes(conv, size))
            size = math.ceil(size / conv.stride)
            if conv.relu6:
                last = add("Clip", [last, "zero", "six"], f"{conv.name}.relu6")
        if block.skip:
            last = add("Add", [before, last], f"sum{number}")
    add("Flatten", [add("GlobalAveragePool", [last], "means")], "features")
    numbers = {name: weight.astype(np.float32) for name, weight in weights.items()}
    numbers |= {"zero": np.float32(0), "six": np.float32(6)}
    graph = helper.make_graph(
        nodes,
        "efficientnet-lite",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, layout.side, layout.side])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", N_FEATURES])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in numbers.items()],
    )
    # The oldest format that holds this opset: ONNX Runtime reads no newer one than its own.
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8).SerializeToString()


def _attributes(conv: Convolution, size: int) -> dict[str, Any]:
    before, after = conv.padding(size)
    return {
        "kernel_shape": [conv.kernel] * 2,
        "strides": [conv.stride] * 2,
        "pads": [before, before, after, after],
        "group": conv.groups,
    }
