"""What is said of a module that torch cannot export; `make prove PART=doors` exports some, and has others refused."""

from likely.networks.module_to_onnx import why


def test_the_operator_is_named_wherever_in_the_chain_torch_says_it() -> None:
    first = ValueError("No ONNX function found for <OpOverload(op='prims.x', overload='default')>: torch.ops.prims.x")
    second = RuntimeError("Failed to convert the exported program.\n\nSee the report.")
    second.__cause__ = first
    assert why(second) == "the operator torch.ops.prims.x"
    assert why(TypeError("no shapes\nand more")) == "TypeError: no shapes"
    assert why(TypeError()) == "TypeError: TypeError"
