"""An ONNX graph that grows node by node: each call adds one and gives the name of what it computes."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, compose, helper, inliner, numpy_helper

OPSET, ML_OPSET, IR = 18, 3, 8
"""Old enough for ONNX Runtime 1.20 and for browsers, new enough for all operators that models need."""

ML = "ai.onnx.ml"
"""The domain of operators for tables and trees."""

Value: TypeAlias = str | np.ndarray | np.generic | float | int
"""What a node is given: the name of a value, or a constant. Python's floats are float64, its integers int64."""


class Graph:
    """What was added so far; the names of values inside are made up, those of inputs and outputs are given.

    Args:
        reserved: names of inputs and outputs, which nothing inside may have.
    Example:
        >>> g = Graph(["x", "y"])
        >>> g.output("y", g.add("Mul", g.input("x", np.float32, ("n",)), np.float32(2)), np.float32, ("n",))
        >>> [node.op_type for node in g.model("double", {}).graph.node]
        ['Mul', 'Identity']
    """

    def __init__(self, reserved: Collection[str] = ()) -> None:
        self._reserved = set(reserved)
        self._nodes: list[Any] = []
        self._inputs: list[ValueInfoProto] = []
        self._outputs: list[ValueInfoProto] = []
        self._constants: dict[str, TensorProto] = {}
        self._by_content: dict[bytes, str] = {}
        self._names = 0

    def input(self, name: str, dtype: Any, shape: Sequence[str | int]) -> str:
        """An input; a size that is not known yet has a name."""
        self._inputs.append(helper.make_tensor_value_info(name, _type(dtype), list(shape)))
        return name

    def optional_input(self, name: str, default: np.ndarray) -> str:
        """An input with a default, which is taken where the input is left out."""
        self._constants[name] = numpy_helper.from_array(default, name)
        return self.input(name, default.dtype, default.shape)

    def output(self, name: str, value: str, dtype: Any, shape: Sequence[str | int]) -> None:
        """An output of this name."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, _type(dtype), list(shape)))

    def add(self, kind: str, *inputs: Value, domain: str = "", **attributes: Any) -> str:
        """The first output of a node of this kind."""
        name = self.fresh(kind)
        names = [self.constant(value) for value in inputs]
        plain: dict[str, Any] = {
            key: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
            for key, value in attributes.items()
        }
        self._nodes.append(helper.make_node(kind, names, [name], domain=domain, **plain))
        return name

    def cast(self, value: Value, dtype: Any) -> str:
        """The value in another dtype."""
        return self.add("Cast", value, to=_type(dtype))

    def columns(self, value: str, begin: int, end: int | None = None) -> str:
        """Some columns of an array (n, m), to the last one without `end`."""
        last = np.iinfo(np.int64).max if end is None else end
        return self.add("Slice", value, np.array([begin]), np.array([last]), np.array([1]))

    def constant(self, value: Value) -> str:
        """The name of a constant; equal ones are stored once. A name stays itself."""
        if isinstance(value, str):
            return value
        array = np.asarray(value)
        content = repr(array.tolist()).encode() if array.dtype.kind in "UO" else array.tobytes()
        key = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + content).digest()
        if key not in self._by_content:
            name = self._by_content[key] = self.fresh("constant")
            stored = array.astype(object) if array.dtype.kind == "U" else array
            self._constants[name] = numpy_helper.from_array(stored, name)
        return self._by_content[key]

    def embed(self, model: ModelProto, x: str) -> list[str]:
        """The outputs of another model with one input, x; its floats are stored as float16 where that loses nothing."""
        own = compose.add_prefix(inliner.inline_local_functions(model), f"{self.fresh('model')}/").graph
        self._nodes.append(helper.make_node("Identity", [x], [own.input[0].name]))
        for tensor in own.initializer:
            array = numpy_helper.to_array(tensor)
            with np.errstate(over="ignore"):
                half = array.astype(np.float16) if array.dtype == np.float32 else array
            if array.size > 1 and half.dtype != array.dtype and (half == array).all():
                stored = numpy_helper.from_array(half, f"{tensor.name}/stored")
                cast = helper.make_node("Cast", [stored.name], [tensor.name], to=TensorProto.FLOAT)
                self._nodes.append(cast)
                tensor = stored
            self._constants[tensor.name] = tensor
        self._nodes += own.node
        return [output.name for output in own.output]

    def fresh(self, what: str) -> str:
        """A name that no other value has."""
        while True:
            self._names += 1
            name = f"{what}_{self._names}"
            if name not in self._reserved:
                return name

    def either(self, condition: str, yes: Callable[[], str], no: Callable[[], str]) -> str:
        """What one of two branches computes; only that one runs. The branches see all values from outside."""
        branches = {"then_branch": self._branch("then", yes), "else_branch": self._branch("else", no)}
        return self.add("If", condition, **branches)

    def _branch(self, name: str, build: Callable[[], str]) -> Any:
        outside, self._nodes = self._nodes, []
        result = self.add("Identity", build())
        nodes, self._nodes = self._nodes, outside
        return helper.make_graph(nodes, self.fresh(name), [], [_untyped(result)])

    def model(self, name: str, properties: Mapping[str, str]) -> ModelProto:
        """The whole graph as a model with these metadata."""
        constants = list(self._constants.values())
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="likely")
        helper.set_model_props(model, dict(properties))
        return model


def _type(dtype: Any) -> int:
    return TensorProto.STRING if dtype is str else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def _untyped(name: str) -> ValueInfoProto:
    info = ValueInfoProto()
    info.name = name
    return info
