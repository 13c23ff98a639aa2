"""Guarantees on worlds of many labels with few rows each: sets and bounds on the error count rows of every label.

The worlds are unkind in three ways: most labels have a handful of rows or one, new rows bring labels that no row to
learn from has, and the rare labels look like the frequent ones. A set must hold the truth as often as promised among
all new rows: one whose label is unknown is not covered. Where that cannot be, the model must refuse.
"""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.guarantees.proof import Check, Figures, Proof, count, mean

import likely
from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.data.test_part import LEAST
from likely.errors import DataError
from likely.model import ClassifierPredictor
from likely.training.fit import learn

COVERAGES = (0.8, 0.9, 0.95)
_NEW = 4_000
_POINT = 0.01
"""How far the mean coverage may lie below the promised one."""


def _learned(X: np.ndarray, y: np.ndarray, seed: int, epochs: float) -> ClassifierPredictor:
    """A model of the labels that the rows have, and no others."""
    labels, classes = np.unique(y, return_inverse=True)
    dataset = Dataset("rows", "classification", Part(X, classes), labels=tuple(map(str, labels)), label_type="int")
    # Few passes: the guarantees ask nothing of the network, and a poor one puts them to the harder test.
    predictor = learn(dataset, RunConfig(network="linear", seed=seed, epochs=epochs)).predictor
    assert isinstance(predictor, ClassifierPredictor)
    return predictor


def _classes(predictor: ClassifierPredictor, y: np.ndarray) -> np.ndarray:
    """The number of each label in the model, -1 for one that it does not have."""
    index = {label: i for i, label in enumerate(predictor.labels)}
    return np.array([index.get(label, -1) for label in y.tolist()])


def _coverages(predictor: ClassifierPredictor, probs: np.ndarray, truth: np.ndarray) -> Figures:
    """How often sets hold the truth; NaN where the coverage is refused."""
    found: Figures = {}
    for coverage in COVERAGES:
        try:
            sets = predictor.sets(probs, coverage)
        except DataError as error:
            assert "label that their network was never shown" in str(error)  # noqa: PT017
            found[f"{coverage:.0%}"] = np.nan
            continue
        found[f"{coverage:.0%}"] = float((sets[np.arange(len(truth)), truth] & (truth >= 0)).mean())
    return found


def _check_coverages(draws: list[Figures], *, least: float = _POINT) -> list[Check]:
    checks: list[Check] = []
    for coverage in COVERAGES:
        name = f"{coverage:.0%}"
        promised = [figures for figures in draws if not np.isnan(figures[name])]
        checks.append(Check(f"refused at {name}", len(draws) - len(promised), "any", ok=True))
        if promised:
            reached = mean(promised, name)
            must = coverage - least
            checks.append(Check(f"mean coverage at {name}", reached, f"at least {must:.3f}", ok=reached >= must))
    return checks


# Zipf -----------------------------------------------------------------------------------------------------------

LABELS = 500


