"""Linear classification is convex: what is fitted is the minimum of its objective, by an independent solver's word."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.guarantees.proof import Check, Figures, Proof, mean

import likely
from likely.arrays import one_hot
from likely.config import RunConfig
from likely.functional.heads import log_softmax
from likely.metrics import log_loss
from likely.training.choose_plan import choose_plan
from likely.training.task import CLASSIFICATION
from likely.training.train import train
from likely.training.trained import Trained
from likely.training.training_rows import Rows


def three_gaussians(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes of 90, 7 and 3%, which overlap: a maximum of the likelihood exists."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n, p=[0.9, 0.07, 0.03])
    return np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])[y] + rng.normal(size=(n, 2)), y


def wide(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """886 rows of 1,280 correlated features, of which 286 are to be learned from."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, 886)
    centers, directions = 0.12 * rng.normal(size=(4, 1280)), rng.normal(size=(20, 1280))
    return centers[y] + 0.5 * rng.normal(size=(886, 20)) @ directions + rng.normal(size=(886, 1280)), y


def solved(X: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None, **settings: object) -> Trained:
    """The network trained on all of these rows, without any held out."""
    config, k = RunConfig(network="linear", **settings), int(y.max()) + 1
    shape, n = X.shape[1:], len(X)
    plan = choose_plan(config, row_shape=shape, n_rows=n, n_outputs=k, task=CLASSIFICATION, hflip=False)
    return train(plan, Rows(X, one_hot(y, k), weights, task=CLASSIFICATION), np.arange(n), config)


def objective(
    theta: np.ndarray, Z: np.ndarray, y: np.ndarray, penalty: float, weights: np.ndarray | None = None
) -> float:
    log_probs = log_softmax(Z @ theta[1:] + theta[0])
    losses = -log_probs[np.arange(len(y)), y]
    return float(np.average(losses, weights=weights) + penalty / 2 * np.square(theta[1:]).sum())


def short_of_the_minimum(
    trained: Trained, X: np.ndarray, y: np.ndarray, penalty: float, weights: np.ndarray | None = None
) -> float:
    """How far in nats the objective lies above that of scikit-learn's solver, on the same inputs."""
    Z = np.asarray(trained.inference.preprocessor(X), np.float64)
    C = np.inf if penalty == 0 else 1 / (penalty * (len(y) if weights is None else weights.sum()))
    oracle = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(Z, y, sample_weight=weights)
    best = np.concatenate([oracle.intercept_[None], oracle.coef_.T])
    if best.shape[1] == 1:  # of two classes it keeps the difference w; its halves -w/2 and w/2 have half the penalty
        oracle = LogisticRegression(C=2 * C, tol=1e-10, max_iter=10_000).fit(Z, y, sample_weight=weights)
        half = np.concatenate([oracle.intercept_[None], oracle.coef_.T]) / 2
        best = np.concatenate([-half, half], axis=1)
    theta = trained.engine.state()["layer0"].astype(np.float64)
    return objective(theta, Z, y, penalty, weights) - objective(best, Z, y, penalty, weights)


def draw(seed: int) -> Figures:
    """As `fit` chooses: with held-out rows, and a penalty of its own choice, against the maximum of the likelihood."""
    n = 8_000 if seed % 2 else 40_000
    X, y = three_gaussians(n + 20_000, seed)
    clf = likely.Classifier(network="linear", random_state=seed).fit(X[:n], y[:n])
    scaler = StandardScaler().fit(X[:n])
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(scaler.transform(X[:n]), y[:n])
    # The scores before the temperature, which is no part of the objective.
    ours = objective(np.concatenate([np.zeros((1, 3)), np.eye(3)]), clf.predictor_.scores(X[:n]), y[:n], 0.0)
    best = objective(np.concatenate([oracle.intercept_[None], oracle.coef_.T]), scaler.transform(X[:n]), y[:n], 0.0)
    theirs = log_loss(oracle.predict_proba(scaler.transform(X[n:])), y[n:])
    before = objective(np.concatenate([np.zeros((1, 3)), np.eye(3)]), clf.predictor_.scores(X[n:]), y[n:], 0.0)
    calibrated = log_loss(clf.predict_proba(X[n:]), y[n:])
    return {"gap": ours - best, "test": before - theirs, "calibrated": calibrated - theirs}


def checks(draws: list[Figures]) -> list[Check]:
    gap, worst = mean(draws, "gap"), max(figures["gap"] for figures in draws)
    test, calibrated = mean(draws, "test"), mean(draws, "calibrated")
    return [
        Check("nats short of the optimum on all rows, mean", gap, "at most 0.001", gap <= 0.001),
        Check("the same, worst draw", worst, "at most 0.002", worst <= 0.002),
        Check("NLL of new rows above the optimum's, mean", test, "at most 0.001", test <= 0.001),
        # A temperature from m rows costs about 1 / (2 m): 0.0016 nats from 320 and 0.0003 from 1,600, half of the draws
        # each.
        Check("the same after the temperature, mean", calibrated, "at most 0.002", calibrated <= 0.002),
    ]


CONVEX = Proof("convex", draw, checks, draws=100)


def test_a_few_draws() -> None:
    # The rows that are held out, 8%, are part of what is compared with: 0.0003 nats at n = 8,000.
    for figures in CONVEX.some(2):
        assert figures["gap"] <= 0.002
        assert figures["test"] <= 0.002
        assert figures["calibrated"] <= 0.006  # one temperature from 320 rows costs this much at times


@pytest.mark.parametrize("engine", ["numpy", "jax", "torch"])
def test_every_engine_reaches_the_minimum_of_the_stated_objective(engine: str) -> None:
    X, y = load_digits(return_X_y=True)
    trained = solved(X[:500], y[:500], engine=engine)
    assert trained.penalty is not None
    assert abs(short_of_the_minimum(trained, X[:500], y[:500], trained.penalty)) < 5e-4


def test_weights_and_two_classes_have_the_same_objective() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    weights = np.random.default_rng(3).uniform(0, 2, len(y))
    trained = solved(X, y, weights)
    assert trained.penalty is not None
    assert abs(short_of_the_minimum(trained, X, y, trained.penalty, weights)) < 5e-4


def test_no_worse_than_logistic_regression_where_rows_separate() -> None:
    differences: list[float] = []
    sets = [load(return_X_y=True) for load in (load_digits, load_breast_cancer, load_iris, load_wine)]
    for seed in (5, 6):
        for number, (X, y) in enumerate([*sets, wide(seed)]):
            size = 286 if number == len(sets) else 0.75
            X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed, stratify=y, train_size=size)
            ours = likely.Classifier(network="linear", random_state=seed).fit(X_train, y_train)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)
            nll = (log_loss(model.predict_proba(X_test), y_test) for model in (ours, theirs))
            differences.append(next(nll) - next(nll))
    assert np.mean(differences) <= 0.005


def test_descent_stays_available() -> None:
    X, y = load_iris(return_X_y=True)
    for settings in ({"optimizer": "adam"}, {"optimizer": "sgd"}, {"epochs": 5}, {"head": "l1"}):
        card = likely.Classifier(network="linear", random_state=0, **settings).fit(X, y).predictor_.card
        assert card.training.penalty is None
        assert card.training.optimizer in ("adam", "sgd")
    card = likely.Classifier(network="linear", random_state=0).fit(X, y).predictor_.card
    assert card.training.penalty is not None
    assert card.training.optimizer == "l-bfgs"
