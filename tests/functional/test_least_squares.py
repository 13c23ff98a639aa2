"""Linear regression in closed form, against numpy.linalg.lstsq and scikit-learn."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, Ridge

import likely
from likely.errors import DataError, RankWarning, ShapeError
from likely.functional.least_squares import least_squares, ridge_path
from likely.functional.objective import Objective
from likely.networks.linear import Linear


def lstsq(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(np.column_stack([np.ones(len(X)), X]), Y, rcond=None)[0]


@pytest.mark.parametrize("outputs", [(), (1,), (4,)])
def test_equals_lstsq(outputs: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(50, 6)), rng.normal(size=(50, *outputs))
    theta = least_squares(X, Y)
    assert theta.shape == (7, *outputs)
    np.testing.assert_allclose(theta, lstsq(X, Y), rtol=1e-10, atol=1e-10)


def test_diabetes() -> None:
    X, y = load_diabetes(return_X_y=True)
    theta = least_squares(X, y)
    np.testing.assert_allclose(theta, lstsq(X, y), rtol=1e-10)
    # The gradient 2 X_D^T (X_D theta - Y) of the loss is 0 there.
    J = likely.gradient(Objective(Linear(10, 1), "identity", "squared_error"))(
        {"layer0": theta[:, None]}, X, y[:, None]
    )
    assert np.abs(J["layer0"]).max() < 1e-10
    assert theta[0] == pytest.approx(y.mean())
    oracle = LinearRegression().fit(X, y)
    np.testing.assert_allclose(theta, [oracle.intercept_, *oracle.coef_], rtol=1e-8)


def test_polynomial_features() -> None:
    x = np.linspace(-1, 1, 30)
    theta = least_squares(np.column_stack([x, x**2, x**3]), 1 - 2 * x + 0.5 * x**3)
    np.testing.assert_allclose(theta, [1, -2, 0, 0.5], atol=1e-12)


def test_no_column_at_all_gives_the_mean() -> None:
    np.testing.assert_allclose(least_squares(np.empty((4, 0)), np.array([1.0, 2.0, 3.0, 6.0])), [3])


def test_badly_scaled_columns_stay_exact() -> None:
    # The normal equations would square the condition number 1e8 and lose everything.
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 1))
    X = np.hstack([x, x + 1e-8 * rng.normal(size=(60, 1))])
    theta = np.array([1.0, 2.0, -3.0])
    np.testing.assert_allclose(least_squares(X, theta[0] + X @ theta[1:]), theta, atol=1e-6)


@pytest.mark.parametrize("case", ["repeated column", "constant column", "few rows", "zero column"])
def test_rank_deficient_input_gives_the_least_norm(case: str) -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(3 if case == "few rows" else 40, 5))
    if case == "repeated column":
        X[:, 4] = 2 * X[:, 1]
    elif case == "constant column":
        X[:, 2] = 7
    elif case == "zero column":
        X[:, 0] = 0
    Y = rng.normal(size=(len(X), 2))
    with pytest.warns(RankWarning, match="full column rank 6; got [35]") as caught:
        theta = least_squares(X, Y)
    assert caught[0].filename == __file__
    np.testing.assert_allclose(theta, lstsq(X, Y), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("ridge", [1e-3, 1.0, 1e4])
def test_ridge_is_that_of_scikit_learn(ridge: float) -> None:
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(30, 4)), 100 + rng.normal(size=(30, 2))
    theta, oracle = least_squares(X, Y, ridge=ridge), Ridge(alpha=ridge, solver="svd").fit(X, Y)
    np.testing.assert_allclose(theta, np.vstack([oracle.intercept_, oracle.coef_.T]), rtol=1e-9, atol=1e-12)
    # The bias is not penalized: a shift of the targets shifts it and nothing else.
    shifted = least_squares(X, Y + 1000, ridge=ridge)
    np.testing.assert_allclose(shifted[0], theta[0] + 1000, rtol=1e-10)
    np.testing.assert_allclose(shifted[1:], theta[1:], atol=1e-9)


def test_ridge_needs_no_full_rank() -> None:
    X = np.random.default_rng(4).normal(size=(3, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theta = least_squares(X, X[:, 0], ridge=0.1)
    oracle = Ridge(alpha=0.1, solver="svd").fit(X, X[:, 0])
    np.testing.assert_allclose(theta, [oracle.intercept_, *oracle.coef_], atol=1e-10)


def test_weights_count_rows() -> None:
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    times = rng.integers(0, 4, 20)
    expected = least_squares(np.repeat(X, times, axis=0), np.repeat(Y, times, axis=0))
    np.testing.assert_allclose(least_squares(X, Y, weights=times), expected, atol=1e-10)
    weights = rng.random(20)
    oracle = Ridge(alpha=0.5, solver="svd").fit(X, Y, sample_weight=weights)
    found = least_squares(X, Y, ridge=0.5, weights=weights)
    np.testing.assert_allclose(found, np.vstack([oracle.intercept_, oracle.coef_.T]), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float16", "float32", "uint8", "bool"])
def test_other_dtypes(dtype: str) -> None:
    X = np.random.default_rng(6).integers(0, 2 if dtype == "bool" else 9, (20, 2)).astype(dtype)
    Y = 1 + X.astype(np.float64) @ [2, -1]
    theta = least_squares(X, Y.astype(np.float32))
    assert theta.dtype == (np.float32 if dtype == "float32" else np.float64)
    np.testing.assert_allclose(theta, [1, 2, -1], atol=1e-5)


@pytest.mark.parametrize("shapes", [((5,), (5,)), ((5, 2), (4,)), ((5, 2), (5, 1, 1)), ((0, 2), (0,))])
def test_shapes_that_do_not_fit(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ShapeError, match=r"X must be \(n, d\)"):
        least_squares(np.zeros(shapes[0]), np.zeros(shapes[1]))


def test_numbers_that_are_none() -> None:
    X, y = np.arange(6.0).reshape(3, 2), np.ones(3)
    with pytest.raises(DataError, match=r"X must be finite numbers; got nan at \(1, 0\)"):
        least_squares(np.where(X == 2, np.nan, X), y)
    with pytest.raises(DataError, match=r"Y must be finite numbers; got inf at \(0,\)"):
        least_squares(X, np.array([np.inf, 1, 1]))
    with pytest.raises(DataError, match="real numbers; got dtype <U1"):
        least_squares(np.array([["a"], ["b"], ["c"]]), y)
    for ridge in (-1.0, np.nan, np.inf):
        with pytest.raises(DataError, match="ridge"):
            least_squares(X, y, ridge=ridge)


@pytest.mark.parametrize("weights", [[1, -1, 1], [0, 0, 0], [np.nan, 1, 1]])
def test_weights_that_are_none(weights: list[float]) -> None:
    with pytest.raises(DataError, match="weights"):
        least_squares(np.arange(6.0).reshape(3, 2), np.ones(3), weights=np.array(weights))


def test_one_weight_per_row() -> None:
    with pytest.raises(ShapeError, match="one number per row"):
        least_squares(np.arange(6.0).reshape(3, 2), np.ones(3), weights=np.ones((3, 1)))


@pytest.mark.parametrize("columns", [6, 80])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_path_of_ridges_is_each_of_them(columns: int, weighted: bool) -> None:
    rng = np.random.default_rng(0)
    X, Y = 3 + rng.normal(size=(50, columns)), rng.normal(size=(50, 2))
    X[:, 1] = X[:, 0]  # columns that depend on each other
    weights = rng.random(50) if weighted else None
    for ridge, theta in zip((100.0, 1.0, 1e-3), ridge_path(X, Y, [100.0, 1.0, 1e-3], weights=weights), strict=True):
        np.testing.assert_allclose(theta, least_squares(X, Y, ridge=ridge, weights=weights), rtol=1e-6, atol=1e-8)
