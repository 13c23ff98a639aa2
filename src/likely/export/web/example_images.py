"""Images of the test part that the page shows as examples: one of each label, as PNG."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from likely.config import load_config
from likely.data.dataset import Part
from likely.errors import LikelyError
from likely.model.predictor import Predictor
from likely.model.run_folder import CONFIG
from likely.training.open_data import open_data

_MOST = 10


def examples_of(predictor: Predictor, model: Path) -> tuple[list[dict[str, str]], str]:
    """Examples from the data of the run whose folder holds the model; or none, and why.

    Args:
        predictor: the model.
        model: its file, or the run folder.
    """
    config = (model if model.is_dir() else model.parent) / CONFIG
    if predictor.image_shape is None:
        return [], ""
    if not config.is_file():
        return [], f"there is no {CONFIG} beside the model, which says where its data are."
    try:
        settings = load_config(config)
        if settings.private:
            return [], "the run is private."
        dataset = open_data(settings, form=predictor.image_form)
    except LikelyError as error:
        return [], str(error)
    if dataset.sha256 != predictor.card.data.sha256 or dataset.test is None:
        return [], "the data have changed since training."
    return example_images(dataset.test, predictor.card.labels), ""


def example_images(part: Part, labels: tuple[str, ...]) -> list[dict[str, str]]:
    """At most ten images, the first of each label in their order, with its name."""
    rows = np.unique(part.y, return_index=True)[1][:_MOST].tolist()
    names = [labels[int(part.y[row])] if labels else f"{part.y[row]:g}" for row in rows]
    return [{"label": name, "png": _png(np.asarray(part.X[row]))} for name, row in zip(names, rows, strict=True)]


def _png(image: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