def zipf(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of 20 numbers around the centers of 500 labels, label r coming 1/r as often as the first."""
    shares = 1 / np.arange(1, LABELS + 1)
    centers = np.random.default_rng(rng.integers(2**32)).normal(size=(LABELS, 20))
    y = rng.choice(LABELS, n, p=shares / shares.sum())
    return (centers[y] + rng.normal(size=(n, 20))).astype(np.float32), y


def _draw_zipf(n: int, seed: int) -> Figures:
    X, y = zipf(n + _NEW, np.random.default_rng(seed))
    predictor = _learned(X[:n], y[:n], seed, epochs=3)
    truth = _classes(predictor, y[n:])
    probs = predictor.predict_proba(X[n:])
    return {"unknown": float((truth < 0).mean()), **_coverages(predictor, probs, truth)}


def draw_zipf_6000(seed: int) -> Figures:
    """Rows are held out before training."""
    return _draw_zipf(6_000, seed)


def draw_zipf_2000(seed: int) -> Figures:
    """Every row is held out once, by folds: 6% of new rows have labels that no row has, so 95% must be refused."""
    return _draw_zipf(2_000, seed)


def check_zipf(draws: list[Figures]) -> list[Check]:
    """The mean coverage, and that something was promised."""
    promised = sum(1 for figures in draws if not np.isnan(figures["80%"]))
    some = Check("draws with sets at 80%", promised, "all", ok=promised == len(draws))
    return [some, *_check_coverages(draws)]


ZIPF_6000 = Proof("rare-labels-zipf-6000", draw_zipf_6000, check_zipf, draws=100)
ZIPF_2000 = Proof("rare-labels-zipf-2000", draw_zipf_2000, check_zipf, draws=100)

# A tail that looks like the head -----------------------------------------------------------------------------------


def three_groups(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One label with 20% of the rows, ten with 60%, 400 with 20%; the rows of the last look like those of the first.

    Without rows of the 400 among the held-out ones the first label would look as sure as the ten.
    """
    group = rng.choice(3, n, p=[0.2, 0.6, 0.2])
    middle = 1 + rng.integers(10, size=n)
    y = np.choose(group, [np.zeros(n, np.int64), middle, 11 + rng.integers(400, size=n)])
    angle = 2 * np.pi * middle / 10
    centers = np.where(group[:, None] == 1, 6 * np.column_stack([np.cos(angle), np.sin(angle)]), 0.0)
    return (centers + rng.normal(size=(n, 2))).astype(np.float32), y


def _posteriors(X: np.ndarray) -> np.ndarray:
    """The true P(label | x) in `three_groups`: of the frequent label, and of each of the ten; shape (n, 11).

    Each of the 400 has a 400th of that of the frequent one.
    """
    angle = 2 * np.pi * np.arange(1, 11) / 10
    centers = np.vstack([np.zeros(2), 6 * np.column_stack([np.cos(angle), np.sin(angle)])])
    density = np.exp(-np.square(X[:, None] - centers).sum(axis=2) / 2) * np.array([0.2, *[0.06] * 10])
    return density / (density.sum(axis=1, keepdims=True) + density[:, :1])


def draw_three_groups(seed: int) -> Figures:
    """Whether the bound on the error is promised, and broken in the long run, by the true probabilities."""
    rng = np.random.default_rng(seed)
    n, new = 5_000, 4_000
    X, y = three_groups(n + new, rng)
    predictor = _learned(X[:n], y[:n], seed, epochs=15)
    log_probs = predictor.predict_log_proba(X[n:])
    try:
        answered = predictor.answered(log_probs, 0.1)
    except DataError:
        return {"promised": 0.0, "broken": 0.0, "error": np.nan, "answered": 0.0}
    answers = np.array(predictor.labels)[log_probs.argmax(axis=1)]
    posteriors = _posteriors(X[n:].astype(np.float64))
    known = posteriors[np.arange(new), np.minimum(answers, 10)]
    right = np.where(answers <= 10, known, posteriors[:, 0] / 400)
    error = 1 - float(right[answered].mean()) if answered.any() else 0.0
    return {"promised": 1.0, "broken": float(error > 0.1), "error": error, "answered": float(answered.mean())}


def check_three_groups(draws: list[Figures]) -> list[Check]:
    """At most 18 of 200 at level 95%."""
    broken, most = count(draws, "broken"), round(0.09 * len(draws))
    return [
        Check("bounds promised", count(draws, "promised"), "any", ok=True),
        Check("bounds broken", broken, f"at most {most}", ok=broken <= most),
    ]


THREE_GROUPS = Proof("rare-labels-error-bound", draw_three_groups, check_three_groups, draws=200)

# Balanced labels: no worse than before ------------------------------------------------------------------------------


def draw_balanced(seed: int) -> Figures:
    """Four labels with as many rows each, drawn around near centers."""
    rng = np.random.default_rng(seed)
    n = 6_000
    y = rng.integers(4, size=n + _NEW)
    X = (np.eye(4)[y] * 2 + rng.normal(size=(n + _NEW, 4))).astype(np.float32)
    predictor = _learned(X[:n], y[:n], seed, epochs=3)
    probs = predictor.predict_proba(X[n:])
    sizes = float(predictor.sets(probs, 0.9).sum(axis=1).mean())
    return {**_coverages(predictor, probs, y[n:]), "size": sizes}


BALANCED = Proof("rare-labels-balanced", draw_balanced, lambda draws: _check_coverages(draws, least=0.004), draws=100)

# One class of four rows --------------------------------------------------------------------------------------------


def draw_wide(seed: int) -> Figures:
    """286 rows of 1,280 features, as of a backbone, three labels, one of them with four rows."""
    rng = np.random.default_rng(seed)
    counts, d = [142, 140, 4], 1_280
    centers = rng.normal(size=(3, d)) * 0.06
    y, new = np.repeat(np.arange(3), counts), np.repeat(np.arange(3), [994, 980, 28])
    X, Z = ((centers[c] + rng.normal(size=(len(c), d))).astype(np.float32) for c in (y, new))
    mixed = rng.permutation(len(y))
    X, y = X[mixed], y[mixed]
    model = likely.Classifier(network="linear", random_state=seed).fit(X, y)
    probs = model.predict_proba(Z)
    knows_nothing = np.tile(np.array(counts) / sum(counts), (len(new), 1))
    theirs = LogisticRegression(max_iter=200).fit(X, y).predict_proba(Z)
    loss = likely.metrics.log_loss
    return {
        "nll": loss(probs, new),
        "nll of knowing nothing": loss(knows_nothing, new),
        "nll of LogisticRegression": loss(theirs, new),
        "accuracy": float((probs.argmax(axis=1) == new).mean()),
        "confidence": float(probs.max(axis=1).mean()),
        "covered": float(model.predictor_.sets(probs, 0.9)[np.arange(len(new)), new].mean()),
    }


def check_wide(draws: list[Figures]) -> list[Check]:
    """Calibrated, and better than knowing nothing."""
    gap = mean(draws, "confidence") - mean(draws, "accuracy")
    worst = max(figures["nll"] - figures["nll of knowing nothing"] for figures in draws)
    ours, theirs = mean(draws, "nll"), mean(draws, "nll of LogisticRegression")
    covered = mean(draws, "covered")
    return [
        Check("mean confidence minus accuracy", gap, "within 0.04", ok=abs(gap) <= 0.04),
        Check("NLL above knowing nothing, at worst", worst, "at most 0.05", ok=worst <= 0.05),
        Check("NLL, mean", ours, f"at most LogisticRegression's {theirs:.3f} + 0.05", ok=ours <= theirs + 0.05),
        Check("mean coverage at 90%", covered, "at least 0.88", ok=covered >= 0.88),
    ]


WIDE = Proof("rare-labels-wide", draw_wide, check_wide, draws=20)


@pytest.mark.parametrize(("proof", "n", "slack"), [(ZIPF_6000, 3, 0.03), (ZIPF_2000, 2, 0.03), (BALANCED, 3, 0.03)])
def test_sets_hold_the_truth_with_labels_of_any_number_of_rows(proof: Proof, n: int, slack: float) -> None:
    draws = proof.some(n)
    # So few draws of 240 held-out rows leave the mean coverage a standard deviation of some 1.2 points.
    for coverage in COVERAGES:
        found = [figures[f"{coverage:.0%}"] for figures in draws if not np.isnan(figures[f"{coverage:.0%}"])]
        assert not found or np.mean(found) >= coverage - slack
    assert not np.isnan([figures["80%"] for figures in draws]).any()


def test_a_coverage_that_unknown_labels_leave_no_room_for_is_refused() -> None:
    [figures] = ZIPF_2000.some(1)
    assert figures["unknown"] > 0.05
    assert np.isnan(figures["95%"])


def test_the_error_bound_holds_where_rare_labels_look_like_a_frequent_one() -> None:
    assert count(THREE_GROUPS.some(4), "broken") <= 1


def test_a_class_of_four_rows_leaves_the_others_calibrated() -> None:
    [figures] = WIDE.some(1)
    assert abs(figures["confidence"] - figures["accuracy"]) < 0.1
    assert figures["nll"] < figures["nll of knowing nothing"] + 0.05


@pytest.mark.parametrize("rare", [1, 2, 3, 4])
def test_a_class_of_few_rows_switches_nothing_off(rare: int) -> None:
    rng = np.random.default_rng(rare)
    y = rng.permutation(np.repeat([0, 1, 2], [80, 80, rare]))
    X = np.eye(3)[y] * 3 + rng.normal(size=(len(y), 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = likely.Classifier(network="linear", random_state=0).fit(X, y).predictor_
    assert model.card.calibrated
    assert model.familiarity(X[:3]).shape == (3,)
    assert len(model.predict_set(X[:3], 0.95)) == 3
    with pytest.raises(DataError, match=r"at least 9 held-out rows of each; got \d of '2'"):
        model.predict_set(X[:3], 0.9, per_class=True)
    with pytest.raises(DataError, match="at least 5 held-out rows in the event"):
        model.event_threshold(2, recall=0.9)
    assert len(y) > LEAST
