"""How large errors are as a function of x: what lets intervals be wide where predictions are poor, narrow elsewhere.

    log s(x) = b + sum_j sum_i w_ji phi_i(v_j)      v: the prediction and, for tables, the inputs of x
    phi(v)   = v, and max(v - k, 0) for each of three quartiles k of v, with v cut to the middle 98% of its values

The weights are those of a ridge regression of log |residual| on rows that the network was not trained on: logarithms
let a few huge errors count no more than others, and do not ask what distribution errors have. The penalty has the
least leave-one-out error, over no function of x at all as well: where errors are about as large everywhere, s is
constant, and intervals are what they would be without it.

Conformal intervals prediction ± q s(x), with q the quantile of |residual| / s(x) over held-out rows, hold the truth at
least as often as asked, on average over exchangeable rows, whatever s is, as long as it was fitted without these rows.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from likely.errors import ShapeError
from likely.trust.ties import STEP

FEWEST = 40
"""With fewer rows, errors are taken to be equally large everywhere."""

MOST_INPUTS = 250
"""Of wider tables, and of images, only the prediction counts."""

_QUARTILES = (0.25, 0.5, 0.75)
_EDGES = (0.01, 0.99)
_PENALTIES = 10.0 ** np.arange(-3, 2.5, 0.5)  # times the number of rows
_SURE = 0.5  # standard errors by which equally large errors must lose
_FLOOR = 0.03  # of the median residual: what is added before the logarithm, so that an exact prediction has one


class ErrorScale(NamedTuple):
    """A fitted s: its arrays, none where it is constant, and s of each row from a fit without that row."""

    arrays: dict[str, np.ndarray]
    without: np.ndarray


def fit_error_scale(residuals: np.ndarray, predictions: np.ndarray, inputs: np.ndarray | None = None) -> ErrorScale:
    """Fit s(x) to rows that the network was not trained on.

    Args:
        residuals, predictions: y - prediction and prediction, shape (m,) each, in any unit.
        inputs: numbers that describe the rows, shape (m, p), standardized or not; None for none.
    Returns:
        The arrays for `error_scale`: "knots" (p + 1, 5), "weights" (p + 1, 4) and "range" (3,); and s of each row
        without it, shape (m,), in the unit of the residuals. Where s is constant: no arrays, and ones.
    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.random(400)
        >>> fitted = fit_error_scale(x * rng.normal(size=400), np.zeros(400), x[:, None])
        >>> near, far = error_scale(fitted.arrays, np.zeros(2), np.array([[0.1], [0.9]]))
        >>> bool(3 * near < far)
        True
        >>> fit_error_scale(np.tile([1.0, -1.0], 200), np.zeros(400), x[:, None]).arrays
        {}

    Reference: Lei et al. (2018), Distribution-Free Predictive Inference for Regression, section 5.2; Papadopoulos,
    Gammerman and Vovk (2008), Normalized nonconformity measures for regression conformal prediction.
    """
    size, typical = _sizes(residuals)
    values = _variables(predictions, inputs)
    if size.shape != (len(values),):
        raise ShapeError(f"residuals must be one per row, shape ({len(values)},); got {size.shape}.")
    constant = ErrorScale({}, np.ones(len(size)))
    if len(size) < FEWEST or typical <= 0 or not np.isfinite(size).all():
        return constant
    logs = np.log(size / typical + _FLOOR)
    if np.ptp(logs) < STEP:
        return constant
    knots = np.quantile(values, (_EDGES[0], *_QUARTILES, _EDGES[1]), axis=0).T
    fits = (_ridge(_basis(values[:, :p], knots[:p]), logs) for p in sorted({1, values.shape[1]}))
    weights, center, without = min(fits, key=lambda fit: float(np.square(logs - fit[2]).mean()))
    of_mean = (logs - logs.mean()) * len(logs) / (len(logs) - 1)
    if not _gains(np.square(of_mean), np.square(logs - without)):
        return constant
    full = np.zeros((len(knots), 4))
    full.reshape(-1)[: len(weights)] = weights
    fitted = center + _basis(values, knots) @ full.reshape(-1)
    low, high = float(fitted.min()), float(fitted.max())
    arrays = {"knots": knots, "weights": full, "range": np.array([center, low, high]) + np.log(typical)}
    return ErrorScale(arrays, typical * np.exp(np.clip(without, low, high)))


def better_scale(
    own: ErrorScale,
    other: Mapping[str, np.ndarray],
    residuals: np.ndarray,
    predictions: np.ndarray,
    inputs: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Of two scales, the arrays of the one that leaves less spread in log(|residual| / s) on held-out rows.

    `own` was fitted to these rows, each of which is measured by the fit without it, `other` to other rows, such as
    those that the network was trained on; the rest is as for `fit_error_scale`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.random((2_000, 1))
        >>> errors = x[:, 0] * rng.normal(size=2_000)
        >>> few, many = (fit_error_scale(errors[part], x[part, 0]) for part in (slice(20), slice(20, None)))
        >>> sorted(better_scale(few, many.arrays, errors[:20], x[:20, 0]))
        ['knots', 'range', 'weights']
    """
    size, typical = _sizes(residuals)
    if not other or typical <= 0:
        return own.arrays
    logs = np.log(size / typical + _FLOOR)
    left = [logs - np.log(s) for s in (own.without, error_scale(other, predictions, inputs))]
    mine, others = (np.square(rest - rest.mean()) for rest in left)
    return dict(other) if _gains(mine, others) else own.arrays


