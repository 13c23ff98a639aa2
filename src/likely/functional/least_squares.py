"""Linear regression in closed form."""

import math
import warnings
from collections.abc import Sequence

import numpy as np

from likely.arrays import Weights
from likely.errors import DataError, RankWarning, ShapeError


def least_squares(X: np.ndarray, Y: np.ndarray, *, ridge: float = 0.0, weights: Weights = None) -> np.ndarray:
    """The parameters of the linear network with the least sum of squared errors.

    L(theta) = (Y - X_D theta)^T (Y - X_D theta),  X_D = [1, X]. Its gradient 2 X_D^T (X_D theta - Y) is 0 at
    theta = (X_D^T X_D)^-1 X_D^T Y. The inverse is never formed: with the singular value decomposition X_D = U S V^T,
    theta = V S^-1 U^T Y. With ridge lambda, lambda ||W||^2 is added to L, where W is theta without row 0, the bias: a
    shift of all targets must only shift that.

    Args:
        X, Y: rows of shape (n, d), and targets, shape (n, k) or (n,).
        ridge: lambda, not negative.
        weights: one non-negative number per row, which multiplies its squared error.
    Returns:
        theta of shape (d + 1, k), row 0 the bias; (d + 1,) for Y of shape (n,).
    Raises:
        ShapeError: if the rows do not match.
        DataError: if a number is NaN or infinite, ridge is negative, or the weights are negative or all 0.
    Warns:
        RankWarning: if the columns of X_D depend on each other: the theta of least norm among the best is returned.
    Example:
        A parabola is linear in its parameters; the columns of X are the powers of x.

        >>> x = np.array([-1.0, 0.0, 1.0, 2.0])
        >>> least_squares(np.column_stack([x, x**2]), 1 + 2 * x + 3 * x**2).round(6)
        array([1., 2., 3.])

    Reference: Golub and Van Loan, Matrix Computations, ch. 5.
    """
    X, Y = _numbers("X", X), _numbers("Y", Y)
    if X.ndim != 2 or Y.ndim not in (1, 2) or len(X) != len(Y) or len(X) == 0:
        raise ShapeError(f"X must be (n, d) and Y (n, k) with n > 0; got {X.shape} and {Y.shape}.")
    if not 0 <= ridge < math.inf:
        raise DataError(f"ridge must be finite and not negative; got {ridge}. Else there is no minimum. Try 0.")
    design = np.concatenate([np.ones((len(X), 1), X.dtype), X], axis=1)
    targets = Y.reshape(len(Y), -1)
    if weights is not None:
        root = np.sqrt(_row_weights(weights, len(X)).astype(X.dtype))[:, None]
        design, targets = root * design, root * targets
    if ridge > 0:
        # lambda ||W||^2 is the squared error of d more rows whose targets are 0, and which the bias does not touch.
        penalty = math.sqrt(ridge) * np.eye(X.shape[1] + 1, dtype=X.dtype)[1:]
        design = np.concatenate([design, penalty])
        targets = np.concatenate([targets, np.zeros((X.shape[1], targets.shape[1]), targets.dtype)])
    left, sizes, right = np.linalg.svd(design, full_matrices=False)
    kept = sizes > max(design.shape) * np.finfo(design.dtype).eps * sizes[0]
    if kept.sum() < design.shape[1]:
        warnings.warn(
            f"X with a column of ones must have full column rank {design.shape[1]}; got {int(kept.sum())}. "
            "Infinitely many parameters fit equally well; those of least norm are returned. "
            "Try fewer columns, more rows, or ridge > 0.",
            RankWarning,
            stacklevel=2,
        )
    theta = right[kept].T @ ((left[:, kept].T @ targets) / sizes[kept, None])
    return theta if Y.ndim == 2 else theta[:, 0]


def ridge_path(
    X: np.ndarray, Y: np.ndarray, ridges: Sequence[float], *, weights: np.ndarray | None = None
) -> list[np.ndarray]:
    """What `least_squares` gives for each ridge, all positive, at little more than the price of one.

    With Z the rows less their mean and Z^T Z = V S V^T, W = V (S + lambda)^-1 V^T Z^T Y; of more columns than rows,
    Z Z^T = U S U^T is smaller, and W = Z^T U (S + lambda)^-1 U^T Y.

    Example:
        >>> x = np.array([[-1.0], [0.0], [1.0]])
        >>> [theta.ravel().tolist() for theta in ridge_path(x, 3 + 4 * x, [2.0, 6.0])]
        [[3.0, 2.0], [3.0, 1.0]]

    Reference: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, section 3.4.1.
    """
    counted = np.ones(len(X)) if weights is None else weights
    center, level = np.average(X, axis=0, weights=counted), np.average(Y, axis=0, weights=counted)
    root = np.sqrt(counted)[:, None]
    Z, T = root * (X - center), root * (Y - level)
    wide = Z.shape[1] > Z.shape[0]
    sizes, basis = np.linalg.eigh(Z @ Z.T if wide else Z.T @ Z)
    sizes, along = np.maximum(sizes, 0.0)[:, None], basis.T @ (T if wide else Z.T @ T)
    found = list[np.ndarray]()
    for ridge in ridges:
        W = basis @ (along / (sizes + ridge))
        W = Z.T @ W if wide else W
        found.append(np.concatenate([(level - center @ W)[None], W]))
    return found


def _numbers(name: str, values: np.ndarray) -> np.ndarray:
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "fiub":
        raise DataError(f"{name} must be real numbers; got dtype {numbers.dtype}. Try {name}.astype(float).")
    # LAPACK knows single and double precision only.
    numbers = numbers if numbers.dtype.name in ("float32", "float64") else numbers.astype(np.float64)
    if not np.isfinite(numbers).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
        raise DataError(f"{name} must be finite numbers; got {numbers[where]} at {where}. Try removing that row.")
    return numbers


def _row_weights(weights: np.ndarray, n_rows: int) -> np.ndarray:
    numbers = _numbers("weights", weights)
    if numbers.shape != (n_rows,):
        raise ShapeError(f"weights must have one number per row, shape ({n_rows},); got {numbers.shape}.")
    if numbers.min() < 0 or numbers.max() == 0:
        raise DataError(
            f"weights must not be negative, and one must be positive; got {numbers.min():.4g} to {numbers.max():.4g}. "
            "They multiply squared errors. Try weights=None."
        )
    return numbers
