"""From a model and rows to explanations: what is asked, of whom, and with what in place of what is covered."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from likely.config.durations import duration
from likely.errors import ConfigError, DataError, ShapeError
from likely.explain.cover import neutral
from likely.explain.explanation import Explanation, ImageExplanation, RowExplanation
from likely.explain.integrated_gradients import in_squares, integrated_gradients
from likely.explain.occlusion import occlusion, usual_occlusion
from likely.explain.part import carrying_part
from likely.explain.replacement import Replaced, neutral_rows, replacement
from likely.metrics.numerals import counted
from likely.model.inference import Inference
from likely.model.question import Question
from likely.model.replaced_columns import texts_of
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column
from likely.preprocessing.image_preprocessor import ImagePreprocessor
from likely.probability.space import Event
from likely.trust.familiarity import is_unfamiliar

Method: TypeAlias = Literal["occlusion", "replacement", "integrated_gradients"]

_NEUTRAL_ROWS = 256
_TOLERANCE = 0.001
"""By how much contributions may miss what they sum to, in the smallest changes to speak of."""


def chosen_method(method: str | None, *, images: bool) -> Method:
    """The method that was asked for, or the one for images or for rows.

    Raises:
        ConfigError: if it does not exist, or is for the other of these.
    """
    usual: Method = "occlusion" if images else "replacement"
    if method not in (None, usual, "integrated_gradients"):
        what = "images" if images else "rows of a table"
        raise ConfigError(
            f"method must be {usual!r} or 'integrated_gradients' for {what}; got {method!r}. Try method={usual!r}."
        )
    return "integrated_gradients" if method == "integrated_gradients" else usual


def explain_each(
    rows: np.ndarray, questions: Sequence[Question], explain: Callable[[np.ndarray, Question], Explanation], most: int
) -> list[Any]:
    """An explanation of each row.

    Raises:
        DataError: if there are more rows than `most`; it says how long they would take.
    """
    if len(rows) > most:
        start = time.perf_counter()
        explain(rows[0], questions[0])
        each = time.perf_counter() - start
        raise DataError(
            f"X must hold at most {counted(most, 'row')} to be explained; got {len(rows):,}, which would take about "
            f"{duration(each * len(rows))}. Try explain(X[:{most}]), or most={len(rows)}."
        )
    return [explain(row, question) for row, question in zip(rows, questions, strict=True)]


def explain_image(
    image: np.ndarray, question: Question, inference: object, method: Method, square: int | None, seed: int
) -> ImageExplanation:
    """Which pixels of an image carry the answer; `square` is the side of what covers it, in pixels."""
    if square is not None and not 1 <= square <= min(image.shape[:2]):
        raise ShapeError(
            f"square must be a number of pixels from 1 to {min(image.shape[:2])}, the shorter side of the images; got "
            f"{square}. Try None, for a quarter of it."
        )
    instead = neutral(image)
    if method == "occlusion":
        answer, baseline = question.answer(np.stack([image, instead])).tolist()
        shown = contributions = (
            usual_occlusion(image, question.answer, instead)
            if square is None
            else occlusion(image, question.answer, instead, square)
        )
    else:
        differentiable = _differentiable(inference, ImagePreprocessor, "occlusion")
        preprocessor = differentiable.preprocessor
        assert isinstance(preprocessor, ImagePreprocessor)
        x, start = np.asarray(preprocessor(np.stack([image, instead])))
        found, answer, baseline = _integrated(differentiable, x, start, question)
        contributions = preprocessor.by_pixel(found)
        shown = in_squares(contributions, square or max(1, min(image.shape[:2]) // 8))
    part = carrying_part(
        image, shown, question.answer, instead, least=question.least, raises=question.event is not None, seed=seed
    )
    return ImageExplanation(
        *_said(question, answer, baseline, contributions, method),
        pixels=image,
        shown=question.scale * shown,
        part=part.mask,
        answer_without=part.without,
        answer_elsewhere=part.elsewhere,
    )


def explain_row(
    row: np.ndarray,
    question: Question,
    inference: object,
    replaced: Sequence[Replaced],
    columns: Sequence[Column] | None,
    method: Method,
    seed: int,
) -> RowExplanation:
    """Which columns of a row of a table carry the answer; the seed is that of the rows of the baseline."""
    others, texts = neutral_rows(replaced, row, _NEUTRAL_ROWS, seed), texts_of(row, columns)
    if method == "replacement":
        [answer], baseline = question.answer(row[None]).tolist(), float(question.answer(others).mean())
        contributions = replacement(row, question.answer, replaced)
    else:
        differentiable = _differentiable(inference, ColumnPreprocessor, "replacement")
        preprocessor = differentiable.preprocessor
        assert isinstance(preprocessor, ColumnPreprocessor)
        x, start = np.asarray(preprocessor(row[None]))[0], np.asarray(preprocessor(others)).mean(axis=0)
        found, answer, baseline = _integrated(differentiable, x, start, question)
        by_column = np.bincount(preprocessor.column_of_input, found, len(row))
        contributions = np.array([by_column[list(each.places)].sum() for each in replaced])
    return RowExplanation(
        *_said(question, answer, baseline, contributions, method),
        columns=tuple(" and ".join(each.names) for each in replaced),
        values=tuple(", ".join(filter(None, (texts[j] for j in each.places))) for each in replaced),
    )


def _said(
    question: Question, answer: float, baseline: float, contributions: np.ndarray, method: Method
) -> tuple[str, Event | None, float, float, np.ndarray, Method, float, float | None, bool]:
    """What explanations of images and of rows have in common, in the order of `Explanation`."""
    scale, familiarity = question.scale, question.familiarity
    name, event, least = question.name, question.event, scale * question.least
    return name, event, answer, baseline, scale * contributions, method, least, familiarity, is_unfamiliar(familiarity)


def _differentiable(inference: object, reads: type, instead: str) -> Inference:
    """The way to scores, if it has derivatives with respect to what the preprocessor makes of rows."""
    if not isinstance(inference, Inference) or inference.input_gradient is None:
        why = "It has no derivatives with respect to its inputs, such as trees and mixtures."
    elif not isinstance(inference.preprocessor, reads):
        why = "A pretrained network only computes features here; it has no derivatives."
    else:
        return inference
    raise ConfigError(f"method must be {instead!r} for this model; got 'integrated_gradients'. {why} Omit method.")


def _integrated(
    inference: Inference, x: np.ndarray, start: np.ndarray, question: Question
) -> tuple[np.ndarray, float, float]:
    """Contributions in the shape of x, and the number there and at the start.

    A model that looks at mirrored copies of images in doubt is asked as if it looked at all of them.
    """
    input_gradient = inference.input_gradient
    assert input_gradient is not None

    def slopes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        views = [points, np.ascontiguousarray(points[..., ::-1])] if inference.hflip else [points]
        scores = np.mean([inference.scores_alone(view) for view in views], axis=0)
        values, by_score = question.slopes(scores)
        by_input = [input_gradient(view, by_score) for view in views]
        return values, by_input[0] if len(views) == 1 else (by_input[0] + by_input[1][..., ::-1]) / 2

    contributions = integrated_gradients(x, start, slopes, _TOLERANCE * question.least)
    answer, baseline = slopes(np.stack([x, start]))[0].tolist()
    return contributions, answer, baseline