def error_scale(
    arrays: Mapping[str, np.ndarray], predictions: np.ndarray, inputs: np.ndarray | None = None
) -> np.ndarray:
    """s(x), shape (n,), never outside what it was among the rows that it was fitted to; ones where it is constant.

    `arrays` are from `fit_error_scale`, predictions (n,) and inputs (n, p) as there.

    Example:
        >>> error_scale({}, np.zeros(2))
        array([1., 1.])
    """
    if not arrays:
        return np.ones(len(predictions))
    values = _variables(predictions, inputs)
    if values.shape[1] != len(arrays["knots"]):
        raise ShapeError(
            f"inputs must have {len(arrays['knots']) - 1} columns like those fitted to; got {values.shape[1] - 1}."
        )
    center, low, high = arrays["range"]
    logs = center + _basis(values, arrays["knots"]) @ arrays["weights"].reshape(-1)
    return np.exp(np.clip(logs, low, high))


def _sizes(residuals: np.ndarray) -> tuple[np.ndarray, float]:
    """|residual| of each row, and a typical one."""
    size = np.abs(np.asarray(residuals, dtype=np.float64))
    return size, float(np.median(size)) or float(size.mean()) if len(size) else 0.0


def _gains(losses: np.ndarray, others: np.ndarray) -> bool:
    """Whether the others are smaller by more than chance explains."""
    gain = losses - others
    return bool(gain.mean() > _SURE * gain.std() / np.sqrt(len(gain)))


def _variables(predictions: np.ndarray, inputs: np.ndarray | None) -> np.ndarray:
    column = np.asarray(predictions, dtype=np.float64)[:, None]
    if inputs is None:
        return column
    if np.ndim(inputs) != 2 or len(inputs) != len(column):
        raise ShapeError(f"inputs must have a row per prediction, {len(column)}; got shape {np.shape(inputs)}.")
    return np.concatenate([column, np.asarray(inputs, dtype=np.float64)], axis=1)


def _basis(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Piecewise linear functions of each of p variables, shape (n, 4 p)."""
    low, high = knots[:, 0], knots[:, -1]
    cut = np.clip(values, low, high) - low
    hinges = np.maximum(cut[:, :, None] - (knots[:, 1:-1] - low[:, None]), 0.0)
    return np.concatenate([cut[:, :, None], hinges], axis=2).reshape(len(values), -1)


def _ridge(basis: np.ndarray, logs: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Weights, constant, and the prediction of each row without it, under the penalty that predicts them best.

    Without row i the prediction is y_i - (y_i - f_i) / (1 - h_i), with the leverages h_i, the diagonal of
    1/m + Z (Z^T Z + lambda I)^-1 Z^T.
    """
    mean, deviation = basis.mean(axis=0), basis.std(axis=0)
    live = deviation > 1e-9 * np.maximum(np.abs(mean), np.abs(basis).max(axis=0, initial=0.0))
    Z = (basis[:, live] - mean[live]) / deviation[live]
    center, m = float(logs.mean()), len(logs)
    sizes, directions = np.linalg.eigh(Z.T @ Z)
    A = Z @ directions
    inverse = 1 / (np.maximum(sizes, 0.0)[:, None] + m * _PENALTIES)
    along = (A.T @ (logs - center))[:, None] * inverse
    left = (logs - center)[:, None] - A @ along
    without = logs[:, None] - left / (1 - 1 / m - np.square(A) @ inverse)
    best = int(np.square(logs[:, None] - without).mean(axis=0).argmin())
    weights = np.zeros(basis.shape[1])
    weights[live] = (directions @ along[:, best]) / deviation[live]
    return weights, center - float(mean @ weights), without[:, best]
