"""ONNX Runtime with an exported model in it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from likely.config.processors import threads


class Session:
    """An exported model that answers.

    Args:
        model: the bytes of an ONNX file, or its path.
    """

    def __init__(self, model: bytes | str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads()
        options.log_severity_level = (
            4  # what goes wrong is raised, and inputs that have a default are no reason to warn
        )
        # Threads that wait for work by spinning slow down everything else in the process.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        optional: Any = self._session.get_overridable_initializers()
        self.optional = tuple(value.name for value in optional)
        self.outputs = tuple(output.name for output in self._session.get_outputs())

    @property
    def inputs(self) -> dict[str, str]:
        """The type and shape of each input by its name."""
        optional: Any = self._session.get_overridable_initializers()
        return _described(self._session.get_inputs()) | {
            name: f"{what}, optional" for name, what in _described(optional).items()
        }

    @property
    def described_outputs(self) -> dict[str, str]:
        """The type and shape of each output by its name."""
        return _described(self._session.get_outputs())

    @property
    def metadata(self) -> dict[str, str]:
        """The texts that the model carries."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def columns(self) -> dict[str, str]:
        """The column of the table by the name of its input."""
        return json.loads(self.metadata.get("columns", "{}"))

    def __call__(self, rows: Mapping[str, np.ndarray], **asked: float) -> dict[str, np.ndarray]:
        """All outputs by name.

        Args:
            rows: the inputs by name.
            asked: `coverage` and `max_error`; those that the model has no use for are left out.
        """
        numbers = {name: np.array(value) for name, value in asked.items() if name in self.optional}
        found: Any = self._session.run(list(self.outputs), {**rows, **numbers})
        return dict(zip(self.outputs, map(np.asarray, found), strict=True))


def _described(values: Iterable[Any]) -> dict[str, str]:
    return {
        value.name: f"{value.type.removeprefix('tensor(').removesuffix(')')} ({', '.join(map(str, value.shape))})"
        for value in values
    }
