"""Nested values with arrays in them as arrays by name and a JSON document, and back, to the same bits.

A model file holds finite floats alone; what a training remembers may be infinite. So floats are kept as their bits.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from likely.errors import ModelFileError


def pack(value: Any) -> tuple[dict[str, np.ndarray], Any]:
    """Numbers, texts, None, arrays, and lists and mappings of these, as arrays and what JSON can say.

    Raises:
        ModelFileError: if there is anything else in it.
    Example:
        >>> arrays, document = pack({"best": math.inf, "theta": np.array([1.0, np.nan])})
        >>> unpack(arrays, document)
        {'best': inf, 'theta': array([ 1., nan])}
    """
    arrays: dict[str, np.ndarray] = {}

    def packed(value: Any) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": str(value)}
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and value.dtype.itemsize <= 8:
            array = np.asarray(value, value.dtype.newbyteorder("<"), order="C")
            arrays[name := str(len(arrays))] = array.view(f"<u{array.itemsize}") if array.dtype.kind == "f" else array
            return {"array": name, "dtype": array.dtype.str}
        if isinstance(value, Mapping):
            return {"names": list(map(str, value)), "values": [packed(inner) for inner in value.values()]}
        if isinstance(value, Sequence):
            return [packed(inner) for inner in value]
        raise ModelFileError(
            "What a training remembers must be numbers, texts and arrays of up to 64 bits; got "
            f"{type(value).__name__}. A checkpoint holds nothing else. Try one of torch's optimizers."
        )

    document = packed(value)
    return arrays, document


def unpack(arrays: Mapping[str, np.ndarray], document: Any) -> Any:
    """What was packed; sequences come back as lists."""
    if isinstance(document, list):
        return [unpack(arrays, inner) for inner in document]
    if not isinstance(document, dict):
        return document
    if "float" in document:
        return float(document["float"])
    if "array" in document:
        return np.array(arrays[document["array"]]).view(document["dtype"])
    values = [unpack(arrays, inner) for inner in document["values"]]
    return dict(zip(document["names"], values, strict=True))
