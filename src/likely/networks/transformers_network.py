"""Networks of transformers: built from the settings of a layout, filled with weights, asked for features."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likely.errors import MissingExtraError, ModelFileError
from likely.networks.transformers_layout import FAMILIES, TransformersLayout

_COUNTER = "num_batches_tracked"
"""Ends the names of numbers that only training uses."""


def read_weights(folder: str | Path, layout: TransformersLayout) -> dict[str, np.ndarray]:
    """The weights in a folder by name, in the precision in which they are stored, bfloat16 as float32.

    Raises:
        MissingExtraError: if transformers is not installed.
        ModelFileError: if the file is damaged, or lacks weights.
    """
    import torch

    cls, config, more = _made_of(layout)
    with _Quiet():
        try:
            module, found = cls.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
                dtype="auto",
                **more,
            )
        except Exception as error:
            raise ModelFileError(
                f"{folder} must hold whole weights of {layout.name}; got {type(error).__name__}: {error}. Try "
                "downloading the folder again."
            ) from error
    lacking = sorted(found["missing_keys"]) + [str(pair[0]) for pair in found.get("mismatched_keys", ())]
    if lacking:
        raise ModelFileError(
            f"{folder} must hold all weights of {layout.name}; got none that fit {lacking[0]!r}. They would be random "
            "numbers. Try downloading the folder again."
        )
    return {
        name: (value.float() if value.dtype == torch.bfloat16 else value).numpy()
        for name, value in module.state_dict().items()
        if not name.endswith(_COUNTER)
    }


def shapes(layout: TransformersLayout) -> dict[str, tuple[int, ...]]:
    """The shape of every parameter by name; nothing is allocated."""
    import torch

    with torch.device("meta"):
        state = _built(layout).state_dict()
    return {name: tuple(value.shape) for name, value in state.items() if not name.endswith(_COUNTER)}


def answering(layout: TransformersLayout, weights: Mapping[str, np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """The features of images as a function of arrays, computed in float32."""
    import torch

    from likely.networks.forked import alone_after_fork

    alone_after_fork()
    module = _loaded(layout, weights)

    def features(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(x)).numpy()

    return features


def onnx_features(layout: TransformersLayout, weights: Mapping[str, np.ndarray], opset: int) -> bytes:
    """A model from "x", float32 (n, 3, side, side), to "features" (n, m), float32; errors as `module_to_onnx`."""
    import torch

    from likely.networks.module_to_onnx import module_to_onnx

    sample = torch.zeros(2, 3, layout.side, layout.side)
    return module_to_onnx(_loaded(layout, weights), sample, ["features"], opset)


def _loaded(layout: TransformersLayout, weights: Mapping[str, np.ndarray]) -> Any:
    """A module from images (n, 3, side, side) to features (n, m)."""
    import torch

    class Features(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = _built(layout)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found = self.network(x)
            # The first token of a ViT, whose pooler only its own training needs.
            return found.last_hidden_state[:, 0] if layout.family == "vit" else found.pooler_output.flatten(1)

    module = Features().eval()
    state = {name: torch.from_numpy(np.array(value, np.float32)) for name, value in weights.items()}
    module.network.load_state_dict(state, strict=False)  # all but counters are there: shapes were compared
    return module


def _built(layout: TransformersLayout) -> Any:
    cls, config, more = _made_of(layout)
    return cls(config, **more).float()


def _made_of(layout: TransformersLayout) -> tuple[Any, Any, dict[str, Any]]:
    """The class, its configuration, and further arguments."""
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError("transformers", f"network={layout.name!r}") from error
    called = FAMILIES[layout.family][0]
    config = getattr(transformers, f"{called}Config")(**layout.settings, attn_implementation="eager")
    return getattr(transformers, f"{called}Model"), config, {"add_pooling_layer": False} if called == "ViT" else {}


class _Quiet:
    """Without bars and remarks of transformers about heads that are left out."""

    def __enter__(self) -> None:
        from transformers.utils import logging

        self._level, self._bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        from transformers.utils import logging

        logging.set_verbosity(self._level)
        if self._bars:
            logging.enable_progress_bar()
