"""Which numbers the products of a training step are computed in."""

import torch

from likely.engines.protocol import Precision


def multiplies_in_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Whether convolutions and matrix products of a training step are computed in bfloat16.

    bfloat16 has the range of float32 and 8 bits of its precision. Parameters, their means and the optimizer stay in
    float32, and so does every answer of a model. "auto" takes it where the processor multiplies such numbers natively,
    which is faster than float32; elsewhere they are emulated, which is slower.

    Example:
        >>> multiplies_in_bfloat16("float32", torch.device("cpu"))
        False

    Reference: Kalamkar et al. (2019), A study of bfloat16 for deep learning training, arXiv 1905.12322.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    can = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(can.get("avx512_bf16") or can.get("amx_bf16") or can.get("bf16"))
