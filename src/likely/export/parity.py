"""Whether an exported model answers like its predictor: asked the same rows, compared number by number."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from likely.export.answer_differences import RESIZED, ROUNDING, Parity, compare
from likely.export.golden_images import BATCHES, golden_images, golden_sizes
from likely.export.golden_table import golden_table
from likely.export.graph_conversion import graph_conversion
from likely.export.row_inputs import row_inputs
from likely.export.session import Session
from likely.model.predictor import Predictor
from likely.preprocessing.conversion import resized
from likely.preprocessing.image_preprocessor import ImagePreprocessor


def check_parity(predictor: Predictor, session: Session) -> Parity:
    """Compare the answers to usual, random and extreme rows, one by one and in batches.

    Raises:
        EngineError: naming the first answer that differs by more than rounding.
    """
    found = Parity()
    for rows, given, most in _batches(predictor):
        inputs = row_inputs(given, predictor.columns, session.columns)
        found = found.with_more(compare(predictor, session, rows, inputs, most))
    return found


def _batches(predictor: Predictor) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Rows for the predictor, rows for the graph, and how far apart their answers may be."""
    preprocessor, shape = predictor.preprocessor, predictor.image_shape
    if shape is None:
        for seed, size in enumerate(BATCHES):
            rows = golden_table(predictor, size, seed)
            yield rows, rows, ROUNDING
        return
    pixels = preprocessor.pixels if isinstance(preprocessor, ImagePreprocessor) else None
    convert = graph_conversion(predictor.card.conversion) or resized
    images, first = golden_images(shape, pixels, preprocessor.dtype), 0
    for size in BATCHES:
        some = images[first : first + size] if size < len(images) else images
        yield some, some, ROUNDING
        first += size
    for pair in golden_sizes(shape) if pixels is None else ():
        yield np.stack([convert(Image.fromarray(x), shape) for x in pair]), pair, RESIZED
