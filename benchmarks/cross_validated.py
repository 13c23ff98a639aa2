"""How often sets and intervals hold the truth where they rest on cross-validation, for which no theorem speaks.

Claim: on digits (1,347 rows to learn from, 12 splits) and diabetes (353 rows, 100 splits), a linear network, the mean
coverage is what was asked for or more. Sets may be empty, so that nothing but the quantile decides.

    python benchmarks/cross_validated.py
"""

import warnings

import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import train_test_split

import likely


def sets(seed: int) -> list[float]:
    """The coverage of sets at 90, 95 and 99%, and the false alarms of familiarity at 1 and 5%."""
    X, new, y, truth = train_test_split(*load_digits(return_X_y=True), random_state=seed)
    model = likely.Classifier(network="linear", random_state=0).fit(X, y).predictor_
    probs, rows = model.predict_proba(new), np.arange(len(truth))
    covered = [model.sets(probs, asked, allow_empty=True)[rows, truth].mean() for asked in (0.9, 0.95, 0.99)]
    familiarity = model.familiarity(new)
    return [*covered, (familiarity <= 0.01).mean(), (familiarity <= 0.05).mean()]


def intervals(seed: int) -> list[float]:
    """The coverage of intervals at 90%."""
    X, new, y, truth = train_test_split(*load_diabetes(return_X_y=True), test_size=0.2, random_state=seed)
    low, high = likely.Regressor(network="linear", random_state=0).fit(X, y).predict_interval(new, coverage=0.9).T
    return [((low <= truth) & (truth <= high)).mean()]


def main() -> None:
    """Print each mean with its standard error over the splits."""
    warnings.simplefilter("ignore")
    for name, measure, splits in (("sets, false alarms", sets, 12), ("intervals", intervals, 100)):
        found = np.array([measure(1000 + seed) for seed in range(splits)])
        mean, error = found.mean(axis=0), found.std(axis=0) / np.sqrt(splits)
        print(name, "  ".join(f"{100 * m:.1f} ± {100 * e:.1f}%" for m, e in zip(mean, error, strict=True)))


if __name__ == "__main__":
    main()
