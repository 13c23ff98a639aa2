"""How large errors are as a function of x: found where it is there, constant where it is not."""

import numpy as np
import pytest

from likely.errors import ShapeError
from likely.trust.scale_of_errors import FEWEST, _basis, _ridge, better_scale, error_scale, fit_error_scale


def world(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.random((n, 3))
    return (0.1 + x[:, 0]) * rng.normal(size=n), x.sum(axis=1), x


def test_the_scale_follows_the_noise() -> None:
    residuals, predictions, x = world(1_000)
    fitted = fit_error_scale(residuals, predictions, x)
    _, others, new = world(500, seed=1)
    found = np.log(error_scale(fitted.arrays, others, new))
    assert np.corrcoef(found, np.log(0.1 + new[:, 0]))[0, 1] > 0.9
    assert np.corrcoef(np.log(fitted.without), np.log(0.1 + x[:, 0]))[0, 1] > 0.9


def test_it_has_the_unit_of_the_residuals_and_no_unit_of_inputs_matters() -> None:
    residuals, predictions, x = world(300)
    fitted = fit_error_scale(residuals, predictions, x)
    other = fit_error_scale(1e6 * residuals, predictions, x)
    np.testing.assert_allclose(other.without, 1e6 * fitted.without)
    moved = fit_error_scale(residuals, 1e9 + 50 * predictions, 3 * x - 5)
    np.testing.assert_allclose(moved.without, fitted.without, rtol=1e-4)
    expected = error_scale(fitted.arrays, predictions, x)
    np.testing.assert_allclose(error_scale(moved.arrays, 1e9 + 50 * predictions, 3 * x - 5), expected, rtol=1e-4)


def test_far_away_it_is_what_it_is_at_the_border() -> None:
    residuals, predictions, x = world(300)
    fitted = fit_error_scale(residuals, predictions, x)
    found = error_scale(fitted.arrays, np.array([1e9, -1e9, 0.0]), np.array([[1e9] * 3, [-1e9] * 3, [np.inf, 0, 0]]))
    seen = error_scale(fitted.arrays, predictions, x)
    assert (found >= seen.min()).all()
    assert (found <= seen.max()).all()


@pytest.mark.parametrize(
    "residuals",
    [np.zeros(200), np.tile([1.0, -1.0], 100), np.append(np.zeros(199), 5.0), np.arange(FEWEST - 1.0), np.zeros(0)],
    ids=["none", "equal", "one", "few", "no rows"],
)
def test_nothing_to_tell_apart_is_constant(residuals: np.ndarray) -> None:
    n = len(residuals)
    fitted = fit_error_scale(residuals, np.arange(float(n)), np.ones((n, 2)))
    assert fitted.arrays == {}
    np.testing.assert_array_equal(fitted.without, np.ones(n))
    np.testing.assert_array_equal(error_scale({}, np.zeros(4)), np.ones(4))


def test_predictions_alone_suffice() -> None:
    residuals, _, x = world(500)
    fitted = fit_error_scale(residuals, x[:, 0])
    near, far = error_scale(fitted.arrays, np.array([0.05, 0.95]))
    assert far > 3 * near


def test_without_a_row_means_a_fit_without_it() -> None:
    rng = np.random.default_rng(0)
    values, logs = rng.random((40, 2)), rng.normal(size=40)
    knots = np.quantile(values, (0.01, 0.25, 0.5, 0.75, 0.99), axis=0).T
    basis = _basis(values, knots)
    Z = (basis - basis.mean(axis=0)) / basis.std(axis=0)
    _, _, without = _ridge(basis, logs)
    # By hand, for each penalty: the one whose rows are predicted best is that of `_ridge`.
    tried = []
    for penalty in 40 * 10.0 ** np.arange(-3, 2.5, 0.5):
        found = np.empty(40)
        for i in range(40):
            rest = np.arange(40) != i
            design = np.column_stack([np.ones(39), Z[rest]])
            ridge = penalty * np.diag([0.0, *np.ones(8)])
            theta = np.linalg.solve(design.T @ design + ridge, design.T @ logs[rest])
            found[i] = theta[0] + Z[i] @ theta[1:]
        tried.append(found)
    best = min(tried, key=lambda found: float(np.square(logs - found).mean()))
    np.testing.assert_allclose(without, best, atol=1e-8)


def test_rows_that_do_not_fit_are_refused() -> None:
    residuals, predictions, x = world(100)
    with pytest.raises(ShapeError, match="one per row"):
        fit_error_scale(residuals[:-1], predictions, x)
    with pytest.raises(ShapeError, match="a row per prediction"):
        fit_error_scale(residuals, predictions, x[:-1])
    fitted = fit_error_scale(residuals, predictions, x)
    with pytest.raises(ShapeError, match="3 columns"):
        error_scale(fitted.arrays, predictions, x[:, :2])


def test_the_scale_that_fits_held_out_rows_better_is_taken() -> None:
    residuals, predictions, x = world(200)
    own = fit_error_scale(residuals, predictions, x)
    many = fit_error_scale(*world(4_000, seed=1)).arrays
    turned = fit_error_scale(*world(4_000, seed=1)[:2], 1 - world(4_000, seed=1)[2]).arrays
    # Too few to fit a scale of their own, but errors as large as the noise says tell which one fits.
    plain = 0.1 + x[:39, 0]
    few = fit_error_scale(plain, predictions[:39], x[:39])
    assert few.arrays == {}
    assert better_scale(few, many, plain, predictions[:39], x[:39])["knots"] is many["knots"]
    assert better_scale(own, turned, residuals, predictions, x)["knots"] is own.arrays["knots"]
    assert better_scale(own, {}, residuals, predictions, x) is own.arrays
    assert better_scale(few, many, np.zeros(39), predictions[:39], x[:39]) == {}
