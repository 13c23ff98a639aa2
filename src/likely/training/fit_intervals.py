"""What a regressor's intervals rest on: how badly held-out rows are predicted, and how large errors are where.

The scale of errors is fitted to the calibration rows, or to training rows where that fits the calibration rows better,
and the quantiles are of the rows for thresholds, of which it knows nothing: the coverage is guaranteed. Out of fold all
are the same rows; then each is measured by a scale that was fitted without it.
"""

import numpy as np

from likely.model.held_out_arrays import error_scale_inputs, residual_arrays
from likely.preprocessing.stored_rows import RowArray, take_rows
from likely.training.held_out_scores import TrainingOutcome
from likely.trust.scale_of_errors import better_scale, error_scale, fit_error_scale
from likely.trust.ties import number_slack

_IN_TRAINING = 5_000
"""Training rows that a scale of errors is fitted to, at most."""


def interval_arrays(outcome: TrainingOutcome, X: RowArray, Y: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of a model file that intervals rest on.

    Args:
        outcome: with held-out rows of a single target.
        X: all stored rows.
        Y: their targets, shape (n, 1).
    """
    trained, kept = outcome.trained, outcome.thresholds
    out_of_fold = outcome.splits.method == "cross-validation"
    others = kept if out_of_fold else outcome.calibration
    assert kept is not None
    assert others is not None
    preprocessor = trained.inference.preprocessor

    def inputs(index: np.ndarray) -> np.ndarray | None:
        return error_scale_inputs(preprocessor, take_rows(X, index))

    predictions, at = kept.scores[:, 0], inputs(others.index)
    errors = others.Y[:, 0] - others.scores[:, 0]
    fitted = fit_error_scale(errors, others.scores[:, 0], at)
    arrays, scale = fitted.arrays, fitted.without
    if not out_of_fold:
        if at is not None:
            some = np.random.default_rng(0).permutation(outcome.index)[:_IN_TRAINING]
            scores = trained.scores(take_rows(X, some))[:, 0]
            in_training = fit_error_scale(Y[some, 0] - scores, scores, inputs(some))
            arrays = better_scale(fitted, in_training.arrays, errors, others.scores[:, 0], at)
        scale = error_scale(arrays, predictions, inputs(kept.index))
    slack = number_slack(predictions, float(trained.target_mean[0]), float(trained.target_scale[0]), preprocessor.dtype)
    return residual_arrays(kept.Y[:, 0] - predictions, slack, scale, arrays)
