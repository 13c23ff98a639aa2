"""What the probabilities of the `fast` preset are worth on Fashion-MNIST: calibration, sets, abstention, false alarms.

Reads run folders that `likely fit fashion-mnist --seed N --out RUN` wrote and prints means over them. Nothing is
chosen here: temperatures, quantiles and thresholds come from rows that each run held out, figures from the test part.
Only the resplits pool the rows held out for thresholds with the test rows, 200 times, since coverage is a promise about
the draw of both.

scikit-learn's calibrators see the same scores of the same held-out rows; MAPIE sees the same probabilities.

    python benchmarks/trust.py RUN...
"""

import sys
import warnings
from typing import Any

import numpy as np
from mapie.classification import SplitConformalClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

import likely
from likely import metrics
from likely.data.splits import random_split
from likely.trust.abstention import aurc, confidence, error_at_coverage
from likely.trust.conformal_sets import prediction_sets, set_quantiles

RESPLITS = 200
COVERAGES = (0.9, 0.95, 0.99)


class Scores(ClassifierMixin, BaseEstimator):
    """A fitted model whose rows are already its scores, or its probabilities."""

    def __init__(self, classes: int = 10, proba: bool = False) -> None:
        self.classes, self.proba = classes, proba
        self.classes_ = np.arange(classes)
        self.fitted_ = True

    def fit(self, X: Any, y: Any) -> "Scores":
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        return X

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return X if self.proba else np.asarray(likely.softmax(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        return X.argmax(axis=1)


def main() -> None:
    data = likely.open_dataset("fashion-mnist")
    assert data.test is not None
    y = data.test.y
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(float(value))

    for run in sys.argv[1:]:
        predictor: Any = likely.load(run)
        card = predictor.card
        sizes = [card.splits.calibration, card.splits.thresholds, 0]
        calibration, thresholds, _, _ = random_split(len(data.train), sizes, np.random.default_rng(card.training.seed))
        log_probs, familiarity = predictor.examine(data.test.X)
        probs = np.exp(log_probs)
        note("accuracy", metrics.accuracy(probs, y))
        note("ECE", metrics.calibration_error(probs, y))
        note("ECE floor", metrics.calibration_floor(probs).value)
        note("ECE, equal mass", metrics.calibration_error(probs, y, binning="mass"))
        note("NLL", metrics.log_loss(probs, y))
        scores, held = (
            predictor.scores_and_features(X)[0].astype(np.float64) for X in (data.test.X, data.train.X[calibration])
        )
        note("NLL, uncalibrated", metrics.log_loss(np.asarray(likely.softmax(scores)), y))
        for method in ("temperature", "isotonic", "sigmoid"):
            theirs = CalibratedClassifierCV(FrozenEstimator(Scores()), method=method).fit(
                held, data.train.y[calibration]
            )
            note(f"NLL, CalibratedClassifierCV {method}", metrics.log_loss(theirs.predict_proba(scores), y))
        sure, wrong = confidence(log_probs), log_probs.argmax(axis=1) != y
        for share in (0.8, 0.9, 0.95):
            note(f"error when {share:.0%} are answered", error_at_coverage(sure, wrong, share))
        note("AURC", aurc(sure, wrong))
        for max_error in (0.01, 0.02):
            answered = predictor.answered(log_probs, max_error)
            note(f"promised error {max_error:.0%}: answered", answered.mean())
            note(f"promised error {max_error:.0%}: error", wrong[answered].mean())
        note("false alarms at 1%", (familiarity <= 0.01).mean())

        kept = np.exp(predictor.predict_log_proba(data.train.X[thresholds]))
        pool, truth = np.concatenate([kept, probs]), np.concatenate([data.train.y[thresholds], y])
        rng = np.random.default_rng(0)
        for coverage in COVERAGES:
            for method in ("lac", "aps"):
                results = []
                for _ in range(RESPLITS):
                    order = rng.permutation(len(pool))
                    first, rest = order[: len(kept)], order[len(kept) :]
                    u = rng.random(len(pool)) if method == "aps" else None
                    us = (None, None) if u is None else (u[first], u[rest])
                    quantiles = set_quantiles(pool[first], truth[first], coverage, method=method, u=us[0])
                    mask = prediction_sets(pool[rest], quantiles, method=method, u=us[1], allow_empty=True)
                    results.append((mask[np.arange(len(rest)), truth[rest]].mean(), mask.sum(axis=1).mean()))
                covered, size = np.mean(results, axis=0)
                note(f"{method} at {coverage:.0%}: coverage over {RESPLITS} resplits", covered)
                note(f"{method} at {coverage:.0%}: mean size over {RESPLITS} resplits", size)
            mask = predictor.sets(probs, coverage)
            note(f"lac at {coverage:.0%}: mean size on test rows, none empty", mask.sum(axis=1).mean())
            mapie = SplitConformalClassifier(FrozenEstimator(Scores(proba=True)), coverage, "lac", prefit=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mapie.conformalize(kept, data.train.y[thresholds])
                theirs = mapie.predict_set(probs)[1][:, :, 0]
            ours = predictor.sets(probs, coverage, allow_empty=True)
            note(f"lac at {coverage:.0%}: sets that differ from MAPIE's", (ours != theirs).any(axis=1).sum())
        print(f"{run} done", file=sys.stderr, flush=True)
    print(f"n = {len(y):,} test rows, {len(sys.argv) - 1} runs\n\n| figure | mean | runs |\n|---|---|---|")
    for name, values in found.items():
        print(f"| {name} | {np.mean(values):.4f} | {', '.join(f'{v:.4f}' for v in values)} |")


if __name__ == "__main__":
    main()
