"""What a model that was saved and loaded answers."""

from pathlib import Path
from typing import Any

import numpy as np

import likely


def saved_with_the_same_answers(model: Any, new: np.ndarray, folder: Path, rtol: float) -> Path:
    """The file that the model was saved to, once its answers from there are the same, for all rows and for one."""
    path = model.predictor_.save(folder / "model.likely")
    loaded = likely.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(new), model.predict_proba(new))
    np.testing.assert_allclose(loaded.predict_proba(new[:1]), loaded.predict_proba(new)[:1], rtol=rtol)
    return path
