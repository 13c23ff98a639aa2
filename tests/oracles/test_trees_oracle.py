"""Trees as plain arrays beside scikit-learn, which grew them: numbers, missing values, categories, weights."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from likely.learners.boosting import BoostedTrees, Boosting
from likely.networks.input_groups import InputGroups
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column

COLUMNS = (
    Column("size", missing=True),
    Column("color", ("blue", "green", "red"), missing=True),
    Column("when"),
    Column("town", tuple(f"town {i}" for i in range(40))),
)
HOW = Boosting(max_leaf_nodes=12, min_samples_leaf=5, l2=1.0, max_features=1.0, max_bins=255)
SETTINGS = {"max_leaf_nodes": 12, "min_samples_leaf": 5, "l2_regularization": 1.0, "learning_rate": 0.1}
ROUNDS = 30


def rows(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = np.column_stack(
        [rng.normal(size=n), rng.integers(0, 3, n), 1.7e9 + rng.normal(size=n) * 50, rng.integers(0, 40, n)]
    )
    X[rng.random(n) < 0.15, 0] = np.nan
    X[rng.random(n) < 0.15, 1] = np.nan
    return X


def natural(preprocessor: ColumnPreprocessor, X: np.ndarray) -> np.ndarray:
    """What a user would give scikit-learn: categories first, as numbers, then standardized columns with their gaps."""
    size, color, when, town = X.T
    numbers = (np.column_stack([size, when]) - preprocessor.mean) / preprocessor.scale
    return np.column_stack([color, town, numbers.astype(np.float32)])


@pytest.mark.parametrize("n_labels", [2, 4])
def test_labels_have_the_probabilities_of_the_library(n_labels: int) -> None:
    X, new = rows(800, 0), rows(400, 1)
    y = ((np.nan_to_num(X[:, 0], nan=2.0) > 0.3) + 2 * (X[:, 1] == 1) + X[:, 3].astype(int) % 3) % n_labels
    prepared = ColumnPreprocessor.fit(X, COLUMNS)
    trees = BoostedTrees(
        HOW, prepared.groups, prepared.groups.columns(prepared(X)), np.eye(n_labels)[y.astype(int)], None,
        n_inputs=prepared.output_shape[0], learning_rate=0.1, classifies=True, seed=0,
    )  # fmt: skip
    library = HistGradientBoostingClassifier(
        max_iter=ROUNDS, categorical_features=[0, 1], early_stopping=False, random_state=0, **SETTINGS
    ).fit(natural(prepared, X), y)
    for rounds in (10, ROUNDS):
        trees.grow(rounds)
    for some in (X, new):
        expected = library.predict_proba(natural(prepared, some))
        # Ties between categories may fall otherwise where their numbers differ: compare with what grew.
        ours = np.exp(trees.scores(prepared(some)))
        model, *_ = trees._grown[0]
        np.testing.assert_allclose(ours, model.predict_proba(trees.columns(prepared(some))), atol=1e-6)
        assert np.abs(ours - expected).mean() < 0.02


@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_are_those_of_the_library(weighted: bool) -> None:
    X, new = rows(600, 2)[:, [0, 2]], rows(300, 3)[:, [0, 2]]
    columns = (Column("size", missing=True), Column("when"))
    y = np.nan_to_num(X[:, 0], nan=3.0) ** 2 + np.sin(X[:, 1] / 50)
    weights = np.random.default_rng(4).random(600) if weighted else None
    prepared = ColumnPreprocessor.fit(X, columns)
    trees = BoostedTrees(
        HOW,
        prepared.groups,
        prepared.groups.columns(prepared(X)),
        y[:, None],
        weights,
        n_inputs=prepared.output_shape[0],
        learning_rate=0.1,
        classifies=False,
        seed=0,
    )
    trees.grow(ROUNDS)
    library = HistGradientBoostingRegressor(max_iter=ROUNDS, early_stopping=False, random_state=0, **SETTINGS)
    standard = lambda rows: ((rows - prepared.mean) / prepared.scale).astype(np.float32)  # noqa: E731
    library.fit(standard(X), y, sample_weight=None if weights is None else weights / weights.mean())
    for some in (X, new):
        np.testing.assert_allclose(trees.scores(prepared(some))[:, 0], library.predict(standard(some)), atol=1e-6)


def test_more_categories_than_the_library_takes() -> None:
    rng = np.random.default_rng(5)
    X = rng.integers(0, 600, (2_000, 1)).astype(float)
    columns = (Column("street", tuple(map(str, range(1_000)))),)
    prepared = ColumnPreprocessor.fit(X, columns)
    Y = np.eye(2)[(X[:, 0] % 2).astype(int)]
    trees = BoostedTrees(
        HOW, prepared.groups, prepared.groups.columns(prepared(X)), Y, None,
        n_inputs=prepared.output_shape[0], learning_rate=0.3, classifies=True, seed=0,
    )  # fmt: skip
    trees.grow(40)
    scores = trees.scores(prepared(X))
    model, *_ = trees._grown[0]
    np.testing.assert_allclose(np.exp(scores), model.predict_proba(trees.columns(prepared(X))), atol=1e-6)
    # A street without a training row is answered like a missing one.
    unknown = trees.scores(prepared(np.array([[700.0], [999.0]])))
    assert np.isfinite(unknown).all()
    np.testing.assert_array_equal(unknown[0], unknown[1])


def test_rows_on_a_threshold_fall_as_in_training() -> None:
    values = np.float32([0.1, 0.2, 0.3, 0.7, 0.8]).repeat(20)
    Y = np.eye(2)[(values > 0.25).astype(int)]
    trees = BoostedTrees(
        HOW, InputGroups(1), values[:, None], Y, None, n_inputs=1, learning_rate=0.5, classifies=True, seed=0
    )
    trees.grow(5)
    assert (trees.scores(values[:, None]).argmax(axis=1) == (values > 0.25)).all()
    for threshold in trees.state()["threshold"]:
        nearest = values[np.abs(values - threshold).argmin()]
        assert nearest <= threshold or np.nextafter(threshold, np.float32(1)) <= nearest


def test_the_command_loads_what_trees_do_not_use_of_scipy_when_something_else_uses_it() -> None:
    code = """
import sys
import numpy as np
import likely.cli
from likely.learners.library_import import ensemble
boosting, x = ensemble().HistGradientBoostingClassifier(max_iter=1), np.arange(60.0)
boosting.fit(x[:, None], x // 20)
assert "scipy.stats" not in sys.modules and "pandas" not in sys.modules
from sklearn.isotonic import IsotonicRegression
falling = IsotonicRegression(increasing="auto").fit(x, -x)
assert not falling.increasing_ and "scipy.stats" in sys.modules
from scipy.stats import gmean
link = boosting._loss.link
p = np.array([[0.2, 0.5, 0.3]])
np.testing.assert_allclose(link.link(p), np.log(p) - np.log(gmean(p, axis=1)), rtol=1e-12)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
